//! How a job says that it is cut.

use serde::Serialize;

use crate::job::{Engine, Job};

/// In how many parts training is cut, each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Tensor parallel: ranks that share each matrix.
    pub tp: u64,
    /// Pipeline parallel: stages that share the layers.
    pub pp: u64,
    /// Context parallel: ranks that share each sequence.
    pub cp: u64,
    /// Expert parallel: ranks that share the experts.
    pub ep: u64,
    /// Expert tensor parallel: ranks that share each expert's matrices.
    pub etp: u64,
}

impl Sizes {
    /// As the job says, with Megatron's defaults.
    pub fn of(job: &Job) -> Sizes {
        if job.engine == Engine::Embedded {
            return Sizes { tp: 1, pp: 1, cp: 1, ep: 1, etp: 1 };
        }
        let tp = count(job, "tensor-model-parallel-size").unwrap_or(1);
        Sizes {
            tp,
            pp: count(job, "pipeline-model-parallel-size").unwrap_or(1),
            cp: count(job, "context-parallel-size").unwrap_or(1),
            ep: count(job, "expert-model-parallel-size").unwrap_or(1),
            etp: count(job, "expert-tensor-parallel-size").unwrap_or(tp),
        }
    }

    /// GPUs of one replica of what is not an expert.
    pub fn dense(&self) -> u64 {
        self.tp.saturating_mul(self.pp).saturating_mul(self.cp)
    }

    /// GPUs of one replica of the experts.
    pub fn expert(&self) -> u64 {
        self.etp.saturating_mul(self.pp).saturating_mul(self.ep)
    }
}

/// The GPUs of a job, and what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gpus {
    /// Of one node.
    pub per_node: u64,
    /// Of all nodes.
    pub all: u64,
    /// Training runs on the first so many.
    pub train: u64,
    /// The engines run on so many, from [`Gpus::rollout_from`] on.
    pub rollout: u64,
    /// The first GPU of the engines.
    pub rollout_from: u64,
}

impl Gpus {
    /// Of a job on so many nodes. Colocated, training and engines share them all; otherwise the engines have the last.
    pub fn of(job: &Job, nodes: u64) -> Gpus {
        let per_node = u64::from(job.cluster.gpus_per_node).max(1);
        if job.engine == Engine::Embedded {
            return Gpus { per_node, all: 1, train: 1, rollout: 0, rollout_from: 0 };
        }
        let all = nodes.saturating_mul(per_node);
        let given = job.whole("rollout-num-gpus");
        if job.flag("debug-train-only") || job.value("load-debug-rollout-data").is_some() {
            return Gpus { per_node, all, train: all, rollout: 0, rollout_from: all };
        }
        if job.flag("debug-rollout-only") {
            return Gpus { per_node, all, train: 0, rollout: given.unwrap_or(all), rollout_from: 0 };
        }
        if job.cluster.colocate {
            return Gpus { per_node, all, train: all, rollout: given.unwrap_or(all), rollout_from: 0 };
        }
        let rollout = given.unwrap_or(0);
        let train = all.saturating_sub(rollout);
        Gpus { per_node, all, train, rollout, rollout_from: train }
    }
}

/// A whole number above 0, as the job sets it or by its default.
pub(crate) fn count(job: &Job, name: &str) -> Option<u64> {
    job.effective(name)?.parse().ok().filter(|count| *count > 0)
}
