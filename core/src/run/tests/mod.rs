use std::collections::BTreeMap;

use super::*;

mod slime;
use crate::{
    deck::{Change, Deck},
    job::Job,
    shard::{Event, Millis, Report, Role, Severity, ShardId, Spec},
};

/// A run that is driven by hand; what it decides is kept.
struct Rig {
    run: Run,
    now: Millis,
    journal: Vec<Entry>,
    commands: Vec<(String, Command)>,
    answers: Vec<Outcome>,
    asked: u32,
}

impl Rig {
    fn new() -> Rig {
        let run = Run { home: "/h".into(), ..Run::default() };
        let mut rig = Rig { run, now: 1_795_458_600_000, journal: vec![], commands: vec![], answers: vec![], asked: 0 };
        for node in ["node0", "node1"] {
            rig.input(Input::Joined { node: node.into(), shards: vec![] });
        }
        rig
    }

    fn input(&mut self, input: Input) {
        self.now += 10;
        for effect in step(&mut self.run, self.now, input) {
            match effect {
                Effect::Journal(entry) => self.journal.push(entry),
                Effect::Command { node, command } => self.commands.push((node, command)),
                Effect::Answer { outcome, .. } => self.answers.push(outcome),
            }
        }
    }

    fn act(&mut self, action: Action) -> Outcome {
        self.asked += 1;
        self.input(Input::Act(Request { id: format!("a{}", self.asked), who: "me@here".into(), action }));
        self.answers.pop().unwrap()
    }

    fn launch(&mut self) -> Outcome {
        let (text, file) = ("recipe = \"r1-mini\"\n".to_owned(), "r1-mini".to_owned());
        self.act(Action::Launch { text, file, vars: BTreeMap::new(), hosts: vec![] })
    }

    fn started(&mut self) -> Vec<Spec> {
        let starts = self.commands.drain(..).filter_map(|(_, command)| match command {
            Command::Start(spec) => Some(spec),
            _ => None,
        });
        starts.collect()
    }

    fn stopped(&mut self) -> Vec<String> {
        let stops = self.commands.drain(..).filter_map(|(_, command)| match command {
            Command::Stop { id, .. } => Some(id.label()),
            _ => None,
        });
        stops.collect()
    }

    fn shard(&mut self, label: &str, state: ShardState) {
        let id = self.id(label);
        self.input(Input::Shard(ShardReport { id, state, pid: 7 }));
    }

    fn event(&mut self, label: &str, report: Report) {
        let (id, at) = (self.id(label), self.now);
        self.input(Input::Event { id, event: Event { at, report } });
    }

    fn id(&self, label: &str) -> ShardId {
        ShardId::from_dir(&format!("attempt-{}/{label}", self.run.attempt)).unwrap()
    }

    /// Launched, prepared and running.
    fn running() -> Rig {
        let mut rig = Rig::new();
        assert!(rig.launch().accepted);
        rig.prepared();
        rig.up();
        rig
    }

    fn prepared(&mut self) {
        self.commands.clear();
        self.shard("prepare", ShardState::Running);
        self.shard("prepare", EXITED);
        assert_eq!(self.run.state, State::Starting);
    }

    fn up(&mut self) {
        for shard in ["trainer", "rollout-0", "rollout-1"] {
            self.shard(shard, ShardState::Running);
            self.event(shard, Report::Ready);
        }
        assert_eq!(self.run.state, State::Running);
        self.commands.clear();
    }

    fn all_end(&mut self, labels: &[&str]) {
        labels.iter().for_each(|label| self.shard(label, EXITED));
    }
}

const EXITED: ShardState = ShardState::Exited { code: Some(0), error: String::new() };
const KILLED: ShardState = ShardState::Killed { signal: 9 };

fn tune(name: &str, value: &str) -> Action {
    Action::Tune([(name.to_owned(), value.to_owned())].into())
}

