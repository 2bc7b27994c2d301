use std::{fs, time::Duration};

use serde_json::Value;

use crate::rig::{ENDLESS, Rig};

/// `train/weight_norm` of every step from this one on.
fn norms(rig: &Rig, from: u64) -> Vec<f64> {
    metrics(rig)
        .filter(|line| line["step"].as_u64() >= Some(from))
        .filter_map(|line| line["values"]["train/weight_norm"].as_f64())
        .collect()
}

fn metrics(rig: &Rig) -> impl Iterator<Item = Value> {
    let text = fs::read_to_string(rig.run_dir().join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>().into_iter()
}

/// The step and rollout from which a change is in force, as the acknowledgement says.
fn in_force(said: &str) -> (u64, u64) {
    let numbers: Vec<u64> =
        said.lines().last().unwrap().split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    (numbers[0], numbers[1])
}

#[test]
fn lr_zero_freezes_the_weights_from_the_acknowledged_step_on() {
    let mut rig = Rig::new();
    rig.up(&format!("{ENDLESS}[optimizer]\nlr = 1e-3\n"));
    rig.rollouts(3);
    let (step, _) = in_force(&rig.ok(&["tune", "lr=0"]));
    rig.rollouts(6);
    let before: Vec<f64> = norms(&rig, 0).into_iter().take(step as usize).collect();
    assert!(before.windows(2).all(|pair| pair[0] != pair[1]), "before, every step moves them: {before:?}");
    let after = norms(&rig, step);
    assert!(after.len() >= 5 && after.windows(2).all(|pair| pair[0] == pair[1]), "{after:?}");
    // And on again, at the next step.
    let (step, _) = in_force(&rig.ok(&["tune", "lr=1e-3"]));
    rig.rollouts(4);
    let after = norms(&rig, step);
    assert!(after.windows(2).all(|pair| pair[0] != pair[1]), "{after:?}");
    assert_eq!(rig.status()["settings"]["lr"]["value"], "1e-3");
}

#[test]
fn a_changed_temperature_changes_the_entropy_of_the_next_rollout() {
    let mut rig = Rig::new();
    // A policy that has learned something, and that does not move while we look.
    rig.up(&ENDLESS
        .replace("cold-start-steps = 1\n", "cold-start-steps = 20\n")
        .replace("[eval]", "[optimizer]\nlr = 0.0\n[eval]"));
    let entropy = |from: u64, to: u64| {
        let of = metrics(&rig).filter(|line| (from..to).contains(&line["rollout"].as_u64().unwrap()));
        let values: Vec<f64> = of.filter_map(|line| line["values"]["train/entropy_loss"].as_f64()).collect();
        assert!(values.len() >= 4, "{values:?}");
        (values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(0.0, f64::max))
    };
    rig.rollouts(8);
    let (_, changed) = in_force(&rig.ok(&["tune", "rollout-temperature=0.5"]));
    rig.until("it is used", Duration::from_secs(30), |rig| {
        (rig.status()["rollout"].as_u64() > Some(changed + 8)).then_some(())
    });
    let (hot, cold) = (entropy(0, changed), entropy(changed, changed + 8));
    assert!(cold.1 < hot.0, "entropy at 1.0: {hot:?}, at 0.5: {cold:?}");
}

#[test]
fn what_needs_a_restart_says_so_and_is_in_the_next_attempt() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    let said = rig.ok(&["tune", "num-rollout=999999"]);
    assert!(said.contains("restart"), "{said}");
    rig.ok(&["restart"]);
    assert_eq!(rig.status()["num_rollout"], 999_999);
}
