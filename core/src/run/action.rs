use std::collections::BTreeMap;

use super::{Entry, ShardState};
use crate::process::Foreign;
use crate::shard::{Event, Millis, ShardId, Spec, Tune};

/// What an operator asks for. Everything that acts goes through here: a key, a command line, a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Start a run of this job file; or, with `text` empty, the next attempt of the run that stands still.
    Launch {
        /// The job file.
        text: String,
        /// Its name, for messages.
        file: String,
        /// Variables of the author's environment that it refers to.
        vars: BTreeMap<String, String>,
        /// The hosts that its hostfile names, in order; empty when it names none.
        hosts: Vec<String>,
    },
    /// Stop what runs and start the next attempt: from the last checkpoint, or from the one after this rollout.
    Restart {
        /// The last rollout in the checkpoint.
        from: Option<u64>,
    },
    /// Stop what runs.
    Stop,
    /// Change arguments, by name.
    Tune(BTreeMap<String, String>),
    /// End these processes of a node, which no shard of ours holds, and no others.
    Sweep {
        /// Where.
        node: String,
        /// Which.
        processes: Vec<Foreign>,
    },
}

impl Action {
    /// The next attempt of the run that stands still.
    pub fn again() -> Action {
        Action::Launch { text: String::new(), file: String::new(), vars: BTreeMap::new(), hosts: Vec::new() }
    }

    /// The action in a word.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Launch { .. } => "launch",
            Action::Restart { .. } => "restart",
            Action::Stop => "stop",
            Action::Tune(_) => "tune",
            Action::Sweep { .. } => "sweep",
        }
    }
}

/// An action with its author. The same `id` twice acts once and gets the same outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Chosen by the author, unique.
    pub id: String,
    /// `user@host`.
    pub who: String,
    /// What is asked for.
    pub action: Action,
}

/// The answer to a request: only whether it was taken on. What comes of it is seen in the deck.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// It was taken on, or had been before.
    pub accepted: bool,
    /// In words, for the operator; with everything that is wrong when it was not accepted.
    pub text: String,
    /// The version that a `tuned` acknowledgement will carry.
    pub tune: Option<u64>,
}

/// How a shard is, as its agent sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ShardReport {
    /// Who.
    pub id: ShardId,
    /// How.
    pub state: ShardState,
    /// Process id; 0 when there is none.
    pub pid: u32,
}

/// What can happen to a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// An operator asks.
    Act(Request),
    /// An agent has opened its stream and tells what it holds of this run.
    Joined {
        /// Its name.
        node: String,
        /// All shards of this run that it has a directory of.
        shards: Vec<ShardReport>,
    },
    /// An agent's stream has ended.
    Left {
        /// Its name.
        node: String,
    },
    /// A shard has changed.
    Shard(ShardReport),
    /// A shard has reported.
    Event {
        /// Who.
        id: ShardId,
        /// What.
        event: Event,
    },
    /// Time has passed.
    Tick,
}

/// What an agent is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Start this shard, if it was not started before.
    Start(Spec),
    /// Ask the process group to end; after the grace, end it; report when nothing is left of it.
    Stop {
        /// Who.
        id: ShardId,
        /// Between SIGTERM and SIGKILL.
        grace: Millis,
    },
    /// Put this into the shard's `tune.json`.
    Tune {
        /// Who.
        id: ShardId,
        /// All of it.
        tune: Tune,
    },
    /// End these processes, each only while it still is the one that is named.
    Sweep(Vec<Foreign>),
}

/// What follows from an input, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Append to the journal before going on.
    Journal(Entry),
    /// Tell the agent of a node; when it is not connected it learns when it joins.
    Command {
        /// Which.
        node: String,
        /// What.
        command: Command,
    },
    /// Answer the request.
    Answer {
        /// Its id.
        id: String,
        /// The answer.
        outcome: Outcome,
    },
}
