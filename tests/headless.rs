use std::{fs, time::Duration};

use crate::rig::{ENDLESS, Rig};

#[test]
fn without_a_terminal_there_is_one_plain_line_a_rollout() {
    let mut rig = Rig::new();
    let lines = rig.up(ENDLESS);
    rig.rollouts(5);
    rig.ok(&["stop"]);
    let text = rig.until("the lines end with the run", Duration::from_secs(5), |_| {
        let text = fs::read_to_string(&lines).unwrap();
        text.contains("# stopped").then_some(text)
    });
    let rollouts: Vec<&str> = text.lines().filter(|line| line.starts_with("rollout ")).collect();
    assert!(rollouts.len() >= 5, "{text}");
    for (number, line) in rollouts.iter().enumerate() {
        assert!(line.starts_with(&format!("rollout {number}/1000000 attempt 1 reward 0.")), "{line}");
    }
    assert!(!text.contains('\x1b'), "no colours in a file");
}

#[test]
fn scripts_get_json_from_every_command() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    let status = rig.status();
    assert_eq!(
        (&status["job"], &status["engine"], &status["state"]),
        (&"endless".into(), &"embedded".into(), &"running".into())
    );
    let placed: Vec<(&str, &str)> = status["shards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shard| (shard["name"].as_str().unwrap(), shard["node"].as_str().unwrap()))
        .collect();
    let expected = [("prepare", "node0"), ("rollout-0", "node0"), ("rollout-1", "node1"), ("trainer", "node0")];
    assert_eq!(placed, expected, "one trainer and two rollout shards on two agents");
    let json = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let held = rig.until("a checkpoint", Duration::from_secs(60), |rig| {
        let held = json(rig.ok(&["checkpoints", "--json"]));
        let last = held["checkpoints"].as_array().unwrap().last()?.clone();
        Some(last)
    });
    assert!(held["chosen"] == true && held["bytes"].as_u64() > Some(0), "{held}");
    assert!(rig.ok(&["checkpoints"]).contains("<- the next attempt goes on from here"));
    // Measured once a second.
    let trainer = rig.until("the trainer among the processes", Duration::from_secs(5), |rig| {
        let listed = json(rig.ok(&["processes", "--json"]));
        listed["processes"].as_array().unwrap().iter().find(|process| process["shard"] == "trainer").cloned()
    });
    assert!(trainer["pid"].is_u64() && trainer["foreign"] == false, "{trainer}");
    assert!(rig.refused(&["processes", "node7"]).contains("there is node0, node1"));
    for command in [&["tune", "lr=1e-4", "--json"][..], &["restart", "--json"], &["stop", "--json"]] {
        let reply: serde_json::Value = serde_json::from_str(&rig.ok(command)).unwrap();
        assert_eq!(reply["accepted"], true, "{command:?}: {reply}");
        assert!(reply["status"]["run"].is_string(), "{command:?}: {reply}");
    }
    let lines = rig.ok(&["logs", "trainer", "--json", "-n", "3"]);
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line["shard"] == "trainer" && line["attempt"] == 2));
    assert!(rig.refused(&["tune", "lrr=1"]).contains("did you mean `lr`"));
    assert!(rig.refused(&["logs", "trainr"]).contains("there are prepare, rollout-0, rollout-1, trainer"));
}

#[test]
fn a_console_that_is_closed_and_a_second_start_change_nothing() {
    let mut rig = Rig::new();
    rig.up(ENDLESS);
    let shards = rig.shards();
    // `rldeck` again finds the run and shows it.
    let mut again = rig.command(&["up", "--headless"]).spawn().unwrap();
    rig.rollouts(2);
    again.kill().unwrap();
    again.wait().unwrap();
    let said = rig.refused(&["up", "--headless", rig.write("other.toml", ENDLESS).to_str().unwrap()]);
    assert!(said.contains("is running; stop it first"), "{said}");
    rig.rollouts(2);
    assert_eq!(rig.shards(), shards);
}
