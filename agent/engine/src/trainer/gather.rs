//! Dynamic sampling: which groups of a rollout are kept, in what order, and when to ask for more.
//!
//! Groups are judged in the order in which they were asked for, not in which they came back, so that a rollout is the
//! same whoever sampled it.

use std::collections::BTreeMap;

use crate::{config::RolloutPlan, exchange::Response, grpo::deviation};

/// Over-sampling batches that one rollout may ask for: an almost perfect policy must not stall in search of mistakes.
const WAVES: usize = 3;

/// A finished group.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Within the rollout.
    pub(super) index: usize,
    pub(super) prompt: usize,
    pub(super) responses: Vec<Response>,
    pub(super) rewards: Vec<f64>,
    /// Why it is not trained on.
    pub(super) dropped: Option<String>,
}

/// What is known of one rollout while it is sampled.
pub(super) struct Gathering {
    batch: usize,
    wave: usize,
    filter: bool,
    asked: usize,
    waves: usize,
    arrived: BTreeMap<usize, Group>,
    /// Judged, in order.
    pub(super) groups: Vec<Group>,
    pub(super) kept: usize,
}

impl Gathering {
    pub(super) fn new(plan: &RolloutPlan, filter: bool) -> Gathering {
        Gathering {
            batch: plan.batch,
            wave: plan.over_sampling,
            filter,
            asked: 0,
            waves: 0,
            arrived: BTreeMap::new(),
            groups: Vec::new(),
            kept: 0,
        }
    }

    /// Groups to ask for now.
    pub(super) fn ask(&mut self) -> std::ops::Range<usize> {
        let first = self.asked;
        while self.kept + (self.asked - self.groups.len()) < self.batch && self.waves < WAVES {
            self.asked += self.wave;
            self.waves += 1;
        }
        first..self.asked
    }

    pub(super) fn asked(&self) -> usize {
        self.asked
    }

    /// Takes a finished group, and judges all whose turn has come.
    pub(super) fn take(&mut self, group: Group) {
        self.arrived.insert(group.index, group);
        while self.kept < self.batch
            && let Some(mut group) = self.arrived.remove(&self.groups.len())
        {
            if self.filter && deviation(&group.rewards) == 0.0 {
                let reward = group.rewards.first().copied().unwrap_or_default();
                group.dropped = Some(format!("zero_std_{reward:.1}"));
            }
            self.kept += usize::from(group.dropped.is_none());
            self.groups.push(group);
        }
    }

    /// Enough is kept, or all that may be asked for is judged.
    pub(super) fn complete(&self) -> bool {
        self.kept == self.batch || self.waves == WAVES && self.groups.len() == self.asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{argument::Given, config::Config};

    fn group(index: usize, rewards: [f64; 2]) -> Group {
        Group { index, rewards: rewards.to_vec(), ..Group::default() }
    }

    fn gathering(batch: usize, over_sampling: usize) -> Gathering {
        let plan = Config::new(&Given::default()).unwrap().rollout;
        Gathering::new(&RolloutPlan { batch, over_sampling, ..plan }, true)
    }

    #[test]
    fn order_of_arrival_does_not_matter() {
        let rewards = [[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
        let run = |order: [usize; 5]| {
            let mut gathering = gathering(2, 5);
            assert_eq!(gathering.ask(), 0..5);
            for index in order {
                gathering.take(group(index, rewards[index]));
            }
            assert!(gathering.complete());
            let judged = gathering.groups.iter().map(|group| (group.index, group.dropped.clone()));
            judged.collect::<Vec<_>>()
        };
        let (wrong, right) = (Some("zero_std_0.0".to_owned()), Some("zero_std_1.0".to_owned()));
        assert_eq!(run([0, 1, 2, 3, 4]), [(0, right), (1, None), (2, wrong), (3, None)]);
        assert_eq!(run([4, 3, 2, 1, 0]), run([0, 1, 2, 3, 4]));
    }

    #[test]
    fn refills_and_gives_up_in_the_end() {
        let mut gathering = gathering(2, 3);
        assert_eq!(gathering.ask(), 0..3);
        gathering.take(group(0, [1.0, 1.0]));
        assert_eq!(gathering.ask(), 3..3, "two are still out");
        gathering.take(group(1, [1.0, 1.0]));
        assert_eq!(gathering.ask(), 3..6);
        (2..6).for_each(|index| gathering.take(group(index, [1.0, 1.0])));
        assert_eq!(gathering.ask(), 6..9);
        (6..9).for_each(|index| gathering.take(group(index, if index == 7 { [0.0, 1.0] } else { [1.0, 1.0] })));
        assert_eq!(gathering.ask(), 9..9);
        assert!(gathering.complete());
        assert_eq!(gathering.kept, 1);
    }
}
