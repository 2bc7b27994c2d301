//! How far the files of shards have been taken in, and what of them was taken in already.

use std::collections::{BTreeMap, BTreeSet};

use rldeck_core::{
    deck::Points,
    shard::{Millis, ShardId},
};

/// How far the files of a shard have been taken in; a log may begin anywhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    pub(super) log: Option<u64>,
    /// By name of the file: its own events are the empty one, the others are logs of processes below it.
    pub(super) files: BTreeMap<String, Taking>,
}

/// How far a file has been taken in whose lines mean something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taking {
    pub(super) next: u64,
    /// As `metrics.jsonl` says it.
    pub(super) saved: u64,
}

impl Cursor {
    pub(super) fn events(&self) -> u64 {
        self.files.get("").map_or(0, |taking| taking.next)
    }
}

/// The names of values that were taken in of the last rollouts and steps.
#[derive(Debug, Default)]
pub(super) struct Heard(BTreeMap<(u32, u64, Option<u64>), BTreeSet<String>>);

impl Heard {
    /// Reports of the same step are never so many steps apart.
    const KEPT: usize = 64;

    pub(super) fn of(&mut self, attempt: u32, rollout: u64, step: Option<u64>) -> &mut BTreeSet<String> {
        while self.0.len() > Self::KEPT {
            self.0.pop_first();
        }
        self.0.entry((attempt, rollout, step)).or_default()
    }
}

/// Where a line stands whose meaning is taken in.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) shard: &'a ShardId,
    /// Empty for the shard's own events.
    pub(super) source: &'a str,
    pub(super) next: u64,
}

/// Points that say only how far a file was taken in.
pub(super) fn nothing(id: &ShardId, at: Millis) -> Points {
    Points { attempt: id.attempt, rollout: 0, step: None, at, values: BTreeMap::new() }
}
