//! The deck: everything a console shows, as one value that is built from changes alone.
//!
//! The controller applies each [`Change`] to its own deck and sends it on; a console applies the same changes to
//! its copy. The full state that a new console gets is [`Deck::dump`]: a [`Change::Reset`] and the changes that
//! rebuild it. So there is one way for a fact to reach a screen.

mod change;
mod lane;
mod log;
mod node;
mod series;

use std::collections::{BTreeMap, VecDeque};

pub use change::{Alert, Change, CheckpointStatus, Delta, Points, RunStatus, Setting, ShardStatus};
pub use lane::{Lane, Progress, Span};
pub use log::{Log, LogLine};
pub use node::{Frame, Gpu, Host, Node, Process};
pub use series::{Bucket, Series};

use crate::{
    run::Entry,
    shard::{Funnel, Millis, Sample, ShardId},
};

/// So many samples, funnels and journal entries are kept for consoles; the files hold all.
const KEPT_SAMPLES: usize = 256;
const KEPT_FUNNELS: usize = 256;
const KEPT_ENTRIES: usize = 2000;

/// See the [module](self).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deck {
    /// The run as a whole.
    pub run: RunStatus,
    /// By name.
    pub nodes: BTreeMap<String, Node>,
    /// Every process of the run, those of ended attempts too.
    pub shards: BTreeMap<ShardId, ShardStatus>,
    /// By metric name.
    pub series: BTreeMap<String, Series>,
    /// What each shard of the present attempt is doing.
    pub lane: Lane,
    /// What dynamic sampling did, oldest first.
    pub funnels: VecDeque<Funnel>,
    /// What the model wrote, oldest first.
    pub samples: VecDeque<Sample>,
    /// The last log lines of all shards.
    pub log: Log,
    /// The journal in words, oldest first.
    pub journal: VecDeque<Entry>,
    /// What stands against the run now, by id.
    pub alerts: BTreeMap<String, Alert>,
    /// The job's arguments, by name.
    pub settings: BTreeMap<String, Setting>,
    /// The complete checkpoints that were seen, by the last rollout in them.
    pub checkpoints: BTreeMap<u64, CheckpointStatus>,
    /// What was dropped on the way, by name of the place; counted, never silent.
    pub dropped: BTreeMap<String, u64>,
}

impl Deck {
    /// Takes one change in.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Reset => *self = Deck::default(),
            Change::Run(run) => {
                if run.id != self.run.id {
                    let nodes = std::mem::take(&mut self.nodes);
                    *self = Deck { nodes, ..Deck::default() };
                } else if run.attempt != self.run.attempt {
                    self.lane = Lane::default();
                }
                self.run = run;
            }
            Change::Node(node) => {
                self.nodes.insert(node.name.clone(), node);
            }
            Change::Shard(shard) => {
                if !shard.state.alive() {
                    self.lane.end(&shard.id, shard.since);
                }
                self.shards.insert(shard.id.clone(), shard);
            }
            Change::Points(points) => {
                for (name, value) in points.values {
                    let x = points.step.unwrap_or(points.rollout);
                    self.series.entry(name).or_default().push(x, points.attempt, value);
                }
            }
            Change::Buckets { name, series } => {
                self.series.insert(name, series);
            }
            Change::Span(span) => self.lane.begin(span),
            Change::Progress(progress) => self.lane.progress(progress),
            Change::Funnel(funnel) => push(&mut self.funnels, funnel, KEPT_FUNNELS),
            Change::Sample(sample) => push(&mut self.samples, sample, KEPT_SAMPLES),
            Change::Log(line) => self.log.push(line),
            Change::Journal(entry) => push(&mut self.journal, entry, KEPT_ENTRIES),
            Change::Raise(alert) => {
                self.alerts.insert(alert.id.clone(), alert);
            }
            Change::Clear(id) => {
                self.alerts.remove(&id);
            }
            Change::Setting(setting) => {
                self.settings.insert(setting.name.clone(), setting);
            }
            Change::Checkpoint(checkpoint) => {
                self.checkpoints.insert(checkpoint.rollout, checkpoint);
            }
            Change::Dropped { place, count } => {
                self.dropped.insert(place, count);
            }
        }
    }

    /// The changes that rebuild this deck from nothing.
    pub fn dump(&self) -> Vec<Change> {
        let mut changes = vec![Change::Reset, Change::Run(self.run.clone())];
        changes.extend(self.nodes.values().cloned().map(Change::Node));
        changes.extend(self.shards.values().cloned().map(Change::Shard));
        changes.extend(
            self.series.iter().map(|(name, series)| Change::Buckets { name: name.clone(), series: series.clone() }),
        );
        changes.extend(self.lane.spans().cloned().map(Change::Span));
        changes.extend(self.lane.all_progress().cloned().map(Change::Progress));
        changes.extend(self.funnels.iter().cloned().map(Change::Funnel));
        changes.extend(self.samples.iter().cloned().map(Change::Sample));
        changes.extend(self.log.lines().cloned().map(Change::Log));
        changes.extend(self.journal.iter().cloned().map(Change::Journal));
        changes.extend(self.alerts.values().cloned().map(Change::Raise));
        changes.extend(self.settings.values().cloned().map(Change::Setting));
        changes.extend(self.checkpoints.values().cloned().map(Change::Checkpoint));
        changes
            .extend(self.dropped.iter().map(|(place, count)| Change::Dropped { place: place.clone(), count: *count }));
        changes
    }

    /// What responses are rewarded with: all that were sampled, or for want of that those that are trained on.
    pub fn reward(&self) -> Option<&Series> {
        self.series.get("rollout/sampled_reward").or_else(|| self.series.get("rollout/raw_reward"))
    }

    /// The first data set that is evaluated.
    pub fn evaluation(&self) -> Option<&Series> {
        let named = |name: &str| name.starts_with("eval/") && name.matches('/').count() == 1;
        self.series.iter().find(|(name, _)| named(name)).map(|(_, series)| series)
    }

    /// The last value of a series.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.series.get(name).and_then(Series::last)
    }

    /// Time left until the last rollout, from the median of the rollout times seen; `None` before two rollouts
    /// and when the run is not under way.
    pub fn eta(&self) -> Option<Millis> {
        let done = self.run.rollout? + 1;
        let left = self.run.num_rollout.checked_sub(done)?;
        let per = self.lane.rollout_time()?;
        self.run.state.alive().then_some(left * per)
    }
}

