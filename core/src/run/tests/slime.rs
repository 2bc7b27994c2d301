//! A run of slime: Ray on every host, then the driver; and what follows when one of them ends.

use super::*;
use crate::shard::MISCONFIGURED;

const HOSTS: [&str; 4] = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];
const ALL: [&str; 5] = ["driver", "ray-0", "ray-1", "ray-2", "ray-3"];

fn job() -> Action {
    let text = "recipe = \"qwen3-4b\"\n[cluster]\nhostfile = \"hosts\"\n".to_owned();
    let hosts = HOSTS.map(str::to_owned).into();
    Action::Launch { text, file: "job.toml".into(), vars: BTreeMap::new(), hosts }
}

/// Ray is up and the job runs.
fn running() -> Rig {
    let mut rig = Rig::new();
    rig.run.secret = "s3cret".into();
    for host in HOSTS {
        rig.input(Input::Joined { node: host.into(), shards: vec![] });
    }
    let outcome = rig.act(job());
    assert!(outcome.accepted, "{}", outcome.text);
    up(&mut rig);
    rig
}

fn up(rig: &mut Rig) {
    assert_eq!(rig.run.state, State::Starting);
    ALL.iter().for_each(|shard| rig.shard(shard, ShardState::Running));
    rig.event("driver", Report::Ready);
    assert_eq!(rig.run.state, State::Running);
}

/// A step was taken.
fn step_taken(rig: &mut Rig) {
    let values = [("train/loss".to_owned(), 0.1)].into();
    rig.event("ray-2", Report::Metrics { rollout: 3, step: Some(7), values });
}

#[test]
fn ray_starts_on_every_host_and_the_driver_beside_its_head() {
    let mut rig = running();
    let specs = rig.started();
    let placed: Vec<_> = specs.iter().map(|spec| (spec.id.name.as_str(), spec.node.as_str())).collect();
    assert_eq!(
        placed,
        [
            ("ray-0", "10.0.0.1"),
            ("ray-1", "10.0.0.2"),
            ("ray-2", "10.0.0.3"),
            ("ray-3", "10.0.0.4"),
            ("driver", "10.0.0.1")
        ]
    );
    let line = |at: usize| specs[at].argv.join(" ");
    assert!(line(0).starts_with("rldeck ray node --scratch /tmp/rldeck-"), "{}", line(0));
    assert!(line(0).contains(" -- ray start --head --node-ip-address 10.0.0.1 --num-gpus 8"), "{}", line(0));
    assert!(line(1).contains(" --after 10.0.0.1:6379 -- ray start --address=10.0.0.1:6379 "), "{}", line(1));
    // Each node has a directory of its own, and the command says the same one as the spec.
    for spec in &specs[..4] {
        assert!(spec.argv.contains(&format!("--temp-dir={}", spec.scratch.clone().unwrap())));
        assert_eq!(spec.env["RAY_AUTH_TOKEN"], "s3cret");
    }
    assert!(!line(0).contains("s3cret") && !line(4).contains("s3cret"), "secrets stand in no argument");
    let nodes = specs[4].argv.windows(2).filter(|pair| pair[0] == "--node").map(|pair| pair[1].as_str());
    assert_eq!(nodes.collect::<Vec<_>>(), HOSTS);
    assert!(specs[4].env["RLDECK_JOB_ENV"].contains("${RLDECK_SHARD_DIR}:/root/Megatron-LM/"));
}

#[test]
fn a_host_without_agent_is_named_before_anything_starts() {
    let mut rig = Rig::new();
    rig.input(Input::Joined { node: "10.0.0.1".into(), shards: vec![] });
    let outcome = rig.act(job());
    assert!(!outcome.accepted);
    assert!(outcome.text.contains("no agent has joined from 10.0.0.2, 10.0.0.3, 10.0.0.4"), "{}", outcome.text);
    assert_eq!(rig.run.state, State::Idle);
}

#[test]
fn the_driver_takes_its_job_back_before_ray_ends() {
    let mut rig = running();
    rig.commands.clear();
    assert!(rig.act(Action::Stop).accepted);
    assert_eq!(rig.stopped(), ["driver"]);
    rig.shard("driver", EXITED);
    assert_eq!(rig.stopped(), ["ray-0", "ray-1", "ray-2", "ray-3"]);
    rig.all_end(&ALL[1..]);
    assert_eq!(rig.run.state, State::Stopped);
}

