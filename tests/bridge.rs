use std::process::Command;

use crate::rig::{python, repository, turn};

#[test]
fn the_bridge_into_slime_passes_its_own_tests() {
    let Some(python) = python((3, 10)) else {
        return eprintln!("skipped: no python3 of 3.10 or later, which slime needs too");
    };
    let _turn = turn();
    let mut command = Command::new(python);
    command.args(["-m", "unittest", "discover", "--start-directory"]).arg(repository().join("tests/slime"));
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
