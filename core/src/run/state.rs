use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{Entry, Fact, Outcome};
use crate::{
    argument,
    job::Job,
    shard::{Event, Millis, Report, Role, Severity, ShardId},
};

/// Answers to so many requests are remembered.
const KEPT_ANSWERS: usize = 256;
/// So many notices of an attempt are remembered; the journal holds all.
const KEPT_NOTICES: usize = 100;

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// There is none.
    #[default]
    Idle,
    /// Data and cold start are made.
    Preparing,
    /// Shards are starting.
    Starting,
    /// Training.
    Running,
    /// Shards are ending.
    Stopping,
    /// Ended by an operator; can be launched again.
    Stopped,
    /// Ended by a fault; can be launched again.
    Failed,
    /// Trained to its end.
    Finished,
}

impl State {
    /// All of them.
    pub const ALL: [State; 8] = [
        State::Idle,
        State::Preparing,
        State::Starting,
        State::Running,
        State::Stopping,
        State::Stopped,
        State::Failed,
        State::Finished,
    ];

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            State::Idle => "idle",
            State::Preparing => "preparing",
            State::Starting => "starting",
            State::Running => "running",
            State::Stopping => "stopping",
            State::Stopped => "stopped",
            State::Failed => "failed",
            State::Finished => "finished",
        }
    }

    /// Processes run, or are about to.
    pub fn alive(self) -> bool {
        matches!(self, State::Preparing | State::Starting | State::Running | State::Stopping)
    }
}

/// How a shard is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShardState {
    /// Its agent was told to start it.
    Starting,
    /// Its process runs.
    Running,
    /// Its agent was told to stop it.
    Stopping,
    /// It ended by itself with this status, or could not be started.
    Exited {
        /// Exit status; `None` when it never ran.
        code: Option<i32>,
        /// Why it never ran.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        error: String,
    },
    /// A signal ended it.
    Killed {
        /// Its number.
        signal: i32,
    },
    /// It is gone and nobody saw how.
    Lost,
}

impl ShardState {
    /// A process of it may still run.
    pub fn alive(&self) -> bool {
        matches!(self, ShardState::Starting | ShardState::Running | ShardState::Stopping)
    }

    /// It ended other than by exit status 0.
    pub fn unexpected(&self) -> bool {
        !self.alive() && *self != ShardState::Exited { code: Some(0), error: String::new() }
    }
}

impl fmt::Display for ShardState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShardState::Starting => f.write_str("starting"),
            ShardState::Running => f.write_str("running"),
            ShardState::Stopping => f.write_str("stopping"),
            ShardState::Exited { code: Some(code), .. } => write!(f, "exited with status {code}"),
            ShardState::Exited { code: None, error } => write!(f, "could not be started: {error}"),
            ShardState::Killed { signal: 9 } => f.write_str("killed (SIGKILL)"),
            ShardState::Killed { signal: 15 } => f.write_str("ended (SIGTERM)"),
            ShardState::Killed { signal } => write!(f, "ended by signal {signal}"),
            ShardState::Lost => f.write_str("gone, and nobody saw how"),
        }
    }
}

/// What follows when nothing runs any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// Nothing: stopped.
    #[default]
    Stop,
    /// The next attempt.
    Restart,
    /// Nothing: failed.
    Fail,
    /// Nothing: finished.
    Finish,
}

/// A shard as the controller tracks it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracked {
    /// What it does.
    pub role: Role,
    /// Its rank.
    pub rank: u32,
    /// Where it runs.
    pub node: String,
    /// How it is.
    pub state: ShardState,
    /// Process id.
    pub pid: u32,
    /// It has said that it is ready.
    pub ready: bool,
    /// It has ended because it was asked to.
    pub asked: bool,
    /// In this state since.
    pub since: Millis,
}

/// The newest complete checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// When its shard said so.
    pub said: Millis,
    /// The last rollout in it.
    pub rollout: u64,
    /// Where.
    pub path: String,
    /// Size.
    pub bytes: u64,
}

/// Live changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuning {
    /// Of the last change.
    pub version: u64,
    /// Name to the last version that was acknowledged for it, or refused, or that an attempt started with.
    pub acknowledged: BTreeMap<String, u64>,
    /// For what sampling and training change together, of that version: the first rollout that is sampled with it.
    pub from: BTreeMap<String, u64>,
    /// Everything that differs from the job, with the version that brought it.
    pub set: BTreeMap<String, (String, u64)>,
    /// What the trainer refused last, and why.
    pub refused: BTreeMap<String, String>,
    /// The last version when the present attempt began: changes up to it are in its `argv`.
    pub at_attempt: u64,
    /// What was in force before the changes that are not yet.
    pub before: BTreeMap<String, String>,
}

