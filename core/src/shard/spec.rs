use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// What a shard does in its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs to its end before the others start: data, cold start.
    Prepare,
    /// Holds the master weights and takes the optimizer steps.
    Trainer,
    /// Samples responses with the last synchronised weights.
    Rollout,
    /// Holds one node of the Ray cluster, with everything that Ray runs there.
    Ray,
    /// Submits the job to Ray and follows it.
    Driver,
}

impl Role {
    /// The name used in specs, on the wire and on screen.
    pub fn name(self) -> &'static str {
        match self {
            Role::Prepare => "prepare",
            Role::Trainer => "trainer",
            Role::Rollout => "rollout",
            Role::Ray => "ray",
            Role::Driver => "driver",
        }
    }

    /// The role with this [`Role::name`].
    pub fn from_name(name: &str) -> Option<Role> {
        [Role::Prepare, Role::Trainer, Role::Rollout, Role::Ray, Role::Driver]
            .into_iter()
            .find(|role| role.name() == name)
    }

    /// The attempt is what this one does: with its end it has come to its own.
    pub fn leads(self) -> bool {
        matches!(self, Role::Trainer | Role::Driver)
    }
}

/// Names one process of one attempt. A shard that is started again inside its attempt gets the next `life`,
/// and with it a directory of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShardId {
    /// Counts from 1 within a run.
    pub attempt: u32,
    /// `trainer`, `rollout-0`, ...
    pub name: String,
    /// 0 for the first process of this name in the attempt.
    #[serde(default)]
    pub life: u32,
}

impl ShardId {
    /// The directory of this shard, relative to its run: `attempt-2/rollout-1`, `attempt-2/rollout-1~1`.
    pub fn dir(&self) -> String {
        format!("attempt-{}/{}", self.attempt, self.label())
    }

    /// It is the one shard of its attempt whose role [leads](Role::leads): its phases are those of the job.
    pub fn leads(&self) -> bool {
        Role::from_name(&self.name).is_some_and(Role::leads)
    }

    /// The name with its life: `rollout-1`, `rollout-1~1`.
    pub fn label(&self) -> String {
        match self.life {
            0 => self.name.clone(),
            life => format!("{}~{life}", self.name),
        }
    }

    /// Reads what [`ShardId::dir`] wrote.
    pub fn from_dir(dir: &str) -> Option<ShardId> {
        let (attempt, label) = dir.strip_prefix("attempt-")?.split_once('/')?;
        let (name, life) = match label.split_once('~') {
            Some((name, life)) => (name, life.parse().ok()?),
            None => (label, 0),
        };
        if name.is_empty() || name.contains('/') {
            return None;
        }
        Some(ShardId { attempt: attempt.parse().ok()?, name: name.to_owned(), life })
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {} {}", self.attempt, self.label())
    }
}

/// What to run. `argv[0] == "rldeck"` means the agent's own binary, wherever it lies on that node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// The run this shard belongs to; the name of its directory under `runs/`.
    pub run: String,
    /// The shard.
    pub id: ShardId,
    /// The node that runs it.
    pub node: String,
    /// What it does.
    pub role: Role,
    /// Its rank among the shards of its role.
    pub rank: u32,
    /// Program and arguments; never passed through a shell.
    pub argv: Vec<String>,
    /// Added to the agent's environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Carried in the environment (`RLDECK_NONCE`) of the process and all its descendants: how they are recognised.
    pub nonce: String,
    /// A directory of the node that this shard's processes alone use, where it has one: Ray's `--temp-dir`. The logs of
    /// what Ray runs lie in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scratch: Option<String>,
}
