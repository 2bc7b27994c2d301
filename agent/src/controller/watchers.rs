use std::{collections::VecDeque, sync::Arc};

use rldeck_core::deck::{Change, Deck, Delta};
use rldeck_proto::wire;
use tokio::sync::broadcast;

/// So many deltas are kept for consoles that come back.
const KEPT: usize = 1024;
/// A full state is sent in parts of so many changes: a message must not become too large.
const PART: usize = 256;

/// Deltas on their way to consoles.
#[derive(Debug)]
pub(super) struct Watchers {
    epoch: u64,
    seq: u64,
    kept: VecDeque<Arc<wire::Delta>>,
    sender: broadcast::Sender<Arc<wire::Delta>>,
}

/// What a console gets: what it lacks, then what comes.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(super) first: Vec<Arc<wire::Delta>>,
    pub(super) then: broadcast::Receiver<Arc<wire::Delta>>,
}

impl Watchers {
    pub(super) fn new(epoch: u64) -> Watchers {
        Watchers { epoch, seq: 0, kept: VecDeque::new(), sender: broadcast::channel(KEPT).0 }
    }

    /// Numbers these changes and sends them to everyone.
    pub(super) fn send(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        self.seq += 1;
        let delta = Arc::new(Delta { epoch: self.epoch, seq: self.seq, changes }.into());
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Arc::clone(&delta));
        let _ = self.sender.send(delta);
    }

    /// From where a console was, when that is still known; else all of the deck.
    pub(super) fn subscribe(&self, epoch: u64, seq: u64, deck: &Deck) -> Subscription {
        let then = self.sender.subscribe();
        let oldest = self.kept.front().map_or(self.seq + 1, |delta| delta.seq);
        if epoch == self.epoch && seq + 1 >= oldest && seq <= self.seq {
            let first = self.kept.iter().filter(|delta| delta.seq > seq).cloned().collect();
            return Subscription { first, then };
        }
        let all = deck.dump();
        let last = all.len().div_ceil(PART) - 1;
        let parts = all.chunks(PART).enumerate().map(|(at, part)| {
            let delta = Delta { epoch: self.epoch, seq: self.seq, changes: part.to_vec() };
            Arc::new(wire::Delta { more: at < last, ..delta.into() })
        });
        Subscription { first: parts.collect(), then }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(count: u64) -> Vec<Change> {
        vec![Change::Dropped { place: "x".into(), count }]
    }

    fn seqs(subscription: &Subscription) -> Vec<u64> {
        subscription.first.iter().map(|delta| delta.seq).collect()
    }

    #[test]
    fn who_comes_back_gets_what_it_lacks_or_all() {
        let mut watchers = Watchers::new(7);
        let deck = Deck::default();
        (1..=5).for_each(|count| watchers.send(dropped(count)));
        assert_eq!(seqs(&watchers.subscribe(7, 3, &deck)), [4, 5]);
        assert_eq!(seqs(&watchers.subscribe(7, 5, &deck)), [0; 0]);
        assert_eq!(seqs(&watchers.subscribe(6, 5, &deck)), [5], "another epoch: all");
        assert_eq!(seqs(&watchers.subscribe(7, 9, &deck)), [5], "from the future: all");
        (6..=3000).for_each(|count| watchers.send(dropped(count)));
        assert_eq!(seqs(&watchers.subscribe(7, 5, &deck)), [3000], "too long ago: all");
        assert_eq!(watchers.subscribe(7, 2990, &deck).first.len(), 10);
    }
}
