//! What cannot be imported, with its line.

use super::*;

#[test]
fn every_refusal_names_its_line() {
    let cases = [
        (
            format!("\n{LAUNCH} --x $NOPE"),
            "run-x.sh:2: error: --x uses NOPE, which is not set: give it with --set NOPE=VALUE",
        ),
        (
            format!("A=$(date +%s)\n{LAUNCH} \\\n  --x run-$A"),
            "run-x.sh:3: error: --x uses what `date +%s` prints (run-x.sh:1): give it with --set A=VALUE",
        ),
        (
            format!("{LAUNCH} --x `hostname`"),
            "run-x.sh:1: error: --x uses what `hostname` prints (run-x.sh:1): rldeck runs nothing of the script: write the value there",
        ),
        (
            format!("{LAUNCH} --x <(ls)"),
            "run-x.sh:1: error: --x uses a process substitution, which rldeck does not read",
        ),
        (format!("{LAUNCH} --x /d/*.json"), "run-x.sh:1: error: --x uses a pattern of file names"),
        (format!("{LAUNCH} --x {{1,2}}"), "run-x.sh:1: error: --x uses a brace expansion"),
        (format!("A=B; {LAUNCH} --x ${{!A}}"), "run-x.sh:1: error: --x uses a variable named by another"),
        ("echo hi\n".to_owned(), "run-x.sh:1: error: no launch is found"),
        (
            format!("if [ -z \"$MASTER_ADDR\" ]; then\n  echo give it\n  exit 1\nfi\n{LAUNCH}"),
            "run-x.sh:3: error: the script ends here and has launched nothing (not set here: --set MASTER_ADDR=VALUE)",
        ),
        (format!("{LAUNCH}\n{LAUNCH}"), "run-x.sh:2: error: a second job is launched here (the first at run-x.sh:1)"),
        (
            format!("if nvidia-smi; then\n{LAUNCH}\nfi"),
            "run-x.sh:2: error: whether the job is launched here depends on how `nvidia-smi` ends (run-x.sh:1)",
        ),
        (format!("if nvidia-smi; then\n{LAUNCH}\neval x\nfi"), "run-x.sh:3: error: eval is not read"),
        (format!("source nope.sh\n{LAUNCH}"), "run-x.sh:1: error: /s/nope.sh cannot be read: no such file"),
        (
            format!("source $W/nope.sh\n{LAUNCH}"),
            "run-x.sh:1: error: the sourced file uses W, which is not set: give it with --set W=VALUE",
        ),
        (format!("eval \"A=1\"\n{LAUNCH}"), "run-x.sh:1: error: eval is not read"),
        (format!("declare -A M\n{LAUNCH}"), "run-x.sh:1: error: an array with keys (declare -A) is not read"),
        (format!("X=$((1 / 0))\n{LAUNCH}"), "run-x.sh:1: error: \"1 / 0\" divides by 0"),
        ("python3 train.py go --lr 1".to_owned(), "run-x.sh:1: error: \"go\" stands before all arguments"),
        (format!("{LAUNCH} --actor-num-nodes many"), "run-x.sh:1: error: --actor-num-nodes must be a whole number"),
    ];
    for (script, expected) in cases {
        let said = refused(&script);
        assert!(said.starts_with(expected), "{script}\n  said\n{said}\n  not\n{expected}");
    }
}

#[test]
fn syntax_errors_name_their_line() {
    let cases = [
        ("echo ok\nX='open\n", "run-x.sh:2: error: the single quote that opens here is not closed"),
        ("\n\nX=\"open\n", "run-x.sh:3: error: the double quote that opens here is not closed"),
        ("A=(\n  a\n", "run-x.sh:1: error: the array that begins here does not end"),
        (
            "if true; then\n  echo a\n",
            "run-x.sh:3: error: this command is not complete where the line or the script ends",
        ),
        ("echo a\nfi\n", "run-x.sh:2: error: \"fi\" makes no sense here"),
        ("for x in a; do echo; }\n", "run-x.sh:1: error: \"}\" makes no sense here"),
        ("cat <<EOF\nnever\n", "run-x.sh:1: error: the text after <<EOF does not end"),
        ("X=$(echo a\n", "run-x.sh:1: error: what begins here does not end: `)` is missing"),
        ("X=${A\n", "run-x.sh:1: error:"),
        ("echo a | | b\n", "run-x.sh:1: error: \"|\" makes no sense here"),
        ("X=$((1 + \n", "run-x.sh:1: error: the (( that opens here is not closed"),
        ("case x in a) echo\n", "run-x.sh:2: error:"),
        (") a\n", "run-x.sh:1: error: \")\" makes no sense here"),
    ];
    for (script, expected) in cases {
        let said = refused(script);
        assert!(said.starts_with(expected), "{script}\n  said\n{said}\n  not\n{expected}");
    }
}

#[test]
fn errors_of_a_sourced_file_are_in_that_file() {
    let files = map([("/s/m.sh", "A=1\nMODEL_ARGS=(\n  --num-layers $NOPE\n)\n"), ("/s/bad.sh", "fi\n")]);
    let script = format!("source m.sh\n{LAUNCH} ${{MODEL_ARGS[@]}}");
    let said = lines(&with(&script, &map([]), &map([]), &files).unwrap_err());
    assert!(said.starts_with("/s/m.sh:3: error: --num-layers uses NOPE, which is not set"), "{said}");
    let said = lines(&with("source bad.sh", &map([]), &map([]), &files).unwrap_err());
    assert!(said.starts_with("/s/bad.sh:1: error: \"fi\" makes no sense here"), "{said}");
}