#[test]
fn a_launch_prepares_then_starts_one_trainer_and_two_rollout_shards_on_two_nodes() {
    let mut rig = Rig::new();
    let outcome = rig.launch();
    assert!(outcome.accepted, "{}", outcome.text);
    let prepare = rig.started();
    assert_eq!(prepare.len(), 1);
    assert_eq!((prepare[0].role, rig.run.state), (Role::Prepare, State::Preparing));
    rig.shard("prepare", EXITED);
    let specs = rig.started();
    let placed: Vec<_> = specs.iter().map(|spec| (spec.id.name.as_str(), spec.node.as_str())).collect();
    assert_eq!(placed, [("trainer", "node0"), ("rollout-0", "node0"), ("rollout-1", "node1")]);
    assert_eq!(specs[0].argv[..3], ["rldeck", "engine", "trainer"]);
    assert!(specs.iter().all(|spec| specs.iter().filter(|other| other.nonce == spec.nonce).count() == 1));
    rig.up();
}

#[test]
fn the_journal_alone_gives_the_same_state_again() {
    let mut rig = Rig::running();
    rig.event("trainer", Report::Checkpoint { rollout: 9, path: "c".into(), bytes: 1 });
    rig.act(tune("lr", "0"));
    rig.act(Action::Restart { from: None });
    rig.all_end(&["trainer", "rollout-0", "rollout-1"]);
    let mut again = Run { home: "/h".into(), ..Run::default() };
    let lines: Vec<String> = rig.journal.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    lines.iter().for_each(|line| again.apply(&serde_json::from_str(line).unwrap()));
    assert_eq!(again, rig.run);
}

#[test]
fn a_restart_stops_all_then_starts_the_next_attempt_from_the_checkpoint() {
    let mut rig = Rig::running();
    rig.event("trainer", Report::Checkpoint { rollout: 9, path: "c".into(), bytes: 1 });
    assert!(rig.act(Action::Restart { from: None }).accepted);
    assert_eq!(rig.stopped(), ["rollout-0", "rollout-1", "trainer"]);
    rig.shard("rollout-0", KILLED);
    rig.shard("rollout-1", EXITED);
    assert_eq!(rig.run.state, State::Stopping, "one still runs");
    // On its way out the trainer saves what it has.
    rig.event("trainer", Report::Checkpoint { rollout: 12, path: "d".into(), bytes: 1 });
    rig.shard("trainer", EXITED);
    assert_eq!((rig.run.state, rig.run.attempt), (State::Preparing, 2));
    rig.prepared();
    assert_eq!(rig.started().len(), 3);
    assert!(rig.journal.iter().any(|entry| matches!(entry.fact, Fact::Attempt { attempt: 2, from: Some(12), .. })));
    assert!(rig.run.restarts.is_empty(), "what was asked for is not counted against the policy");
    rig.up();
}

#[test]
fn a_request_that_comes_twice_acts_once() {
    let mut rig = Rig::running();
    let request = Request { id: "same".into(), who: "me".into(), action: Action::Restart { from: None } };
    rig.input(Input::Act(request.clone()));
    let stops = rig.stopped().len();
    rig.input(Input::Act(request));
    assert_eq!((stops, rig.stopped().len()), (3, 0));
    assert_eq!(rig.answers[0], rig.answers[1]);
}

#[test]
fn a_rollout_shard_that_dies_is_named_and_started_again_in_place() {
    let mut rig = Rig::running();
    rig.shard("rollout-1", KILLED);
    let again = rig.started();
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].id.label(), rig.run.state), ("rollout-1~1".to_owned(), State::Running));
    let alerts = rig.run.show(&Default::default());
    assert!(alerts.iter().any(|change| matches!(change, crate::deck::Change::Raise(alert)
        if alert.text.contains("rollout-1") && alert.text.contains("SIGKILL"))));
}

#[test]
fn a_shard_that_dies_again_and_again_ends_in_failure_not_in_a_loop() {
    let mut rig = Rig::running();
    let mut deaths = 0;
    while rig.run.state != State::Failed && deaths < 100 {
        let alive: Vec<_> =
            rig.run.present().filter(|(_, shard)| shard.state.alive()).map(|(id, _)| id.label()).collect();
        for label in alive {
            rig.shard(&label, KILLED);
            deaths += 1;
        }
        rig.now += 1000;
        rig.input(Input::Tick);
    }
    assert_eq!(rig.run.state, State::Failed);
    assert!(rig.run.reason.contains("no restart is left"), "{}", rig.run.reason);
    assert!(rig.act(Action::again()).accepted);
    assert_eq!(rig.run.state, State::Preparing, "an operator may try again");
}

