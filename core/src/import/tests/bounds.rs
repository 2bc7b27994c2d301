//! Nothing takes for ever, and nothing fills the memory.

use std::time::Instant;

use super::*;

#[test]
fn what_does_not_end_is_ended() {
    let deep = |open: &str, close: &str| format!("X={}1{}\n", open.repeat(5000), close.repeat(5000));
    let scripts = [
        "while true; do :; done".to_owned(),
        "for ((;;)); do X=1; done".to_owned(),
        "until false; do X=$((X + 1)); done".to_owned(),
        "f() { f; }; f".to_owned(),
        "f() { f | f; }; f".to_owned(),
        "X=ab; while :; do X=$X$X; done".to_owned(),
        "X=(a); while :; do X+=(\"${X[@]}\"); done".to_owned(),
        "while :; do nvidia-smi && A=1; done".to_owned(),
        "for i in $(seq 1 100000000); do :; done".to_owned(),
        "for i in $(seq 1 9999); do for j in $(seq 1 9999); do :; done; done".to_owned(),
        "X=$(printf '%s' {a..z}); X=$(while :; do echo $X; done)".to_owned(),
        format!("X={}; Y=${{X//a*a*b/}}", "a".repeat(60_000)),
        format!("X={}; [[ $X == {}b ]]", "a".repeat(60_000), "*a".repeat(20_000)),
        format!("X={}", "a".repeat(100_000)),
        "source run-x.sh".to_owned(),
        deep("$(", ")"),
        deep("$((", "))"),
        deep("${A:-", "}"),
        deep("\"$(echo ", ")\""),
        format!("echo $(({}1{}))", "(".repeat(5000), ")".repeat(5000)),
        format!("echo $(({}1))", "-".repeat(5000)),
        format!("X=$((1{}))", "**1".repeat(5000)),
        "if true; then ".repeat(5000),
        "( ".repeat(5000),
        "{ ".repeat(5000),
        "! ".repeat(100) + "[[ " + &"( ".repeat(5000),
        format!("[[ {} a ]]", "! ".repeat(5000)),
        "if a; then b; ".to_owned() + &"elif a; then b; ".repeat(3000) + "fi",
        "\\`".repeat(10) + &"`".repeat(9999),
        "x".repeat(300_000),
    ];
    let begin = Instant::now();
    for script in scripts {
        let files = map([("/s/run-x.sh", script.as_str())]);
        let shown: String = script.chars().take(60).collect();
        let started = Instant::now();
        match with(&format!("{script}\n"), &map([]), &map([]), &files) {
            Ok(imported) => panic!("{shown}: {}", imported.file),
            Err(findings) => assert!(findings.iter().all(|finding| finding.place.is_some()), "{shown}: {findings:?}"),
        }
        assert!(started.elapsed().as_secs() < 10, "{shown}: {:?}", started.elapsed());
    }
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

#[test]
fn an_endless_loop_is_refused_where_it_stands() {
    assert!(refused("A=1\nwhile true; do\n  :\ndone\n").starts_with("run-x.sh:"), "has a line");
    assert!(refused("while true; do :; done").contains("does this loop end?"));
    assert!(refused("f() { f; }; f").contains("does this call itself?"));
}

/// Any text is either read or refused.
#[test]
fn no_text_upsets_the_parser() {
    let mut state = 7u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let pieces = [
        "$(", ")", "((", "))", "${", "}", "\"", "'", "`", "\\", "\n", " ", ";", "&", "|", "<", ">", "<<E", "E\n", "if",
        "then", "fi", "for", "in", "do", "done", "case", "esac", "[[", "]]", "a", "X=", "X+=(", "$X", "${X[@]}", "#",
        "é", "\r", "[", "]", "*", "!", "{", "{ ", ":-", "//", "%", "=", "1", "-", "+", "source ", "f() ", "$'",
        "\u{e001}",
    ];
    for _ in 0..4000 {
        let script: String = (0..next(24)).map(|_| pieces[next(pieces.len())]).collect();
        let _ = plain(&script);
        let _ = plain(&format!("{script}\n{LAUNCH} --x \"$X\"\n"));
    }
}