fn push<T>(ring: &mut VecDeque<T>, item: T, kept: usize) {
    while ring.len() >= kept {
        ring.pop_front();
    }
    ring.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::Role;

    #[test]
    fn a_dump_rebuilds_the_deck() {
        let id = ShardId { attempt: 1, name: "trainer".into(), life: 0 };
        let mut deck = Deck::default();
        deck.apply(Change::Run(RunStatus { id: "r".into(), attempt: 1, num_rollout: 10, ..RunStatus::default() }));
        deck.apply(Change::Node(Node { name: "node0".into(), ..Node::default() }));
        deck.apply(Change::Shard(ShardStatus {
            id: id.clone(),
            role: Role::Trainer,
            rank: 0,
            node: "node0".into(),
            state: crate::run::ShardState::Running,
            pid: 4,
            since: 1,
        }));
        for x in 0..5000 {
            let values = [("train/loss".to_owned(), x as f64)].into();
            deck.apply(Change::Points(Points { attempt: 1, rollout: x / 2, step: Some(x), at: x, values }));
        }
        deck.apply(Change::Span(Span { shard: id.clone(), name: "train".into(), rollout: 3, start: 5, end: None }));
        deck.apply(Change::Span(Span { shard: id.clone(), name: "sync".into(), rollout: 3, start: 9, end: None }));
        deck.apply(Change::Progress(Progress { shard: id, unit: "samples".into(), done: 1, total: 2, at: 9 }));
        deck.apply(Change::Checkpoint(CheckpointStatus { rollout: 3, ..CheckpointStatus::default() }));
        let mut copy = Deck::default();
        copy.apply(Change::Dropped { place: "gone".into(), count: 1 });
        deck.dump().into_iter().for_each(|change| copy.apply(change));
        assert_eq!(copy, deck);
    }

    #[test]
    fn a_new_run_starts_clean_but_keeps_the_nodes() {
        let mut deck = Deck::default();
        deck.apply(Change::Node(Node { name: "node0".into(), ..Node::default() }));
        deck.apply(Change::Dropped { place: "x".into(), count: 1 });
        deck.apply(Change::Run(RunStatus { id: "b".into(), ..RunStatus::default() }));
        assert!(deck.nodes.contains_key("node0") && deck.dropped.is_empty());
    }
}
