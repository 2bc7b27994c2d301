//! What a job will take: memory of GPUs and nodes, cache, disk, tokens.
//!
//! Each figure comes with the formula that it was worked out by, so that nobody has to believe it. What lies beside
//! (CUDA contexts, communication buffers, kernels, the processes themselves) is some gigabytes a GPU and not counted.

mod disk;
mod engine;
mod gpu;
mod host;
mod model;
mod number;
mod shape;
mod share;
mod tokens;

use serde::Serialize;

use crate::{job::Job, layout::Layout};

pub use model::{Parameters, Part};
pub use number::{gigabytes, grouped};
pub use tokens::Count;

/// What a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Group {
    /// Memory of the fullest training GPU.
    Gpu,
    /// Memory of the fullest node, all the time.
    Host,
    /// Memory of that node while the engines have the GPUs.
    HostOffload,
    /// Memory of that node while a checkpoint is written.
    HostSave,
    /// Weights on a GPU of an engine.
    Engine,
    /// One checkpoint.
    Checkpoint,
    /// All checkpoints of the job.
    Kept,
}

impl Group {
    /// All groups, in the order in which they are shown.
    pub const ALL: [Group; 7] =
        [Group::Gpu, Group::Host, Group::HostOffload, Group::HostSave, Group::Engine, Group::Checkpoint, Group::Kept];

    /// How the console writes it.
    pub fn label(self) -> &'static str {
        match self {
            Group::Gpu => "training, fullest GPU",
            Group::Host => "host memory, fullest node",
            Group::HostOffload => "host memory while engines run",
            Group::HostSave => "host memory while saving",
            Group::Engine => "engine weights, each GPU",
            Group::Checkpoint => "disk, one checkpoint",
            Group::Kept => "disk, all checkpoints",
        }
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Term {
    /// What it is about.
    pub group: Group,
    /// What takes the room.
    pub name: String,
    /// How much.
    pub bytes: u64,
    /// How it comes about, with the numbers of this job.
    pub formula: String,
}

impl Term {
    fn new(group: Group, name: &str, bytes: u64, formula: String) -> Term {
        Term { group, name: name.to_owned(), bytes, formula }
    }
}

/// What the job itself does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Memory of a GPU.
    pub gpu_bytes: u64,
    /// Whether the engines' weights are fp8; what the kind of model suggests when it is not known.
    pub fp8: Option<bool>,
}

impl Default for Machine {
    /// An H100 of 80 GB, as CUDA reports it.
    fn default() -> Machine {
        Machine { gpu_bytes: 81_008 << 20, fp8: None }
    }
}

/// What a job will take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// The model.
    pub parameters: Parameters,
    /// The stage of the fullest training GPU.
    pub stage: usize,
    /// All figures, group by group.
    pub terms: Vec<Term>,
    /// Tokens and requests.
    pub counts: Vec<Count>,
    machine: Machine,
    static_share: Option<f64>,
}

impl Forecast {
    /// Of a job on so many nodes. Nothing when the job does not describe its model, or has no layout.
    pub fn new(job: &Job, nodes: usize, machine: &Machine) -> Option<Forecast> {
        let parameters = Parameters::of(job)?;
        let layout = Layout::new(job, nodes).ok()?;
        let shares = share::shares(job, &parameters, &layout);
        let (stage, mut terms) = gpu::terms(job, &parameters, &layout, &shares);
        terms.extend(host::terms(job, &parameters, &layout, &shares));
        if !layout.engines().is_empty() {
            terms.extend(engine::weights(job, &parameters, machine));
        }
        terms.extend(disk::terms(job, &parameters));
        let static_share = job.number("sglang-mem-fraction-static");
        let mut forecast = Forecast { parameters, stage, terms, counts: Vec::new(), machine: *machine, static_share };
        if let Some(token) = engine::token(job, &forecast.parameters).filter(|_| !layout.engines().is_empty()) {
            forecast.counts = tokens::cache(job, &layout, &forecast, token);
        }
        forecast.counts.extend(tokens::rollout(job, &layout));
        Some(forecast)
    }

    /// The figures of a group.
    pub fn group(&self, group: Group) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(move |term| term.group == group)
    }

    /// Their sum.
    pub fn total(&self, group: Group) -> u64 {
        self.group(group).fold(0, |sum, term| sum.saturating_add(term.bytes))
    }

    /// What the fullest node needs at its worst moment.
    pub fn host_peak(&self) -> u64 {
        self.total(Group::Host) + self.total(Group::HostOffload).max(self.total(Group::HostSave))
    }

    /// Memory of a GPU, as it was said or is usual.
    pub fn gpu_bytes(&self) -> u64 {
        self.machine.gpu_bytes
    }

    /// What an engine may take of a GPU for weights and cache, where the job says so.
    pub fn static_bytes(&self) -> Option<u64> {
        Some((self.machine.gpu_bytes as f64 * self.static_share?) as u64)
    }

    /// A count by its name.
    pub fn count(&self, name: &str) -> Option<u64> {
        self.counts.iter().find(|count| count.name == name).map(|count| count.count)
    }
}

#[cfg(test)]
mod tests;