#[test]
fn a_driver_that_is_killed_finds_its_job_again() {
    let mut rig = running();
    rig.commands.clear();
    rig.shard("driver", KILLED);
    let again = rig.started();
    assert_eq!((again.len(), again[0].id.label().as_str()), (1, "driver~1"));
    let submission =
        |spec: &Spec| spec.argv[spec.argv.iter().position(|word| word == "--submission").unwrap() + 1].clone();
    assert_eq!(submission(&again[0]), format!("{}-1", rig.run.id));
    assert_eq!((rig.run.state, rig.run.attempt), (State::Running, 1));
}

#[test]
fn a_node_of_ray_that_ends_ends_the_attempt_and_is_named() {
    let mut rig = running();
    step_taken(&mut rig);
    rig.commands.clear();
    rig.shard("ray-1", ShardState::Exited { code: Some(1), error: String::new() });
    assert_eq!((rig.run.state, rig.run.then), (State::Stopping, Intent::Restart));
    assert!(rig.run.reason.starts_with("ray-1 on 10.0.0.2 exited with status 1"), "{}", rig.run.reason);
    rig.all_end(&["driver", "ray-0", "ray-2", "ray-3"]);
    rig.now += 60_000;
    rig.input(Input::Tick);
    assert_eq!((rig.run.state, rig.run.attempt), (State::Starting, 2));
}

#[test]
fn what_died_before_its_first_step_is_tried_once_more_and_no_oftener() {
    let mut rig = running();
    let fail = |rig: &mut Rig| {
        rig.shard("driver", ShardState::Exited { code: Some(1), error: String::new() });
        rig.all_end(&ALL[1..]);
        rig.now += 60_000;
        rig.input(Input::Tick);
    };
    fail(&mut rig);
    assert_eq!((rig.run.state, rig.run.attempt), (State::Starting, 2));
    up(&mut rig);
    fail(&mut rig);
    assert_eq!(rig.run.state, State::Failed);
    assert!(rig.run.reason.contains("not come to its first step"), "{}", rig.run.reason);
    // An attempt with progress counts anew.
    assert!(rig.act(Action::again()).accepted);
    up(&mut rig);
    step_taken(&mut rig);
    fail(&mut rig);
    assert_eq!((rig.run.state, rig.run.attempt), (State::Starting, 4));
}

#[test]
fn a_configuration_that_cannot_run_is_never_tried_again() {
    let mut rig = running();
    step_taken(&mut rig);
    let text = "the job has ended with status 1: the model arguments do not agree".to_owned();
    rig.event("driver", Report::Notice { severity: Severity::Error, text });
    rig.shard("driver", ShardState::Exited { code: Some(MISCONFIGURED), error: String::new() });
    rig.all_end(&ALL[1..]);
    assert_eq!(rig.run.state, State::Failed);
    assert!(rig.run.reason.contains("the model arguments do not agree"), "{}", rig.run.reason);
}

#[test]
fn a_job_that_has_done_its_work_ends_the_cluster() {
    let mut rig = running();
    rig.commands.clear();
    rig.event("driver", Report::Finished { rollout: 2999 });
    rig.shard("driver", EXITED);
    assert_eq!(rig.stopped(), ["ray-0", "ray-1", "ray-2", "ray-3"]);
    rig.all_end(&ALL[1..]);
    assert_eq!(rig.run.state, State::Finished);
}

