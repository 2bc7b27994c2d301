use std::{collections::BTreeMap, io, path::Path};

use rldeck_core::{
    deck::Points,
    shard::{Millis, ShardId},
};
use serde::{Deserialize, Serialize};

use super::journal::Journal;

/// One line of `metrics.jsonl`: values, and where in which file of which shard the next line begins: its `events.jsonl`, or a
/// log of a process below it. So this file also says how far each of them has been taken in; a line without values says only that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    shard: ShardId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    source: String,
    next: u64,
    at: Millis,
    rollout: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<u64>,
    values: BTreeMap<String, Option<f64>>,
}

/// Points of a shard, and how far the file that they came from had been taken in with them.
pub(super) struct Taken {
    pub(super) shard: ShardId,
    /// Empty for the shard's own events.
    pub(super) source: String,
    pub(super) next: u64,
    pub(super) points: Points,
}

/// All metrics of a run on disk.
#[derive(Debug)]
pub(super) struct Metrics(Journal);

impl Metrics {
    /// Opens the file and reads what it holds: points, and for each file how far it was taken in.
    pub(super) fn open(path: &Path) -> io::Result<(Metrics, Vec<Taken>)> {
        let (journal, lines, _) = Journal::open::<Line>(path, false)?;
        let read = lines.into_iter().map(|line| {
            let Line { shard, source, next, at, rollout, step, values } = line;
            let values = values.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect();
            let points = Points { attempt: shard.attempt, rollout, step, at, values };
            Taken { shard, source, next, points }
        });
        Ok((Metrics(journal), read.collect()))
    }

    pub(super) fn append(&mut self, shard: &ShardId, source: &str, next: u64, points: &Points) -> io::Result<()> {
        let Points { rollout, step, at, ref values, .. } = *points;
        let values = values.iter().map(|(name, value)| (name.clone(), value.is_finite().then_some(*value))).collect();
        let (shard, source) = (shard.clone(), source.to_owned());
        self.0.add(&Line { shard, source, next, at, rollout, step, values })?;
        self.0.write()
    }

    pub(super) fn retry(&mut self) -> io::Result<()> {
        self.0.write()
    }
}
