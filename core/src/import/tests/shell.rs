//! The language: what a script computes.

use super::*;

#[test]
fn values_are_what_bash_makes_of_them() {
    let cases = [
        ("X=a", "a"),
        ("A='b c'; X=${A/ /-}", "b-c"),
        ("X=${NOPE:-fallback}", "fallback"),
        ("X=\"${NOPE:-\"two\"}\"", "two"),
        ("A=; X=${A:-empty}", "empty"),
        ("A=/models/R1.tar.gz; X=${A##*/}", "R1.tar.gz"),
        ("A=/models/R1.tar.gz; X=${A%%.*}", "/models/R1"),
        ("A=/models/R1.tar.gz; B=${A%.*}; X=${B#/}", "models/R1.tar"),
        ("A=abcdef; X=${A:1:3}${#A}", "bcd6"),
        ("A=Qwen; X=${A,,}${A^^}", "qwenQWEN"),
        ("A=x_y_z; X=${A//_/.}", "x.y.z"),
        ("X=$((2 + 3 * (4 - 1) ** 2 % 7))", "8"),
        ("N=5; X=$((N > 3 ? N << 1 : 0))", "10"),
        ("N=1; ((N++)); ((N += 2)); X=$N", "4"),
        ("let 'N=3*4'; X=$N", "12"),
        ("X=$(basename /a/b.sh .sh)", "b"),
        ("X=$(dirname /a/b.sh)", "/a"),
        ("X=`basename /a/b`", "b"),
        ("X=$(seq -s, 2 3 11)", "2,5,8,11"),
        ("X=$(echo a b | tr ' ' '-')", "a-b"),
        ("X=$(echo 0,1,2,3 | tr ',' '\\n' | wc -l)", "4"),
        ("X=$(printf '%s.%s' a b)", "a.b"),
        ("X=$(cat <<EOF\nline $((1 + 1))\nEOF\n)", "line 2"),
        ("X=$(cat <<'EOF'\nas$is\nEOF\n)", "as$is"),
        ("A=(a b c); X=${A[1]}${#A[@]}${A[-1]}", "b3c"),
        ("A=(a b c); A[1]=B; A+=(d); X=$(IFS=+; echo \"${A[*]}\")", "a+B+c+d"),
        ("A=(a \"b c\"); B=(\"${A[@]}\" d); X=${#B[@]}", "3"),
        ("A=(a \"b c\"); B=(${A[@]} d); X=${#B[@]}", "4"),
        ("A=(1 2 3 4); X=$(IFS=; echo \"${A[*]:1:2}\")", "23"),
        ("for i in 1 2 3; do [ $i = 2 ] && continue; X+=$i; done", "13"),
        ("for ((i = 0; i < 9; i++)); do if ((i == 3)); then break; fi; X=$X$i; X=${X:-}; done", "012"),
        ("i=0; while [ $i -lt 4 ]; do i=$((i + 1)); done; X=$i", "4"),
        ("i=0; until (( i >= 4 )); do (( i++ )); done; X=$i", "4"),
        ("case R1-671B in *7B) X=small ;; R1-*) X=big ;; *) X=none ;; esac", "big"),
        ("f() { local y=$1; X=$y$#; }; y=0; f a b; X=$X$y", "a20"),
        ("function g { echo \"[$1]\"; return 3; }; X=$(g in) || X=$X!", "[in]!"),
        ("X=out; (X=in); { X=$X-side; }", "out-side"),
        ("if [[ abc == a* && ! -z b ]]; then X=yes; else X=no; fi", "yes"),
        ("if [ 3 -gt 2 -a x != y ]; then X=yes; fi", "yes"),
        ("X=$(if false; then echo a; elif true; then echo b; else echo c; fi)", "b"),
        ("export X=e Y=f; X=$X$Y", "ef"),
        ("X=~/m", "/root/m"),
        ("A=$(true; echo $?); false; B=$(true) && X=$A$?", "00"),
        ("set -- ${NOPE:-\"a b\" c}; X=$#", "2"),
        ("A=\"a  b c\"; B=($A); X=${#B[@]}${B[2]}", "3c"),
        ("case x in x) X=1 ;& y) X=${X}2 ;; z) X=3 ;; esac", "12"),
        ("X=; for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; X+=$i$j; done; done", "1a2a"),
        ("set -- p q; shift; X=$1", "q"),
        ("printf -v X '[%s]' 1,2", "[1,2]"),
        ("X=a\\\nb", "ab"),
        ("read -r Y <<< z; X=w", "w"),
        ("cd /a/b/..; X=$(pwd)", "/a"),
        ("X=$'a\\tb'; X=${X/\t/_}", "a_b"),
    ];
    for (script, expected) in cases {
        // The second case of a loop begins with an unset X, which bash calls empty.
        let script = if script.starts_with("for ") { format!("X=; {script}") } else { script.to_owned() };
        assert_eq!(value(&format!("{script}\nX=\"${{X}}\"").replace("--x ${X}", "")), expected, "{script}");
    }
}

#[test]
fn what_depends_on_a_command_is_only_lost_where_the_ways_differ() {
    let script = "N=$(nvidia-smi -L | wc -l)\nif [ $N -gt 0 ]; then A=1; X=same; else A=0; X=same; fi";
    assert_eq!(value(script), "same");
    assert_eq!(value("X=kept\nfor h in $(cat hosts); do [[ $h == a ]] && continue; Y=$h; done"), "kept");
    assert_eq!(value("X=kept\nif ! command -v ray; then echo no; exit 1; fi"), "kept");
    assert_eq!(
        value("X=kept; f() { if nvidia-smi; then return 1; fi; Y=2; }; f; for i in 1 2; do f && break; done"),
        "kept"
    );
}

#[test]
fn a_hole_reaches_everything_that_a_loop_may_change() {
    let loops = [
        "Y=1; X=1; for h in $(cat list); do X=$Y; Y=2; done",
        "X=1; while read -r line; do X=2; done < file",
        "X=1; for i in 1 2; do if nvidia-smi; then X=2; continue; fi; X=1; done",
        "X=1; f() { if nvidia-smi; then X=2; return; fi; X=1; }; f",
        "X=1; case $(uname) in Linux) X=2 ;; esac",
        "X=1; nvidia-smi && X=2",
        "X=1; until curl -s x; do X=$((X + 1)); done",
    ];
    for script in loops {
        let said = refused(&format!("{script}\n{LAUNCH} --x $X\n"));
        assert!(said.contains("error: --x uses X, which depends on"), "{script}: {said}");
    }
}

#[test]
fn what_is_given_fills_a_hole() {
    let script = format!("N=$(nvidia-smi -L | wc -l)\n{LAUNCH} --x $N\n");
    let imported = good(with(&script, &map([]), &map([("N", "8")]), &map([])));
    assert_eq!(job(&imported).value("x").as_deref(), Some("8"));
    let script = format!("if nvidia-smi; then N=1; else N=0; fi\n{LAUNCH} --x $N\n");
    let imported = good(with(&script, &map([]), &map([("N", "1")]), &map([])));
    assert_eq!(job(&imported).value("x").as_deref(), Some("1"));
    let imported = good(with(&format!("A=1\n{LAUNCH}"), &map([]), &map([("A", "2")]), &map([])));
    assert!(lines(&imported.findings).contains("--set A changes nothing"), "{:?}", imported.findings);
}
