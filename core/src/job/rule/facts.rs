//! What the nodes say about a job, for the rules that cannot judge from the job alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was read from the nodes. What is not known is left empty, and the rules that need it say nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// How many nodes there are; without it, the hosts that the job names are counted.
    pub nodes: Option<u32>,
    /// Their names or addresses, from the hostfile.
    pub hosts: Vec<String>,
    /// The fewest GPUs that a node has.
    pub gpus_per_node: Option<u32>,
    /// Memory of a GPU.
    pub gpu_bytes: Option<u64>,
    /// The major number of the GPUs' compute capability: 9 is an H100.
    pub compute_capability: Option<u32>,
    /// Memory of the smallest node.
    pub host_bytes: Option<u64>,
    /// What is free where `save` is.
    pub free_bytes: Option<u64>,
    /// What is in the directory `load`.
    pub load: Option<Checkpoints>,
    /// Whether the files and directories that the job names are there, on every node.
    pub files: BTreeMap<String, bool>,
}

/// A directory of checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checkpoints {
    /// The text of `latest_checkpointed_iteration.txt`: a number, or `release`.
    pub tracker: Option<String>,
    /// The numbers of its `iter_...` directories.
    pub iterations: Vec<u64>,
    /// It has a `config.json`, as Hugging Face directories have.
    pub config: bool,
    /// The arguments of the run that made the checkpoint, by name, as `Job::value` gives them.
    pub made_with: BTreeMap<String, String>,
}

impl Checkpoints {
    /// The rollout that the latest checkpoint was made after.
    pub fn latest(&self) -> Option<u64> {
        self.tracker.as_deref()?.trim().parse().ok()
    }
}