#[test]
fn a_trainer_that_dies_is_restarted_after_a_pause() {
    let mut rig = Rig::running();
    rig.shard("trainer", KILLED);
    assert_eq!(rig.run.state, State::Stopping);
    rig.all_end(&["rollout-0", "rollout-1"]);
    assert_eq!(rig.run.state, State::Stopping, "the pause");
    rig.now += 60_000;
    rig.input(Input::Tick);
    assert_eq!((rig.run.state, rig.run.attempt), (State::Preparing, 2));
}

#[test]
fn the_end_of_training_ends_the_run() {
    let mut rig = Rig::running();
    rig.event("trainer", Report::Finished { rollout: 299 });
    rig.shard("trainer", EXITED);
    assert_eq!(rig.stopped(), ["rollout-0", "rollout-1"]);
    rig.all_end(&["rollout-0", "rollout-1"]);
    assert_eq!(rig.run.state, State::Finished);
    assert!(!rig.act(Action::Restart { from: None }).accepted);
}

#[test]
fn an_agent_that_comes_back_is_told_what_it_missed() {
    let mut rig = Rig::running();
    rig.input(Input::Left { node: "node1".into() });
    assert_eq!(rig.run.state, State::Running, "its shards go on");
    // It held its shard: nothing happens.
    let id = rig.id("rollout-1");
    let report = ShardReport { id: id.clone(), state: ShardState::Running, pid: 7 };
    rig.input(Input::Joined { node: "node1".into(), shards: vec![report.clone()] });
    assert!(rig.commands.is_empty());
    // A stop was asked for while it was away.
    rig.input(Input::Left { node: "node1".into() });
    rig.act(Action::Stop);
    rig.commands.clear();
    rig.input(Input::Joined { node: "node1".into(), shards: vec![report] });
    assert_eq!(rig.stopped(), ["rollout-1"]);
    // It comes back without it: nobody saw how it ended.
    rig.input(Input::Joined { node: "node1".into(), shards: vec![] });
    assert_eq!(rig.run.shards[&id].state, ShardState::Lost);
}

#[test]
fn an_attempt_does_without_a_node_that_is_away() {
    let mut rig = Rig::running();
    rig.act(Action::Stop);
    rig.input(Input::Left { node: "node1".into() });
    rig.all_end(&["trainer", "rollout-0"]);
    assert_eq!(rig.run.state, State::Stopping, "nobody knows how the shard there is");
    let changes = rig.run.show(&Default::default());
    assert!(
        changes
            .iter()
            .any(|change| matches!(change, crate::deck::Change::Run(run) if run.reason.contains("waiting for node1")))
    );
    rig.shard("rollout-1", EXITED);
    assert_eq!(rig.run.state, State::Stopped);
    rig.commands.clear();
    rig.act(Action::again());
    assert!(rig.started().iter().all(|spec| spec.node == "node0"));
}

#[test]
fn a_start_that_got_lost_is_sent_again_and_an_orphan_is_stopped() {
    let mut rig = Rig::new();
    rig.launch();
    let first = rig.started();
    rig.input(Input::Joined { node: "node0".into(), shards: vec![] });
    assert_eq!(rig.started(), first, "the same spec, nonce and all");
    let id = ShardId { attempt: 9, name: "trainer".into(), life: 0 };
    let orphan = ShardReport { id, state: ShardState::Running, pid: 1 };
    rig.input(Input::Joined { node: "node1".into(), shards: vec![orphan] });
    assert_eq!(rig.stopped(), ["trainer"]);
}

