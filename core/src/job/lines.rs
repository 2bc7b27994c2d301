//! Offsets in a text to lines.

use crate::finding::Place;

/// The lines of a text.
pub(super) struct Lines<'a> {
    pub(super) text: &'a str,
    file: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str, file: &'a str) -> Lines<'a> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, file, starts }
    }

    /// Which line, from 0.
    fn index(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// The line of an offset.
    pub(super) fn place(&self, at: usize) -> Place {
        Place::new(self.file, u32::try_from(self.index(at) + 1).unwrap_or(u32::MAX))
    }

    /// The column of an offset, from 1.
    pub(super) fn column(&self, at: usize) -> usize {
        let start = self.starts.get(self.index(at)).copied().unwrap_or(0);
        self.text.get(start..at).map_or(1, |before| before.chars().count() + 1)
    }

    /// The text of the line of an offset.
    pub(super) fn line(&self, at: usize) -> &'a str {
        let start = self.starts.get(self.index(at)).copied().unwrap_or(0);
        self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim()
    }
}
