//! Files as editors, disks and accidents make them.

use super::*;

#[test]
fn an_empty_file_says_how_to_begin() {
    let begin = "job.toml:1: error: there is nothing in this file: write recipe = \"r1-mini\", or start from `rldeck init r1-mini`";
    for text in ["", "\n\n", "\u{feff}", "# later\n", "[rollout]\n"] {
        assert_eq!(said(text), [begin], "{text:?}");
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_not_matter() {
    let plain = "recipe = \"r1-mini\"\n[optimizer]\nlr = 2e-3\n";
    let windows = format!("\u{feff}{}", plain.replace('\n', "\r\n"));
    assert_eq!(good(&windows), good(plain));
    let wrong = format!("\u{feff}{}", "recipe = \"r1-mini\"\r\n[optimizer]\r\nlr = \"fast\"\r\n");
    assert_eq!(said(&wrong), ["job.toml:3: error: lr is \"fast\": it must be a number from 0 to 10"]);
    let mac = "recipe = \"r1-mini\"\r[optimizer]\rlr = 1\r";
    assert!(said(mac)[0].contains("a carriage return stands alone"), "{:?}", said(mac));
}

#[test]
fn what_is_not_utf8_says_so_with_its_line() {
    let read = |bytes: &[u8]| Job::read_bytes(bytes, "job.toml", &vars).unwrap_err()[0].to_string();
    assert_eq!(read(b"a = 1\nb = \"\xff\"\n"), "job.toml:2: error: this is not UTF-8 text: save the file as UTF-8");
    assert_eq!(read(b"\xff\xfea\0"), "job.toml:1: error: this is UTF-16: save the file as UTF-8");
    assert!(Job::read_bytes(b"recipe = \"r1-mini\"\n", "job.toml", &vars).is_ok());
}

#[test]
fn another_file_given_by_mistake_is_refused_quickly() {
    let log = "step 1 loss 0.5\n".repeat(1_000_000);
    assert_eq!(
        said(&log),
        ["job.toml:1: error: 15625 KB are too much for a job file (at most 256 KB): is this the right file?"]
    );
    let keys: String = (0..6000).map(|n| format!("k{n} = 1\n")).collect();
    let much = ["job.toml:1: error: 6000 keys are too many for a job file (at most 5000): is this the right file?"];
    assert_eq!(said(&keys), much);
    let one_line =
        format!("x = {{{}}}", (0..5999).map(|n| format!("k{n}=1,")).collect::<String>().trim_end_matches(','));
    assert_eq!(said(&one_line), much);
    let said_of_lines = said(&"a\n".repeat(6000));
    assert_eq!(said_of_lines.len(), 51);
    assert_eq!(said_of_lines[50], "error: 5950 more are not shown: is job.toml the right file?");
}

#[test]
fn a_file_of_unknown_names_is_told_in_fifty_lines() {
    let keys: String = (0..4000).map(|n| format!("some-unknown-argument-{n} = 1\n")).collect();
    let said = said(&format!("recipe = \"r1-mini\"\n[misc]\n{keys}"));
    assert_eq!(said.len(), 51);
    assert_eq!(said[50], "warning: 3950 more are not shown: is job.toml the right file?");
}

#[test]
fn what_would_fill_the_stack_or_the_memory_is_refused() {
    let brackets = format!("x = {}", "[".repeat(100_000));
    assert!(!said(&brackets).is_empty());
    let braces = format!("x = {}", "{a = ".repeat(40_000));
    assert!(!said(&braces).is_empty());
    let dots = format!("{} = 1", vec!["a"; 100_000].join("."));
    assert!(!said(&dots).is_empty());
    let tables = format!("[{}]", vec!["a"; 100_000].join("."));
    assert!(!said(&tables).is_empty());

    let chain: String = (0..3000).map(|n| format!("V{n} = \"${{V{}}}\"\n", n + 1)).collect();
    let said_of_chain = said(&format!("recipe = \"r1-mini\"\n[env]\n{chain}V3000 = \"end\"\n"));
    assert!(said_of_chain[0].contains("goes through more than 50 other variables"), "{said_of_chain:?}");

    let doubled: String = (0..40).map(|n| format!("V{n} = \"${{V{0}}}${{V{0}}}\"\n", n + 1)).collect();
    let said_of_doubled = said(&format!("recipe = \"r1-mini\"\n[env]\n{doubled}V40 = \"end\"\n"));
    assert!(said_of_doubled[0].contains("longer than 64 KB"), "{said_of_doubled:?}");
}

#[test]
fn any_beginning_of_a_file_and_any_damage_to_it_gives_an_answer() {
    let text = recipes()[0].1;
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let _ = said(&text[..end]);
    }
    let mut state = 7u64;
    for _ in 0..500 {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..4 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = b"[]{}\"'=#\n\r\\$.,-_0aZ\0\x7f\xc3"[(state >> 20) as usize % 22];
        }
        let _ = Job::read_bytes(&bytes, "job.toml", &vars);
    }
}