#[test]
fn a_tune_is_pending_until_the_trainer_acknowledges_it() {
    let mut rig = Rig::running();
    let outcome = rig.act(tune("lr", "0"));
    assert_eq!((outcome.accepted, outcome.tune), (true, Some(1)));
    let Some((node, Command::Tune { tune: sent, .. })) = rig.commands.pop() else { panic!() };
    assert_eq!((node.as_str(), sent.version, sent.set["lr"].as_str()), ("node0", 1, "0"));
    let shown = |rig: &Rig| {
        let changes = rig.run.show(&Default::default());
        let setting = changes.into_iter().find_map(|change| match change {
            crate::deck::Change::Setting(setting) if setting.name == "lr" => Some(setting),
            _ => None,
        });
        setting.unwrap()
    };
    let before = shown(&rig);
    assert_eq!(before.pending.as_deref(), Some("0"));
    assert_ne!(before.value, "0");
    let (set, refused) = ([("lr".to_owned(), "0".to_owned())].into(), BTreeMap::new());
    rig.event("trainer", Report::Tuned { version: 1, step: 5, rollout: 2, set, refused });
    assert_eq!((shown(&rig).value.as_str(), shown(&rig).pending), ("0", None));
    // The next attempt starts with it.
    rig.act(Action::Restart { from: None });
    rig.all_end(&["rollout-0", "rollout-1", "trainer"]);
    rig.prepared();
    let argv = rig.started()[0].argv.join(" ");
    assert!(argv.contains("--lr 0"), "{argv}");
}

#[test]
fn what_needs_a_restart_waits_for_it_even_when_a_shard_is_started_again() {
    let mut rig = Rig::running();
    rig.act(tune("num-rollout", "77"));
    rig.shard("rollout-1", KILLED);
    let argv = |rig: &mut Rig| rig.started()[0].argv.join(" ");
    assert!(!argv(&mut rig).contains("--num-rollout 77"));
    assert_ne!(rig.run.num_rollout(), 77);
    rig.act(Action::Restart { from: None });
    rig.all_end(&["rollout-0", "rollout-1~1", "trainer"]);
    assert!(argv(&mut rig).contains("--num-rollout 77"));
}

#[test]
fn what_is_tuned_during_the_preparation_is_in_force_with_the_start() {
    let mut rig = Rig::new();
    rig.launch();
    rig.act(tune("lr", "0"));
    rig.prepared();
    assert!(rig.started()[0].argv.join(" ").contains("--lr 0"));
    assert!(rig.run.tuning.answered("lr"));
}

#[test]
fn a_controller_that_died_in_the_middle_of_a_step_goes_on_with_it() {
    let whole = {
        let mut rig = Rig::running();
        rig.act(Action::Restart { from: None });
        rig.all_end(&["rollout-0", "rollout-1", "trainer"]);
        rig.prepared();
        rig.up();
        rig.act(Action::Stop);
        rig.all_end(&["rollout-0", "rollout-1", "trainer"]);
        assert_eq!(rig.run.state, State::Stopped);
        rig.journal
    };
    // Cut off after any entry; all agents come back, and what is asked of them is done.
    for cut in 4..whole.len() {
        let mut rig = Rig::new();
        rig.run = Run { home: "/h".into(), ..Run::default() };
        whole[..cut].iter().for_each(|entry| rig.run.apply(entry));
        rig.run.nodes.values_mut().for_each(|connected| *connected = false);
        rig.input(Input::Tick);
        // What was sent before anybody was there is lost.
        rig.commands.clear();
        for node in ["node0", "node1"] {
            rig.input(Input::Joined { node: node.into(), shards: vec![] });
        }
        for _ in 0..200 {
            rig.now += 1000;
            rig.input(Input::Tick);
            for (_, command) in std::mem::take(&mut rig.commands) {
                let (id, state) = match command {
                    Command::Start(spec) if spec.role == Role::Prepare => (spec.id, EXITED),
                    Command::Start(spec) => (spec.id, ShardState::Running),
                    Command::Stop { id, .. } => (id, EXITED),
                    Command::Tune { .. } | Command::Sweep(_) => continue,
                };
                let ready = Event { at: rig.now, report: Report::Ready };
                rig.input(Input::Shard(ShardReport { id: id.clone(), state: state.clone(), pid: 1 }));
                if state.alive() {
                    rig.input(Input::Event { id, event: ready });
                }
            }
        }
        let settled = matches!(rig.run.state, State::Running | State::Stopped | State::Failed);
        assert!(settled, "cut after {:?}: {:?} {}", whole[cut - 1].fact, rig.run.state, rig.run.reason);
    }
}

