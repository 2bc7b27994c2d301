//! The inference engines: which GPUs each has, and what part each GPU has of it.

use serde::Serialize;

use super::sizes::{Gpus, count};
use crate::job::Job;

/// One inference engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Engine {
    /// Its number.
    pub index: u32,
    /// Its GPUs, in the order of its ranks; the first runs its server.
    pub ranks: Vec<EngineRank>,
}

/// One GPU of an engine: one scheduler process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct EngineRank {
    /// Its node, counted as for training.
    pub node: u32,
    /// Its GPU on that node.
    pub gpu: u32,
    /// Its node among those of the engine.
    pub node_rank: u32,
    /// Its stage.
    pub pp: u32,
    /// Its part of the matrices.
    pub tp: u32,
    /// Its replica of attention.
    pub dp: u32,
    /// Its share of the experts.
    pub ep: u32,
}

impl EngineRank {
    /// As its process calls itself: `DP1 TP8 EP8`.
    pub fn label(&self) -> String {
        let EngineRank { dp, tp, ep, .. } = self;
        format!("DP{dp} TP{tp} EP{ep}")
    }
}

/// In how many parts an engine is cut, each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EngineSizes {
    /// Its GPUs.
    pub gpus: u64,
    /// Stages that share the layers.
    pub pp: u64,
    /// GPUs that share the matrices.
    pub tp: u64,
    /// Replicas of attention.
    pub dp: u64,
    /// GPUs that share the experts: all of them with DeepEP, whatever is written.
    pub ep: u64,
}

impl EngineSizes {
    /// As the job says, with SGLang's defaults.
    pub fn of(job: &Job) -> EngineSizes {
        let gpus = count(job, "rollout-num-gpus-per-engine").unwrap_or(1);
        let pp = ["sglang-pp-size", "sglang-pipeline-parallel-size"].iter().find_map(|name| count(job, name));
        let pp = pp.unwrap_or(1);
        let tp = (gpus / pp).max(1);
        let dp = ["sglang-dp-size", "sglang-data-parallel-size"].iter().find_map(|name| count(job, name));
        let ep = ["sglang-ep-size", "sglang-expert-parallel-size"].iter().find_map(|name| count(job, name));
        let deepep = job.value("sglang-moe-a2a-backend").as_deref() == Some("deepep");
        EngineSizes { gpus, pp, tp, dp: dp.unwrap_or(1), ep: if deepep { tp } else { ep.unwrap_or(1) } }
    }

    /// GPUs that share one replica of attention.
    pub fn attention(&self) -> u64 {
        (self.tp / self.dp).max(1)
    }
}

/// The engines on these GPUs; what does not fill one is left over.
pub(super) fn all(sizes: EngineSizes, gpus: Gpus) -> Vec<Engine> {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let (attention, each) = (sizes.attention(), (sizes.tp / sizes.ep).max(1));
    let engine = |index: u64| {
        let from = gpus.rollout_from + index * sizes.gpus;
        let ranks = (0..sizes.gpus).map(|at| {
            let (gpu, tp) = (from + at, at % sizes.tp);
            EngineRank {
                node: small(gpu / gpus.per_node),
                gpu: small(gpu % gpus.per_node),
                node_rank: small(gpu / gpus.per_node - from / gpus.per_node),
                pp: small(at / sizes.tp),
                tp: small(tp),
                dp: small(tp / attention),
                ep: small(tp / each),
            }
        });
        Engine { index: small(index), ranks: ranks.collect() }
    };
    (0..gpus.rollout / sizes.gpus).map(engine).collect()
}
