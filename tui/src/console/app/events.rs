use rldeck_core::deck::Deck;

/// What the Events view looks at.
#[derive(Clone, Debug, Default)]
pub(in crate::console) struct Events {
    /// Journal number of the last entry shown; `None` follows what comes.
    bottom: Option<u64>,
}

impl Events {
    /// So many entries are on screen or before it.
    pub(in crate::console) fn end(&self, deck: &Deck) -> usize {
        let all = deck.journal.len();
        self.bottom.map_or(all, |bottom| deck.journal.partition_point(|entry| entry.seq <= bottom))
    }

    pub(in crate::console) fn follows(&self) -> bool {
        self.bottom.is_none()
    }

    pub(super) fn follow(&mut self) {
        self.bottom = None;
    }

    pub(super) fn scroll(&mut self, deck: &Deck, by: isize, page: usize) {
        let all = deck.journal.len();
        let end = self.end(deck).saturating_add_signed(by).clamp(page.max(1).min(all), all);
        self.bottom = if end >= all { None } else { deck.journal.get(end.max(1) - 1).map(|entry| entry.seq) };
    }
}
