//! What one training GPU has of a model.

use super::Parameters;
use crate::{
    job::Job,
    layout::{Layout, Sizes, count},
};

/// Parameters on one GPU, by the stage it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// What is not an expert.
    pub(super) dense: u64,
    /// The routed experts.
    pub(super) experts: u64,
    /// Experts times layers: so many pairs of matrices.
    pub(super) pairs: u64,
    /// Layers.
    pub(super) layers: u64,
}

impl Share {
    /// All of them.
    pub(super) fn total(self) -> u64 {
        self.dense + self.experts
    }

    /// What a GPU has of the optimizer: replicas share it.
    pub(super) fn optimizer(self, replicas: Replicas) -> u64 {
        self.dense.div_ceil(replicas.dense) + self.experts.div_ceil(replicas.experts)
    }
}

/// How many GPUs have the same parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replicas {
    pub(super) dense: u64,
    pub(super) experts: u64,
}

impl Replicas {
    /// The optimizer is shared by data and context parallel ranks together.
    pub(super) fn of(layout: &Layout) -> Replicas {
        let (dense, experts) = layout.replicas();
        Replicas { dense: (u64::from(dense) * layout.sizes().cp).max(1), experts: u64::from(experts).max(1) }
    }
}

/// The vocabulary with the rows that TP needs.
pub(super) fn padded(job: &Job, parameters: &Parameters, tp: u64) -> u64 {
    // What is absurd is left to Megatron, so that no sum overflows.
    let by = count(job, "make-vocab-size-divisible-by").filter(|by| *by <= 1 << 20).unwrap_or(128);
    parameters.vocabulary.next_multiple_of(by * tp)
}

/// The share of a GPU of each stage.
pub(super) fn shares(job: &Job, parameters: &Parameters, layout: &Layout) -> Vec<Share> {
    let Sizes { tp, ep, etp, .. } = layout.sizes();
    let table = padded(job, parameters, tp) * parameters.hidden / tp;
    let layers = layout.stage_layers();
    let stages = layers.len();
    let mut first = 0;
    let mut shares = Vec::with_capacity(stages);
    for (stage, count) in layers.into_iter().enumerate() {
        let mine = &parameters.mixtures[first..first + count as usize];
        first += count as usize;
        let mixtures = mine.iter().filter(|mixture| **mixture).count() as u64;
        let layers = u64::from(count);
        let attention = parameters.attention.cut / tp + parameters.attention.whole;
        let dense = parameters.dense.cut / tp + parameters.dense.whole;
        let beside = parameters.shared.cut / tp + parameters.shared.whole + parameters.router;
        let mut share = Share {
            dense: layers * attention + (layers - mixtures) * dense + mixtures * beside,
            experts: mixtures * (parameters.experts / ep) * parameters.expert / etp,
            pairs: mixtures * (parameters.experts / ep),
            layers,
        };
        if stage == 0 {
            share.dense += table;
        }
        if stage + 1 == stages {
            // A tied head on another stage than the embedding is a copy of it.
            let head = parameters.tables == 2 || stages > 1;
            share.dense += parameters.last + if head { table } else { 0 };
        }
        shares.push(share);
    }
    shares
}
