use std::{collections::VecDeque, sync::Arc};

use prost::Message;
use rldeck_core::deck::{Change, Deck};
use rldeck_proto::wire;
use tokio::sync::broadcast;

/// So many deltas are kept for consoles that come back, and so many bytes of them.
const KEPT: usize = 1024;
const KEPT_BYTES: usize = 32 << 20;
/// About so many bytes make one message: far below what either end refuses.
const PART: usize = 1 << 20;

/// Deltas on their way to consoles.
#[derive(Debug)]
pub(super) struct Watchers {
    epoch: u64,
    seq: u64,
    kept: VecDeque<Arc<wire::Delta>>,
    bytes: usize,
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
        Watchers { epoch, seq: 0, kept: VecDeque::new(), bytes: 0, sender: broadcast::channel(KEPT).0 }
    }

    /// Numbers these changes and sends them to everyone.
    pub(super) fn send(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        for changes in parts(changes) {
            self.seq += 1;
            let delta = Arc::new(wire::Delta { epoch: self.epoch, seq: self.seq, changes, more: false });
            self.bytes += delta.encoded_len();
            self.kept.push_back(Arc::clone(&delta));
            let _ = self.sender.send(delta);
        }
        while self.kept.len() > KEPT || self.bytes > KEPT_BYTES {
            let oldest = self.kept.pop_front();
            self.bytes -= oldest.map_or(self.bytes, |oldest| oldest.encoded_len());
        }
    }

    /// From where a console was, when that is still known; else all of the deck.
    pub(super) fn subscribe(&self, epoch: u64, seq: u64, deck: &Deck) -> Subscription {
        let then = self.sender.subscribe();
        let oldest = self.kept.front().map_or(self.seq + 1, |delta| delta.seq);
        if epoch == self.epoch && seq + 1 >= oldest && seq <= self.seq {
            let first = self.kept.iter().filter(|delta| delta.seq > seq).cloned().collect();
            return Subscription { first, then };
        }
        let parts = parts(deck.dump());
        let last = parts.len() - 1;
        let delta = |(at, changes)| wire::Delta { epoch: self.epoch, seq: self.seq, changes, more: at < last };
        Subscription { first: parts.into_iter().enumerate().map(delta).map(Arc::new).collect(), then }
    }
}

/// Cuts changes into messages.
fn parts(changes: Vec<Change>) -> Vec<Vec<wire::Change>> {
    let (mut parts, mut bytes) = (vec![Vec::new()], 0);
    for change in changes.into_iter().map(wire::Change::from) {
        let size = change.encoded_len();
        if bytes + size > PART && bytes > 0 {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(change);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use rldeck_core::run::{Entry, Fact};

    use super::*;

    fn dropped(count: u64) -> Vec<Change> {
        vec![Change::Dropped { place: "x".into(), count }]
    }

    fn entry(who: String) -> Entry {
        Entry { seq: 1, at: 1, who, fact: Fact::Finished { rollout: 1 } }
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
        let long = || Change::Journal(entry("x".repeat(600_000)));
        (0..100).for_each(|_| watchers.send(vec![long(), long(), long()]));
        assert!(watchers.kept.iter().all(|delta| delta.encoded_len() < 2 * PART), "no message is too large");
        assert!(
            watchers.bytes <= KEPT_BYTES
                && watchers.kept.iter().map(|delta| delta.encoded_len()).sum::<usize>() == watchers.bytes
        );
    }
}
