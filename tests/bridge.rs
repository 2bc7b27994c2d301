use std::{fs, process::Command};

use rldeck_core::shard::{Event, Report};

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

/// A job of one step and one rollout, with a change and a refusal.
const JOB: &str = r#"
import sys
sys.path.insert(0, sys.argv[1])
import support, rldeck_bridge as bridge
from test_rollout import samples
args = support.arguments()
bridge.before_train_step(args, 0, 0, [], support.optimizer(), support.Scheduler())
bridge.log_rollout(0, args, samples(2), {"rollout/dynamic_filter/drop_zero_std_0.0": 1, "rollout/x": float("nan")}, 2.0)
bridge.EVENTS.notice("warning", "look")
"#;

#[test]
fn what_the_bridge_writes_is_what_core_reads() {
    let Some(python) = python((3, 10)) else { return eprintln!("skipped: no python3 of 3.10 or later") };
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tune.json"), r#"{"version":3,"set":{"lr":"0","num-layers":"1"},"from":{}}"#).unwrap();
    let mut command = Command::new(python);
    command.args(["-c", JOB]).arg(repository().join("tests/slime")).env("RLDECK_SHARD_DIR", dir.path());
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(dir.path().join("events.jsonl")).unwrap();
    let reports: Vec<Report> =
        text.lines().map(|line| serde_json::from_str::<Event>(line).expect(line).report).collect();
    let count = |kind: fn(&Report) -> bool| reports.iter().filter(|report| kind(report)).count();
    assert_eq!(count(|report| matches!(report, Report::Tuned { version: 3, refused, .. } if refused.len() == 1)), 1);
    assert_eq!(count(|report| matches!(report, Report::Metrics { rollout: 0, .. })), 1);
    assert_eq!(count(|report| matches!(report, Report::Funnel(funnel) if (funnel.sampled, funnel.kept) == (3, 2))), 1);
    assert_eq!(count(|report| matches!(report, Report::Sample(_))), 8);
    assert_eq!(count(|report| matches!(report, Report::Notice { .. })), 1);
}
