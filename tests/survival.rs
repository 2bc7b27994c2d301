use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use rldeck_core::shard::ShardId;

use crate::rig::{ENDLESS, Rig, Watcher, event_lines, metric_lines, signal};

/// All that was promised to be back after a SIGKILL is back in this time.
const BACK: Duration = Duration::from_secs(2);

/// The agent of this node is back under another pid, and connected.
fn back(rig: &Rig, node: &str, before: u32) {
    rig.until(&format!("{node} is back"), BACK, |rig| {
        let status: serde_json::Value = serde_json::from_slice(&rig.output(&["status", "--json"]).stdout).ok()?;
        let nodes = status["nodes"].as_array()?;
        let node = nodes.iter().find(|of| of["name"] == node)?;
        (node["connected"] == true && node["pid"] != before).then_some(())
    });
}

/// Every metric that any shard wrote is in `metrics.jsonl` once, with its values.
pub fn no_metric_missing_or_doubled(rig: &Rig) {
    let (written, taken) = (event_lines(&rig.run_dir()), metric_lines(&rig.run_dir()));
    assert!(written.len() > 20, "{}", written.len());
    let missing: Vec<_> = written.keys().filter(|key| !taken.contains_key(*key)).collect();
    assert!(missing.is_empty(), "missing in metrics.jsonl: {missing:?}");
    assert_eq!(written, taken);
}

/// Every line of every log came to the watcher, and none twice in one life of the controller.
fn no_line_missing(rig: &Rig, watcher: &Watcher) {
    let shown: BTreeSet<(String, u64)> = watcher.deck.log.lines().map(|line| (line.shard.dir(), line.offset)).collect();
    assert_eq!(shown.len(), watcher.deck.log.lines().len(), "a line is shown twice");
    let mut all = 0;
    for id in watcher.deck.shards.keys() {
        let text = fs::read(rig.shard_dir(id).join("out.log")).unwrap();
        let mut offset = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            assert!(shown.contains(&(id.dir(), offset)), "{id}: the line at {offset} is missing");
            offset += line.len() as u64;
            all += 1;
        }
    }
    assert_eq!(all, shown.len());
}

#[test]
fn sigkill_of_agents_controller_and_consoles_loses_no_process_no_line_no_metric() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    let shards = rig.shards();
    let mut watcher = Watcher::new(rig.home().join("controller.sock"));
    watcher.follow(Duration::from_millis(300)).unwrap();
    for round in 0..3 {
        for node in ["node1", "node0"] {
            let agent = rig.agent(node);
            signal(agent, "-9");
            back(&rig, node, agent);
            assert_eq!(rig.shards(), shards, "round {round}: the same processes, adopted");
            let _ = watcher.follow(Duration::from_millis(200));
        }
        // A console that is killed takes nothing along.
        let mut console = rig.command(&["attach", "--headless"]).spawn().unwrap();
        rig.rollouts(1);
        console.kill().unwrap();
        console.wait().unwrap();
        assert_eq!(rig.status()["alerts"], serde_json::json!([]), "round {round}: all is well again");
    }
    // All at once.
    let agents = [rig.agent("node0"), rig.agent("node1")];
    agents.iter().for_each(|pid| signal(*pid, "-9"));
    back(&rig, "node0", agents[0]);
    back(&rig, "node1", agents[1]);
    assert_eq!(rig.shards(), shards);
    rig.rollouts(3);
    rig.ok(&["stop"]);
    // A watcher whose controller is gone gets the full state of the new one; what it shows then is complete.
    let _ = watcher.follow(Duration::from_millis(500));
    no_line_missing(&rig, &watcher);
    no_metric_missing_or_doubled(&rig);
    // The command line reads the same bytes that the shards wrote.
    for (label, _) in shards {
        let printed = rig.ok(&["logs", &label]);
        let id = ShardId::from_dir(&format!("attempt-1/{label}")).unwrap();
        assert_eq!(printed, fs::read_to_string(rig.shard_dir(&id).join("out.log")).unwrap());
    }
}

#[test]
fn a_console_that_comes_back_goes_on_without_gap_or_repeat() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    let mut watcher = Watcher::new(rig.home().join("controller.sock"));
    for _ in 0..5 {
        watcher.follow(Duration::from_millis(300)).unwrap();
        rig.rollouts(1);
    }
    assert_eq!(watcher.resets, 1, "one full state, then deltas only");
    let unique: BTreeSet<_> = watcher.lines.iter().collect();
    assert_eq!(unique.len(), watcher.lines.len());
    rig.ok(&["stop"]);
    watcher.follow(Duration::from_millis(300)).unwrap();
    no_line_missing(&rig, &watcher);
}

