use std::collections::BTreeMap;

use super::{Frame, LogLine, Node, Progress, Series, Span};
use crate::{
    run::{Entry, ShardState, State},
    shard::{Funnel, Millis, Role, Sample, Severity, ShardId},
};

/// Changes that belong together, numbered without gaps within an epoch (one life of a controller).
#[derive(Clone, Debug, PartialEq)]
pub struct Delta {
    /// Changes when the controller starts again: sequence numbers of different epochs do not compare.
    pub epoch: u64,
    /// Number of this delta.
    pub seq: u64,
    /// In order.
    pub changes: Vec<Change>,
}

/// One thing that differs from before.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the payloads say what they are")]
pub enum Change {
    /// Forget everything; the full state follows.
    Reset,
    Run(RunStatus),
    Node(Node),
    Shard(ShardStatus),
    Points(Points),
    /// A whole series at once, in a full state.
    Buckets {
        name: String,
        series: Series,
    },
    /// A phase begins.
    Span(Span),
    Progress(Progress),
    Funnel(Funnel),
    Sample(Sample),
    Log(LogLine),
    Journal(Entry),
    /// An alert stands.
    Raise(Alert),
    /// The alert of this id stands no more.
    Clear(String),
    Setting(Setting),
    Checkpoint(CheckpointStatus),
    /// So much was dropped at a place since the controller's start.
    Dropped {
        place: String,
        count: u64,
    },
}

/// The run as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunStatus {
    /// Name of its directory; empty when there is none.
    pub id: String,
    /// The job's name.
    pub job: String,
    /// `embedded` or `slime`.
    pub engine: String,
    /// Where it stands.
    pub state: State,
    /// Why it stands there, in words; may be empty.
    pub reason: String,
    /// Since when.
    pub since: Millis,
    /// When the run was launched.
    pub launched: Millis,
    /// Counts from 1.
    pub attempt: u32,
    /// The last rollout that was trained on.
    pub rollout: Option<u64>,
    /// The last optimizer step.
    pub step: Option<u64>,
    /// Rollouts of the whole run.
    pub num_rollout: u64,
    /// The last rollout that a complete checkpoint holds.
    pub checkpoint: Option<u64>,
}

/// One process.
#[derive(Clone, Debug, PartialEq)]
pub struct ShardStatus {
    /// Its name.
    pub id: ShardId,
    /// What it does.
    pub role: Role,
    /// Its rank among the shards of its role.
    pub rank: u32,
    /// Where it runs.
    pub node: String,
    /// How it is.
    pub state: ShardState,
    /// Process id on its node; 0 before it is known.
    pub pid: u32,
    /// In this state since.
    pub since: Millis,
}

/// Values of one rollout or optimizer step.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// The attempt that measured them.
    pub attempt: u32,
    /// Rollout number.
    pub rollout: u64,
    /// Optimizer step; the x of the values when present.
    pub step: Option<u64>,
    /// When.
    pub at: Millis,
    /// By metric name.
    pub values: BTreeMap<String, f64>,
}

/// Something that stands against the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Stable while it stands.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// Since when.
    pub since: Millis,
    /// What, where, and what to do.
    pub text: String,
}

/// A complete checkpoint of the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckpointStatus {
    /// The last rollout in it.
    pub rollout: u64,
    /// Where it lies, on the node that wrote it.
    pub path: String,
    /// Size; 0 when nobody could tell.
    pub bytes: u64,
    /// When its shard said that it is complete.
    pub said: Millis,
    /// The next attempt goes on from it.
    pub chosen: bool,
}

/// An argument of the job.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Name without `--`.
    pub name: String,
    /// What is in force.
    pub value: String,
    /// What is asked for and not yet in force.
    pub pending: Option<String>,
    /// Why the last change was refused by the shard; empty when it was not.
    pub refused: String,
}

impl Node {
    /// This node with a newer frame.
    pub fn with_frame(mut self, frame: Frame) -> Node {
        self.seen = frame.at;
        self.frame = Some(frame);
        self
    }
}
