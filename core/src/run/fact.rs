use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Intent, ShardState, State};
use crate::shard::{Millis, Role, Severity, ShardId};

/// One line of `journal.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1 within the run.
    pub seq: u64,
    /// When.
    pub at: Millis,
    /// Who brought it about: `user@host`, a node, or `rldeck`.
    pub who: String,
    /// What.
    #[serde(flatten)]
    pub fact: Fact,
}

/// A change of the run's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case")]
pub enum Fact {
    /// A run begins. `job` is the job with nothing left to look up.
    Launched {
        /// Directory name under `runs/`.
        run: String,
        /// TOML.
        job: String,
    },
    /// A request was answered.
    Answered {
        /// Its id.
        id: String,
        /// The action, in a word.
        action: String,
        /// Whether it was taken on.
        accepted: bool,
        /// The answer.
        text: String,
        /// The tune version it made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tune: Option<u64>,
    },
    /// An attempt begins: the run is preparing.
    Attempt {
        /// Counts from 1.
        attempt: u32,
        /// The checkpoint it goes on from: the last rollout in it.
        from: Option<u64>,
        /// The nodes it uses, in rank order.
        nodes: Vec<String>,
        /// Why.
        reason: String,
        /// So many attempts before it, one after the other, ended without an optimizer step.
        #[serde(default)]
        barren: u32,
    },
    /// The run is somewhere else.
    State {
        /// Where.
        state: State,
        /// Why.
        reason: String,
        /// What is to follow once nothing runs any more.
        #[serde(default)]
        then: Intent,
        /// Not before.
        #[serde(default)]
        until: Millis,
    },
    /// A shard is somewhere else.
    Shard {
        /// Who.
        id: ShardId,
        /// What it does.
        role: Role,
        /// Its rank.
        rank: u32,
        /// Where it runs.
        node: String,
        /// How it is.
        state: ShardState,
        /// Process id.
        #[serde(default)]
        pid: u32,
        /// It has ended because it was asked to.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        asked: bool,
    },
    /// A shard has all it needs.
    Ready {
        /// Who.
        id: ShardId,
    },
    /// An agent came or went.
    Node {
        /// Which.
        node: String,
        /// Its stream is open.
        connected: bool,
    },
    /// Arguments are to change.
    Tune {
        /// Counts from 1.
        version: u64,
        /// What was asked for.
        set: BTreeMap<String, String>,
    },
    /// They have changed.
    Tuned {
        /// Of this version and all before.
        version: u64,
        /// First optimizer step.
        step: u64,
        /// First rollout.
        rollout: u64,
        /// What is in force with it: name to value.
        #[serde(default)]
        set: BTreeMap<String, String>,
        /// What could not be applied, and why.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        refused: BTreeMap<String, String>,
    },
    /// A checkpoint is complete.
    Checkpoint {
        /// When its shard said so.
        said: Millis,
        /// The last rollout in it.
        rollout: u64,
        /// Where.
        path: String,
        /// Size.
        bytes: u64,
    },
    /// An operator has chosen the checkpoint that the next attempt goes on from.
    Chosen {
        /// The last rollout in it.
        rollout: u64,
    },
    /// A shard has something to say.
    Notice {
        /// Who.
        id: ShardId,
        /// When it said so.
        said: Millis,
        /// How bad.
        severity: Severity,
        /// What.
        text: String,
    },
    /// The trainer has trained the last rollout.
    Finished {
        /// Its number.
        rollout: u64,
    },
}

impl Entry {
    /// The entry in words, for people.
    pub fn text(&self) -> String {
        match &self.fact {
            Fact::Launched { run, .. } => format!("run {run} launched"),
            Fact::Answered { action, accepted: true, text, .. } => format!("{action}: {text}"),
            Fact::Answered { action, text, .. } => format!("{action} refused: {text}"),
            Fact::Attempt { attempt, from, nodes, reason, .. } => {
                let from = from.map_or("from the start".to_owned(), |rollout| format!("after rollout {rollout}"));
                format!("attempt {attempt} begins on {}, {from}: {reason}", nodes.join(", "))
            }
            Fact::State { state, reason, .. } if reason.is_empty() => state.name().to_owned(),
            Fact::State { state, reason, .. } => format!("{}: {reason}", state.name()),
            Fact::Shard { id, node, state, pid, .. } => match pid {
                0 => format!("{} on {node}: {state}", id.label()),
                pid => format!("{} on {node} (pid {pid}): {state}", id.label()),
            },
            Fact::Ready { id } => format!("{} is ready", id.label()),
            Fact::Node { node, connected: true } => format!("{node} joined"),
            Fact::Node { node, connected: false } => format!("{node} is not heard any more; its shards go on"),
            Fact::Tune { version, set } => format!("change {version}: {}", pairs(set)),
            Fact::Tuned { version, step, rollout, set, refused } if refused.is_empty() => {
                let names: Vec<_> = set.keys().map(String::as_str).collect();
                let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
                format!("change {version}{names} in force from step {step} (rollout {rollout})")
            }
            Fact::Tuned { version, refused, .. } => format!("change {version} refused: {}", pairs(refused)),
            Fact::Checkpoint { rollout, path, bytes, .. } => {
                format!("checkpoint after rollout {rollout}: {path} ({:.1} MB)", *bytes as f64 / 1e6)
            }
            Fact::Chosen { rollout } => format!("the next attempt goes on after rollout {rollout}"),
            Fact::Notice { id, text, .. } => format!("{}: {text}", id.label()),
            Fact::Finished { rollout } => format!("finished with rollout {rollout}"),
        }
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match &self.fact {
            Fact::Notice { severity, .. } => *severity,
            Fact::State { state: State::Failed, .. } => Severity::Error,
            Fact::Shard { state, asked: false, .. } if state.unexpected() => Severity::Warning,
            Fact::Answered { accepted: false, .. } => Severity::Warning,
            Fact::Tuned { refused, .. } if !refused.is_empty() => Severity::Warning,
            Fact::Node { connected: false, .. } => Severity::Warning,
            _ => Severity::Info,
        }
    }
}

fn pairs(set: &BTreeMap<String, String>) -> String {
    set.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}