#[test]
fn a_rollout_shard_that_is_killed_is_named_and_replaced_without_operator() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    let (killed, begun) = (rig.pid("rollout-1"), Instant::now());
    signal(killed, "-9");
    rig.until("the run says so and names it", Duration::from_secs(3), |rig| {
        let alerts = rig.status()["alerts"].to_string();
        (alerts.contains("rollout-1 on node1 killed (SIGKILL)")).then_some(())
    });
    println!("named after {:?}", begun.elapsed());
    rig.until("another has taken its place", Duration::from_secs(5), |rig| {
        rig.shards().iter().any(|(name, _)| name == "rollout-1~1").then_some(())
    });
    rig.rollouts(2);
    assert_eq!(rig.status()["attempt"], 1, "the attempt went on");
    // The same with a part of the shard's machinery: its shim.
    let shim = fs::read_to_string(rig.run_dir().join("attempt-1/rollout-0/pid.json")).unwrap();
    let shim: serde_json::Value = serde_json::from_str(&shim).unwrap();
    signal(shim["shim"].as_u64().unwrap() as u32, "-9");
    rig.rollouts(2);
    let shard = rig.pid("rollout-0");
    signal(shard, "-9");
    rig.until("nobody saw how it ended, and the run says so", Duration::from_secs(3), |rig| {
        rig.status()["alerts"].to_string().contains("rollout-0 on node0 gone, and nobody saw how").then_some(())
    });
    rig.rollouts(2);
}

#[test]
fn a_trainer_that_is_killed_goes_on_from_the_last_checkpoint_without_operator() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    rig.rollouts(7);
    signal(rig.pid("trainer"), "-9");
    let from = rig.until("the next attempt runs", Duration::from_secs(30), |rig| {
        let status = rig.status();
        (status["attempt"] == 2 && status["state"] == "running").then(|| status["checkpoint"].as_u64().unwrap())
    });
    rig.rollouts(2);
    let lines = fs::read_to_string(rig.run_dir().join("metrics.jsonl")).unwrap();
    let first = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let first = first.filter(|line| line["shard"]["attempt"] == 2).find_map(|line| line["rollout"].as_u64()).unwrap();
    assert!(first <= from + 1, "attempt 2 began with rollout {first}, the checkpoint is of {from}");
    assert!(rig.status()["alerts"].as_array().unwrap().is_empty(), "{}", rig.status()["alerts"]);
}

#[test]
fn a_restart_goes_on_with_the_next_rollout_within_two_seconds() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    rig.rollouts(3);
    let begun = Instant::now();
    rig.ok(&["restart", "--no-wait"]);
    rig.until("a rollout of attempt 2", BACK, |rig| {
        let lines = fs::read_to_string(rig.run_dir().join("metrics.jsonl")).ok()?;
        lines.lines().rev().take(3).any(|line| line.contains("\"attempt\":2")).then_some(())
    });
    println!("from the request to the first metrics of the next attempt: {:?}", begun.elapsed());
    rig.rollouts(3);
    rig.ok(&["stop"]);
    // Each rollout was trained once, in order.
    let lines = fs::read_to_string(rig.run_dir().join("metrics.jsonl")).unwrap();
    let trained: Vec<u64> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["values"].get("perf/step_time").is_some())
        .map(|line| line["rollout"].as_u64().unwrap())
        .collect();
    assert_eq!(trained, (0..trained.len() as u64).collect::<Vec<_>>());
    no_metric_missing_or_doubled(&rig);
}

#[test]
fn a_journal_that_was_cut_off_is_taken_up_again() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    rig.ok(&["stop"]);
    rig.ok(&["down"]);
    let journal = rig.run_dir().join("journal.jsonl");
    let text = fs::read(&journal).unwrap();
    fs::write(&journal, [&text[..], b"{\"seq\":99,\"at\":1,\"wh"].concat()).unwrap();
    let mut console = rig.command(&["agent", "--controller"]).spawn().unwrap();
    rig.until("the controller is up, with its own agent", BACK, |rig| {
        let output = rig.output(&["status"]);
        String::from_utf8_lossy(&output.stdout).contains("node0      connected").then_some(())
    });
    let status = rig.status();
    assert_eq!((&status["state"], &status["attempt"]), (&"stopped".into(), &1.into()));
    assert_eq!(fs::read(&journal).unwrap()[..text.len()], text[..]);
    rig.ok(&["launch"]);
    assert_eq!(rig.status()["attempt"], 2);
    rig.ok(&["down", "--stop"]);
    console.wait().unwrap();
}