impl Tuning {
    /// Its last change was acknowledged or refused.
    pub fn answered(&self, name: &str) -> bool {
        let asked = self.set.get(name).map_or(0, |(_, version)| *version);
        self.acknowledged.get(name).is_some_and(|version| *version >= asked)
    }

    /// Something of this acknowledgement is news.
    pub(super) fn is_news<'a>(&self, version: u64, names: impl IntoIterator<Item = &'a String>) -> bool {
        names.into_iter().any(|name| self.acknowledged.get(name).is_none_or(|known| *known < version))
    }

    /// Processes start with all that was asked for.
    fn begin(&mut self) {
        self.acknowledged = self.set.iter().map(|(name, (_, version))| (name.clone(), *version)).collect();
        self.from.clear();
        self.at_attempt = self.version;
        self.refused.clear();
        self.before.clear();
    }
}

/// The state of the controller. Changes by [`Run::apply`] alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The controller's home; not journalled.
    pub home: String,
    /// Directory name under `runs/`; empty when idle.
    pub id: String,
    /// The job.
    pub job: Option<Job>,
    /// Where it stands.
    pub state: State,
    /// Why.
    pub reason: String,
    /// What follows a stop.
    pub then: Intent,
    /// When an attempt may start, at the earliest.
    pub until: Millis,
    /// In this state since.
    pub since: Millis,
    /// When it was launched.
    pub launched: Millis,
    /// The nodes that the attempt uses, in rank order.
    pub hosts: Vec<String>,
    /// Counts from 1.
    pub attempt: u32,
    /// All shards of all attempts.
    pub shards: BTreeMap<ShardId, Tracked>,
    /// Nodes, and whether their stream is open.
    pub nodes: BTreeMap<String, bool>,
    /// The checkpoint that the next attempt goes on from: the newest, or the one that an operator has chosen.
    pub checkpoint: Option<Checkpoint>,
    /// All that were seen, by the last rollout in them.
    pub checkpoints: BTreeMap<u64, Checkpoint>,
    /// An operator has chosen [`Run::checkpoint`], and nothing newer has been saved since.
    pub chosen: bool,
    /// The present attempt has taken an optimizer step; not journalled, as `metrics.jsonl` says it.
    pub progressed: bool,
    /// So many attempts before this one, one after the other, have ended without a step.
    pub barren: u32,
    /// What Ray asks of everybody who speaks to it; not journalled.
    pub secret: String,
    /// The last rollout trained; not journalled.
    pub rollout: Option<u64>,
    /// The last optimizer step; not journalled.
    pub step: Option<u64>,
    /// Live changes.
    pub tuning: Tuning,
    /// When attempts were given up to be restarted by policy.
    pub restarts: Vec<Millis>,
    /// The last that shards of this attempt had to say: when, who, how bad, what.
    pub notices: VecDeque<(Millis, ShardId, Severity, String)>,
    /// What the controller itself cannot do, since when, in words; not journalled.
    pub troubles: BTreeMap<String, (Millis, String)>,
    /// The trainer has come to the end.
    pub finished: bool,
    /// Answers given, for requests that come twice.
    pub answers: VecDeque<(String, Outcome)>,
    /// Of the last journal entry.
    pub seq: u64,
}