#[test]
fn a_tune_that_makes_no_sense_is_refused_with_the_reason() {
    let mut rig = Rig::running();
    for (name, value, says) in [
        ("lrr", "1", "did you mean `lr`"),
        ("lr", "fast", "fast"),
        ("n-samples-per-prompt", "-1", "-1"),
        ("over-sampling-batch-size", "1", "rollout-batch-size"),
    ] {
        let outcome = rig.act(tune(name, value));
        assert!(!outcome.accepted && outcome.text.contains(says), "{name}={value}: {}", outcome.text);
    }
    assert!(rig.commands.is_empty());
}

#[test]
fn events_that_come_again_after_a_crash_change_nothing() {
    let mut rig = Rig::running();
    let notice = Report::Notice { severity: Severity::Warning, text: "careful".into() };
    let checkpoint = Report::Checkpoint { rollout: 3, path: "c".into(), bytes: 1 };
    let event = |report| Input::Event {
        id: ShardId { attempt: 1, name: "trainer".into(), life: 0 },
        event: Event { at: 5, report },
    };
    for _ in 0..2 {
        for report in [Report::Ready, notice.clone(), checkpoint.clone()] {
            rig.input(event(report));
        }
    }
    let facts = |of: fn(&Fact) -> bool| rig.journal.iter().filter(|entry| of(&entry.fact)).count();
    assert_eq!(facts(|fact| matches!(fact, Fact::Notice { .. })), 1);
    assert_eq!(facts(|fact| matches!(fact, Fact::Checkpoint { .. })), 1);
}

#[test]
fn a_bad_job_file_is_refused_with_its_line() {
    let mut rig = Rig::new();
    let text = "recipe = \"r1-mini\"\n[optimizer]\nlr = \"fast\"\n".to_owned();
    let outcome = rig.act(Action::Launch { text, file: "job.toml".into(), vars: BTreeMap::new(), hosts: vec![] });
    assert!(!outcome.accepted && outcome.text.contains("job.toml:3"), "{}", outcome.text);
    assert_eq!(rig.run.state, State::Idle);
}

#[test]
fn without_agents_nothing_is_launched() {
    let mut run = Run::default();
    let (text, file, vars) = ("recipe = \"r1-mini\"".into(), "x".into(), BTreeMap::new());
    let action = Action::Launch { text, file, vars, hosts: vec![] };
    let request = Request { id: "1".into(), who: "me".into(), action };
    let effects = step(&mut run, 1, Input::Act(request));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Answer { outcome, .. } if !outcome.accepted)));
}

#[test]
fn with_slime_its_own_arguments_are_shown_and_tuned() {
    let mut rig = Rig::running();
    let before = rig.run.show(&Deck::default()).len();
    rig.run.job = Job::from_recipe("deepseek-r1", &|_| None).ok().map(|(job, _)| job);
    let changes = rig.run.show(&Deck::default());
    assert!(changes.len() > before);
    let value = |wanted: &str| {
        changes.iter().find_map(|change| match change {
            Change::Setting(setting) if setting.name == wanted => Some(setting.value.clone()),
            _ => None,
        })
    };
    assert_eq!(value("balance-data").as_deref(), Some("true"));
    assert_eq!(value("tensor-model-parallel-size"), None);
    let mut tune = |name: &str, text: &str| rig.act(Action::Tune([(name.to_owned(), text.to_owned())].into()));
    assert_eq!(tune("adam-eps", "1e-7").text, "adam-eps = 1e-7 from the next step");
    let few = tune("sglang-server-concurrency", "512").text;
    assert!(few.starts_with("sglang-server-concurrency = 512 at the next rollout\nserver-concurrency is 512"), "{few}");
    assert!(tune("sglang-log-level", "warn").text.starts_with("sglang-log-level = warn at the restart"));
    assert!(!tune("cold-start-steps", "3").accepted);
}
