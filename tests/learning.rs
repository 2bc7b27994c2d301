use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::rig::Rig;

/// The main job as a newcomer meets it: from the start of the binary, with nothing cached.
#[test]
fn the_built_in_job_learns_while_one_watches() {
    let rig = Rig::cold();
    let begun = Instant::now();
    let lines = rig.write("lines", "");
    let mut console = rig.command(&[]).stdout(fs::File::create(&lines).unwrap()).spawn().unwrap();
    rig.until("the first reward", Duration::from_secs(300), |_| {
        fs::read_to_string(&lines).unwrap().lines().any(|line| line.starts_with("rollout 0/")).then_some(())
    });
    println!("first reward after {:?}, nothing cached", begun.elapsed());
    let begun = Instant::now();
    rig.until("reward of 0.9, as a mean of ten rollouts", Duration::from_secs(900), |rig| {
        let rewards = series(rig, "rollout/sampled_reward");
        (rewards.len() >= 10 && mean(&rewards[rewards.len() - 10..]) >= 0.9).then_some(())
    });
    println!("0.9 after {:?} more", begun.elapsed());
    let rewards = series(&rig, "rollout/sampled_reward");
    // The first reward of thinking comes within a few rollouts: the policy of the cold start is that of the first one.
    assert!((0.05..=0.5).contains(&rewards[0]), "it begins as a policy that is right sometimes: {:?}", &rewards[..5]);
    println!("means of ten: {:.3?}", rewards.chunks(10).map(mean).collect::<Vec<_>>());
    rig.until("another evaluation on prompts never trained on", Duration::from_secs(180), |rig| {
        let evals = series(rig, "eval/arithmetic");
        (evals.len() >= 2 && evals[evals.len() - 1] > evals[0] + 0.2).then_some(())
    });
    println!("eval {:?}", series(&rig, "eval/arithmetic"));
    let _ = console.kill();
    let _ = console.wait();
    rig.ok(&["stop"]);

    // With the cold start cached.
    let begun = Instant::now();
    let lines = rig.write("lines", "");
    let mut console = rig.command(&[]).stdout(fs::File::create(&lines).unwrap()).spawn().unwrap();
    rig.until("the first reward", Duration::from_secs(30), |_| {
        fs::read_to_string(&lines).unwrap().lines().any(|line| line.starts_with("rollout 0/")).then_some(())
    });
    println!("first reward after {:?}, the cold start cached", begun.elapsed());
    let _ = console.kill();
    let _ = console.wait();
}

fn series(rig: &Rig, name: &str) -> Vec<f64> {
    let runs = fs::read_dir(rig.home().join("runs")).into_iter().flatten().flatten();
    let Some(run) = runs.map(|run| run.path()).max() else { return Vec::new() };
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line["values"][name].as_f64()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
