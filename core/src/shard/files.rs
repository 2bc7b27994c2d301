use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Millis;

/// Who runs a shard. All four must match before anything is signalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Process id of the shard; it leads a process group of its own.
    pub pid: u32,
    /// Start time of that process in clock ticks since boot (`/proc/PID/stat`, field 22).
    pub start_ticks: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
    /// The spec's nonce.
    pub nonce: String,
    /// Process id of the shim that waits for it.
    pub shim: u32,
    /// The directory of the cgroup that holds it and all its descendants, on hosts where one can be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<String>,
}

/// How a shard ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Exit status, when it exited.
    pub code: Option<i32>,
    /// Signal number, when it was ended by one.
    pub signal: Option<i32>,
    /// When the shim saw it.
    pub at: Millis,
    /// Why it never ran, when it could not be started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Live changes of arguments: everything that differs from `argv`, not only the last change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tune {
    /// Grows by one with every change; the shard acknowledges it in a `tuned` event.
    pub version: u64,
    /// Argument name without `--` to its new value, as it would stand in `argv`.
    pub set: BTreeMap<String, String>,
    /// For what sampling and training must change together: name to the first rollout that is sampled with its value, as
    /// the sampling side has acknowledged it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub from: BTreeMap<String, u64>,
}
