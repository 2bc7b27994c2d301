//! Who does what: ranks of training, stages of layers, GPUs of engines.
//!
//! All of it follows from the job and the number of its nodes; nothing is asked of a running process.

mod engine;
mod rank;
mod sizes;
pub mod stage;

use crate::{
    finding::Finding,
    job::{self, Job},
};

pub use engine::{Engine, EngineRank, EngineSizes};
pub use rank::Rank;
pub(crate) use sizes::count;
pub use sizes::{Gpus, Sizes};

/// More GPUs than any cluster has: a slip of the keyboard must not fill the memory.
const MOST: u64 = 1 << 20;

/// The layout of a job on so many nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    sizes: Sizes,
    gpus: Gpus,
    /// Replicas of what is not an expert.
    dp: u64,
    /// Replicas of a replica come before the stages in the count of ranks; otherwise the stages come first.
    stages_last: bool,
    stages: Vec<u32>,
    engines: Vec<Engine>,
}

/// Findings of these keep a job from having a layout at all.
const NEEDED: [&str; 10] = [
    "layout.world",
    "layout.expert-world",
    "layout.stages",
    "layout.uneven-stages",
    "layout.one-stage",
    "placement.size",
    "placement.split",
    "sglang.engines",
    "sglang.pipeline",
    "sglang.nodes",
];

impl Layout {
    /// Works it out, or says why it does not come out even. That a job allows a rule to be broken does not help here.
    pub fn new(job: &Job, nodes: usize) -> Result<Layout, Vec<Finding>> {
        let facts = job::Facts { nodes: u32::try_from(nodes).ok(), ..job::Facts::default() };
        let mut findings = job.broken(&facts, &NEEDED);
        if let Some(name) = stage::OTHER.iter().find(|name| job.value(name).is_some()) {
            findings.push(Finding::error(None, format!("{name} deals the layers in a way that rldeck does not know")));
        }
        let gpus = Gpus::of(job, nodes as u64);
        // Without training there are no ranks, and nothing to cut.
        let sizes = if gpus.train > 0 { Sizes::of(job) } else { Sizes { tp: 1, pp: 1, cp: 1, ep: 1, etp: 1 } };
        if gpus.all == 0 || gpus.all > MOST {
            findings.push(Finding::error(None, format!("{nodes} nodes are no cluster: name its hosts in [cluster]")));
        } else if gpus.rollout > gpus.all && findings.is_empty() {
            let text = format!("rollout-num-gpus is {}, but there are {} GPUs", gpus.rollout, gpus.all);
            findings.push(Finding::error(None, text).of("placement.size"));
        }
        // The rules look at jobs with a model only; what follows divides in any case.
        let even = gpus.train.is_multiple_of(sizes.dense()) && gpus.train.is_multiple_of(sizes.expert());
        if findings.is_empty() && !even {
            let text = format!("{} GPUs do not come out even with {sizes:?}", gpus.train);
            findings.push(Finding::error(None, text).of("layout.world"));
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let small = |layers: u64| u32::try_from(layers).unwrap_or(u32::MAX);
        let stages = stage::of(job).and_then(Result::ok).unwrap_or_default().into_iter().map(small).collect();
        Ok(Layout {
            sizes,
            gpus,
            dp: gpus.train / sizes.dense(),
            stages_last: !job.flag("use-tp-pp-dp-mapping"),
            stages,
            engines: engine::all(EngineSizes::of(job), gpus),
        })
    }

    /// How training is cut.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The GPUs and what they are for.
    pub fn gpus(&self) -> Gpus {
        self.gpus
    }

    /// Ranks of training.
    pub fn world(&self) -> u32 {
        u32::try_from(self.gpus.train).unwrap_or(u32::MAX)
    }

    /// Replicas of what is not an expert, and of the experts.
    pub fn replicas(&self) -> (u32, u32) {
        let experts = self.gpus.train / self.sizes.expert();
        (u32::try_from(self.dp).unwrap_or(u32::MAX), u32::try_from(experts).unwrap_or(u32::MAX))
    }

    /// One rank of training; one past the last wraps around, as if there were more replicas.
    pub fn rank(&self, rank: u32) -> Rank {
        let Sizes { tp, pp, cp, ep, etp } = self.sizes;
        let (r, dp) = (u64::from(rank), self.dp.max(1));
        let edp = (self.gpus.train / self.sizes.expert()).max(1);
        let small = |part: u64| part as u32;
        let (inner, expert) = (tp * cp, etp * ep);
        let (replica, stage, expert_replica) = match self.stages_last {
            true => (r / inner % dp, r / (inner * dp), r / expert % edp),
            false => (r / (inner * pp), r / inner % pp, r / (expert * pp)),
        };
        Rank {
            rank,
            node: small(r / self.gpus.per_node),
            gpu: small(r % self.gpus.per_node),
            tp: small(r % tp),
            cp: small(r / tp % cp),
            dp: small(replica),
            pp: small(stage),
            etp: small(r % etp),
            ep: small(r / etp % ep),
            edp: small(expert_replica),
            replicas: dp > 1,
        }
    }

    /// All ranks of training, in order.
    pub fn ranks(&self) -> Vec<Rank> {
        (0..self.world()).map(|rank| self.rank(rank)).collect()
    }

    /// Layers of each stage; empty when the job does not describe its model.
    pub fn stage_layers(&self) -> Vec<u32> {
        self.stages.clone()
    }

    /// The first layer of a stage.
    pub fn first_layer(&self, stage: u32) -> u32 {
        self.stages.iter().take(stage as usize).sum()
    }

    /// The inference engines.
    pub fn engines(&self) -> &[Engine] {
        &self.engines
    }

    /// The rank that prints the metrics of training: the first one of the last stage.
    pub fn metric_rank(&self) -> u32 {
        let Sizes { tp, pp, cp, .. } = self.sizes;
        let stride = if self.stages_last { tp * cp * self.dp.max(1) } else { tp * cp };
        u32::try_from((pp - 1) * stride).unwrap_or(u32::MAX)
    }

    /// The rank that prints how long each phase took.
    pub fn timer_rank(&self) -> u32 {
        0
    }
}

#[cfg(test)]
mod tests;
