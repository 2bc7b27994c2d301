use std::collections::{BTreeMap, VecDeque};

use crate::shard::{Millis, ShardId};

/// So many phases are kept: about a hundred rollouts.
const KEPT_SPANS: usize = 800;

/// One phase of one shard.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Who.
    pub shard: ShardId,
    /// `generate`, `train`, ...; empty when it has nothing to do.
    pub name: String,
    /// The rollout it belongs to.
    pub rollout: u64,
    /// When it began.
    pub start: Millis,
    /// When it ended; `None` while it lasts.
    pub end: Option<Millis>,
}

/// How far the present phase of a shard is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Who.
    pub shard: ShardId,
    /// What is counted.
    pub unit: String,
    /// So many are done.
    pub done: u64,
    /// Of so many; 0 when not known.
    pub total: u64,
    /// When this was seen.
    pub at: Millis,
}

/// The phases of the present attempt, in the order in which they began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    spans: VecDeque<Span>,
    progress: BTreeMap<ShardId, Progress>,
}

impl Lane {
    /// A phase begins; the one before it of the same shard ends.
    pub fn begin(&mut self, span: Span) {
        self.end(&span.shard, span.start);
        while self.spans.len() >= KEPT_SPANS {
            self.spans.pop_front();
        }
        self.spans.push_back(span);
    }

    /// The shard does nothing from now on.
    pub fn end(&mut self, shard: &ShardId, at: Millis) {
        self.progress.remove(shard);
        if let Some(open) = self.spans.iter_mut().rev().find(|s| &s.shard == shard && s.end.is_none()) {
            open.end = Some(at);
        }
    }

    /// News of the present phase.
    pub fn progress(&mut self, progress: Progress) {
        self.progress.insert(progress.shard.clone(), progress);
    }

    /// All phases, oldest first.
    pub fn spans(&self) -> impl DoubleEndedIterator<Item = &Span> {
        self.spans.iter()
    }

    /// What a shard is doing now.
    pub fn now(&self, shard: &ShardId) -> Option<&Span> {
        self.spans.iter().rev().find(|s| &s.shard == shard && s.end.is_none())
    }

    /// How far a shard is with it.
    pub fn progress_of(&self, shard: &ShardId) -> Option<&Progress> {
        self.progress.get(shard)
    }

    /// How far each shard is.
    pub fn all_progress(&self) -> impl Iterator<Item = &Progress> {
        self.progress.values()
    }

    /// The phases of one rollout by one shard, oldest first.
    pub fn of_rollout(&self, shard: &ShardId, rollout: u64) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(move |s| &s.shard == shard && s.rollout == rollout && !s.name.is_empty())
    }

    /// Median time from one rollout's `generate` to the next one's, of the rollouts kept.
    pub fn rollout_time(&self) -> Option<Millis> {
        let starts: Vec<_> = self.spans.iter().filter(|s| s.name == "generate" && s.shard.leads()).collect();
        let mut times: Vec<Millis> = starts
            .windows(2)
            .filter(|pair| pair[1].rollout == pair[0].rollout + 1)
            .map(|pair| pair[1].start.saturating_sub(pair[0].start))
            .collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }
}
