use rldeck_core::deck::{Change, Deck, LogLine};

/// A deck with its log lines numbered: the ring forgets the oldest, the numbers go on.
#[derive(Clone, Debug, Default)]
pub(in crate::console) struct Picture {
    pub(in crate::console) deck: Deck,
    /// Lines taken in since the console's start.
    lines: u64,
}

impl Picture {
    pub(super) fn apply(&mut self, change: Change) {
        if let Change::Log(_) = change {
            self.lines += 1;
        }
        self.deck.apply(change);
    }

    /// Numbers of the lines that are kept.
    pub(in crate::console) fn numbers(&self) -> std::ops::Range<u64> {
        self.lines - self.deck.log.lines().len() as u64..self.lines
    }

    /// The line of this number.
    pub(in crate::console) fn line(&self, number: u64) -> Option<&LogLine> {
        let index = number.checked_sub(self.numbers().start)?;
        self.deck.log.lines().nth(index as usize)
    }
}
