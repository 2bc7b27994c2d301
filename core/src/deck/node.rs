use crate::shard::{Millis, ShardId};

/// One machine with an agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its name in the job.
    pub name: String,
    /// The agent's stream is open.
    pub connected: bool,
    /// When something was last heard from it.
    pub seen: Millis,
    /// The agent's version.
    pub version: String,
    /// The agent's process id.
    pub pid: u32,
    /// The last measurement.
    pub frame: Option<Frame>,
}

/// What a node measured in one tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// When.
    pub at: Millis,
    /// CPUs and memory.
    pub host: Host,
    /// In NVML's order; empty without NVIDIA driver.
    pub gpus: Vec<Gpu>,
    /// Processes of shards, and those that hold GPU memory.
    pub processes: Vec<Process>,
    /// Why something could not be measured; empty when all is well.
    pub note: String,
}

/// CPUs and memory of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Host {
    /// Utilisation of each logical CPU, percent.
    pub cpus: Vec<f32>,
    /// Bytes in use, without caches.
    pub memory_used: u64,
    /// Bytes installed.
    pub memory_total: u64,
}

/// One GPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gpu {
    /// NVML index.
    pub index: u32,
    /// Product name.
    pub name: String,
    /// Percent of the last sample period in which a kernel ran; `None` where the device does not tell.
    pub utilisation: Option<u32>,
    /// Bytes.
    pub memory_used: u64,
    /// Bytes.
    pub memory_total: u64,
    /// Watts.
    pub power: Option<f32>,
    /// Watts.
    pub power_limit: Option<f32>,
    /// Degrees Celsius.
    pub temperature: Option<u32>,
    /// MHz.
    pub sm_clock: Option<u32>,
    /// MHz.
    pub memory_clock: Option<u32>,
    /// What failed when it was asked; empty when all is well.
    pub error: String,
}

/// A process of interest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// The shard it belongs to; `None` for a foreign one.
    pub shard: Option<ShardId>,
    /// Percent of one CPU.
    pub cpu: f32,
    /// Resident bytes.
    pub memory: u64,
    /// GPU it holds memory on.
    pub gpu: Option<u32>,
    /// GPU memory it holds, bytes.
    pub gpu_memory: u64,
    /// What it is to its job: `trainer`, `scheduler`; empty when nobody knows.
    pub role: String,
    /// Its rank there: `rank 27`, `dp1 tp9 ep9`, and behind it where that lies in the layout of the job.
    pub rank: String,
    /// What it does: the method that its title names.
    pub doing: String,
}