impl Run {
    /// The only way in which a run changes.
    pub fn apply(&mut self, entry: &Entry) {
        self.seq = entry.seq;
        let at = entry.at;
        match entry.fact.clone() {
            Fact::Launched { run, job } => {
                let (connected, answers) = (std::mem::take(&mut self.nodes), std::mem::take(&mut self.answers));
                *self = Run {
                    home: std::mem::take(&mut self.home),
                    secret: std::mem::take(&mut self.secret),
                    id: run,
                    job: Job::read(&job, "job.toml", &|_| None).ok().map(|(job, _)| job),
                    // Its first attempt follows; when the controller dies in between, it is there to be launched.
                    state: State::Stopped,
                    launched: at,
                    since: at,
                    nodes: connected,
                    answers,
                    seq: entry.seq,
                    ..Run::default()
                };
            }
            Fact::Answered { id, accepted, text, tune, .. } => {
                while self.answers.len() >= KEPT_ANSWERS {
                    self.answers.pop_front();
                }
                self.answers.push_back((id, Outcome { accepted, text, tune }));
            }
            Fact::Attempt { attempt, nodes, reason, from, barren } => {
                (self.state, self.reason, self.since) = (State::Preparing, reason, at);
                self.chosen = from.is_some() && from < self.checkpoints.keys().next_back().copied();
                if let Some(chosen) = from.and_then(|from| self.checkpoints.get(&from)) {
                    self.checkpoint = Some(chosen.clone());
                }
                (self.barren, self.progressed) = (barren, false);
                self.hosts = nodes;
                self.attempt = attempt;
                self.finished = false;
                self.notices.clear();
                self.tuning.begin();
            }
            Fact::State { state, reason, then, until } => {
                if state == State::Starting {
                    self.tuning.begin();
                }
                if then == Intent::Restart && until > 0 {
                    self.restarts.push(at);
                }
                (self.state, self.reason, self.then, self.until, self.since) = (state, reason, then, until, at);
            }
            Fact::Shard { id, role, rank, node, state, pid, asked } => {
                let ready = self.shards.get(&id).is_some_and(|shard| shard.ready);
                self.shards.insert(id, Tracked { role, rank, node, state, pid, ready, asked, since: at });
            }
            Fact::Ready { id } => {
                if let Some(shard) = self.shards.get_mut(&id) {
                    shard.ready = true;
                }
            }
            Fact::Node { node, connected } => {
                self.nodes.insert(node, connected);
            }
            Fact::Tune { version, set } => {
                self.tuning.version = version;
                for (name, value) in set {
                    self.tuning.refused.remove(&name);
                    // It names the first rollout of the value before.
                    self.tuning.from.remove(&name);
                    if let Some((old, _)) = self.tuning.set.get(&name) {
                        self.tuning.before.entry(name.clone()).or_insert_with(|| old.clone());
                    }
                    self.tuning.set.insert(name, (value, version));
                }
            }
            Fact::Tuned { version, rollout, set, refused, .. } => {
                let tuning = &mut self.tuning;
                let mut names: Vec<String> = set.into_keys().chain(refused.keys().cloned()).collect();
                // What was set anew since is not what was acknowledged or refused.
                names.retain(|name| tuning.set.get(name).is_none_or(|(_, of)| *of <= version));
                for name in names {
                    tuning.acknowledged.insert(name.clone(), version);
                    tuning.before.remove(&name);
                    if argument::find(&name).is_some_and(|argument| argument.on_both_sides()) {
                        tuning.from.insert(name.clone(), rollout);
                    }
                    match refused.get(&name) {
                        Some(why) => {
                            tuning.set.remove(&name);
                            tuning.refused.insert(name, why.clone());
                        }
                        None => {
                            tuning.refused.remove(&name);
                        }
                    }
                }
            }
            Fact::Checkpoint { said, rollout, path, bytes } => {
                let checkpoint = Checkpoint { said, rollout, path, bytes };
                self.checkpoints.insert(rollout, checkpoint.clone());
                self.checkpoint = Some(checkpoint);
                self.chosen = false;
            }
            Fact::Chosen { rollout } => {
                if let Some(chosen) = self.checkpoints.get(&rollout) {
                    self.checkpoint = Some(chosen.clone());
                    self.chosen = self.checkpoints.keys().next_back() != Some(&rollout);
                }
            }
            Fact::Notice { id, said, severity, text } => {
                while self.notices.len() >= KEPT_NOTICES {
                    self.notices.pop_front();
                }
                self.notices.push_back((said, id, severity, text));
            }
            Fact::Finished { .. } => self.finished = true,
        }
    }

    /// Takes in how far the trainer is; that is not journalled, because `metrics.jsonl` holds it. A rollout counts when it has been
    /// trained on: then the trainer reports the time that all of it took.
    pub fn observe(&mut self, id: &ShardId, event: &Event) {
        if let Report::Metrics { rollout, step, values } = &event.report
            && self.shards.get(id).is_some_and(|shard| matches!(shard.role, Role::Trainer | Role::Ray))
        {
            self.step = step.or(self.step);
            self.progressed |= step.is_some() && id.attempt == self.attempt;
            if values.contains_key("perf/step_time") {
                self.rollout = Some(*rollout);
            }
        }
    }

    /// The shards of the present attempt.
    pub fn present(&self) -> impl Iterator<Item = (&ShardId, &Tracked)> {
        self.shards.iter().filter(|(id, _)| id.attempt == self.attempt)
    }

    /// The shard of the present attempt whose role leads.
    pub fn lead(&self) -> Option<(&ShardId, &Tracked)> {
        self.present().filter(|(_, shard)| shard.role.leads()).last()
    }

    /// Those living shards of the present attempt that read live changes: the trainer, or every node of Ray.
    pub fn tuned(&self) -> impl Iterator<Item = (&ShardId, &Tracked)> {
        self.present().filter(|(_, shard)| matches!(shard.role, Role::Trainer | Role::Ray) && shard.state.alive())
    }
}