#[test]
fn every_node_is_told_of_a_change_and_the_training_side_follows_the_sampling_side() {
    let mut rig = running();
    rig.commands.clear();
    let set: BTreeMap<_, _> = [("lr", "2e-6"), ("rollout-temperature", "0.9")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let outcome = rig.act(Action::Tune(set.clone()));
    assert!(outcome.accepted, "{}", outcome.text);
    let told = |rig: &mut Rig| -> Vec<(String, u64, BTreeMap<String, u64>)> {
        let tunes = rig.commands.drain(..).filter_map(|(node, command)| match command {
            Command::Tune { tune, .. } => Some((node, tune.version, tune.from)),
            _ => None,
        });
        tunes.collect()
    };
    assert_eq!(told(&mut rig).iter().map(|(node, ..)| node.as_str()).collect::<Vec<_>>(), HOSTS);
    let tuned = |rollout: u64, names: &[&str]| {
        let set = set.iter().filter(|(name, _)| names.contains(&name.as_str()));
        let set = set.map(|(name, value)| (name.clone(), value.clone())).collect();
        Report::Tuned { version: 1, step: rollout * 4, rollout, set, refused: BTreeMap::new() }
    };
    rig.event("ray-0", tuned(11, &["lr"]));
    assert!(rig.run.tuning.answered("lr") && !rig.run.tuning.answered("rollout-temperature"));
    assert!(told(&mut rig).is_empty());
    rig.event("ray-1", tuned(12, &["rollout-temperature"]));
    let relayed = told(&mut rig);
    assert_eq!(relayed.len(), 4);
    assert!(relayed.iter().all(|(_, version, from)| *version == 1 && from["rollout-temperature"] == 12));
    // The training side says so too: nothing new.
    let before = rig.run.seq;
    rig.event("ray-0", tuned(12, &["rollout-temperature"]));
    assert_eq!(rig.run.seq, before);
    // The next attempt starts with all of it, and Megatron is told to take the checkpoint's schedule.
    rig.event("ray-0", Report::Checkpoint { rollout: 19, path: "/s/iter_0000019".into(), bytes: 1 });
    rig.act(Action::Restart { from: None });
    rig.shard("driver", EXITED);
    rig.commands.clear();
    rig.all_end(&ALL[1..]);
    let tunes = rig.commands.iter().filter(|(_, command)| matches!(command, Command::Tune { .. })).count();
    assert_eq!(tunes, 4);
    let specs = rig.started();
    let entrypoint = specs[4].argv.join(" ");
    for part in [" --lr 2e-6 ", " --rollout-temperature 0.9 ", " --use-checkpoint-opt_param-scheduler"] {
        assert!(entrypoint.contains(part), "{part}: {entrypoint}");
    }
    assert!(!entrypoint.contains("--ckpt-step"));
}

#[test]
fn a_chosen_checkpoint_holds_until_a_newer_one_is_saved() {
    let mut rig = running();
    for rollout in [19, 39] {
        let path = format!("/s/iter_{rollout:07}");
        rig.event("ray-0", Report::Checkpoint { rollout, path, bytes: 1 });
    }
    let refused = rig.act(Action::Restart { from: Some(20) });
    assert!(!refused.accepted && refused.text.contains("there are 19, 39"), "{}", refused.text);
    assert_eq!(rig.run.state, State::Running, "a refused choice stops nothing");
    let marked = |rig: &Rig| -> Vec<(u64, bool)> {
        let checkpoints = rig.run.show(&Deck::default()).into_iter().filter_map(|change| match change {
            Change::Checkpoint(checkpoint) => Some((checkpoint.rollout, checkpoint.chosen)),
            _ => None,
        });
        checkpoints.collect()
    };
    assert_eq!(marked(&rig), [(19, false), (39, true)]);
    assert!(rig.act(Action::Restart { from: Some(19) }).accepted);
    let next = |rig: &mut Rig| {
        let label = if rig.run.state == State::Stopping { "driver" } else { "" };
        rig.shard(label, EXITED);
        rig.commands.clear();
        rig.all_end(&ALL[1..]);
        rig.now += 60_000;
        rig.input(Input::Tick);
        rig.started().pop().unwrap().argv.join(" ")
    };
    assert!(next(&mut rig).contains("--ckpt-step 19"));
    assert_eq!(marked(&rig), [(19, true), (39, false)]);
    // The driver of the new attempt sees both on the disk: that is no news.
    for rollout in [19, 39] {
        let path = format!("/s/iter_{rollout:07}");
        rig.event("driver", Report::Checkpoint { rollout, path, bytes: 1 });
    }
    assert_eq!(rig.run.checkpoint.as_ref().unwrap().rollout, 19);
    up(&mut rig);
    rig.act(Action::Restart { from: None });
    assert!(next(&mut rig).contains("--ckpt-step 19"), "nothing newer has been saved");
    up(&mut rig);
    rig.event("ray-0", Report::Checkpoint { rollout: 39, path: "/s/iter_0000039".into(), bytes: 1 });
    rig.act(Action::Restart { from: None });
    assert!(!next(&mut rig).contains("--ckpt-step"));
}

#[test]
fn a_node_that_is_away_is_waited_for() {
    let mut rig = running();
    rig.act(Action::Restart { from: None });
    rig.input(Input::Left { node: "10.0.0.3".into() });
    rig.shard("driver", EXITED);
    rig.all_end(&ALL[1..]);
    rig.now += 600_000;
    rig.input(Input::Tick);
    assert_eq!((rig.run.state, rig.run.attempt), (State::Stopping, 1), "slime's layout counts on every node");
    rig.input(Input::Joined { node: "10.0.0.3".into(), shards: vec![] });
    assert_eq!((rig.run.state, rig.run.attempt), (State::Starting, 2));
}

#[test]
fn hosts_that_the_layout_does_not_fit_are_refused_with_the_numbers() {
    let mut rig = Rig::new();
    let Action::Launch { text, file, vars, hosts } = job() else { unreachable!() };
    let outcome = rig.act(Action::Launch { text, file, vars, hosts: hosts[..3].to_vec() });
    assert!(!outcome.accepted && outcome.text.contains("error[batch.data-parallel]"), "{}", outcome.text);
}
