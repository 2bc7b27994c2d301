//! How trainer and rollout shards talk: frames over a Unix socket. The trainer listens and hands out work; a rollout shard
//! connects, gets the current weights, and takes work until it goes away, at any moment.

mod frame;
mod hub;
mod socket;

use serde::{Deserialize, Serialize};

pub(crate) use frame::{Frames, send};
pub(crate) use hub::{Hub, News};
pub(crate) use socket::{connect, listen};

/// One prompt to sample from, `samples` times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Unique within the life of the trainer.
    pub(crate) id: u64,
    /// What it is for, to be shown.
    pub(crate) rollout: u64,
    pub(crate) prompt: Vec<u32>,
    pub(crate) samples: usize,
    /// Names the random streams of the samples, so that it does not matter who samples them.
    pub(crate) seed: u64,
    pub(crate) temperature: f32,
    pub(crate) max_len: usize,
}

/// What was sampled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Response {
    pub(crate) tokens: Vec<u32>,
    /// Of the tokens, by the weights that sampled them.
    pub(crate) log_probs: Vec<f32>,
    pub(crate) truncated: bool,
}

/// From the trainer.
#[derive(Debug)]
pub(crate) enum ToShard {
    /// Sample with these from now on (see `fp8`).
    Weights(Vec<u8>),
    Work(Job),
    /// Forget all work.
    Abandon,
}

/// From a rollout shard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToTrainer {
    Hello {
        rank: u64,
        /// Samples that it decodes at once.
        slots: usize,
        /// Values in its model: a shard of another shape is turned away.
        parameters: usize,
    },
    Done {
        id: u64,
        responses: Vec<Response>,
    },
}
