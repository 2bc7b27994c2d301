use std::collections::VecDeque;

use rldeck_core::{
    deck::LogLine,
    shard::{Severity, ShardId},
};

use super::{Line, Picture};

/// A filter looks at no more of a line than this.
const SEARCHED: usize = 64 << 10;

/// What the Logs view looks at.
#[derive(Clone, Debug, Default)]
pub(in crate::console) struct Logs {
    /// Only the shard of this name.
    pub(in crate::console) shard: Option<String>,
    /// Only warnings and errors.
    pub(in crate::console) severe: bool,
    pub(in crate::console) wrap: bool,
    /// Only lines that contain this.
    pub(in crate::console) filter: Line,
    /// The filter is being typed.
    pub(in crate::console) typing: bool,
    /// Number of the last line shown; `None` follows what comes.
    bottom: Option<u64>,
    /// Numbers of the lines that pass, oldest first.
    hits: VecDeque<u64>,
    /// Lines before this number were looked at.
    upto: u64,
}

impl Logs {
    /// What passes and is on screen or before it, newest first.
    pub(in crate::console) fn upwards(&self) -> impl Iterator<Item = u64> + '_ {
        self.hits.range(..self.end()).rev().copied()
    }

    /// Lines that pass.
    pub(in crate::console) fn count(&self) -> usize {
        self.hits.len()
    }

    /// Lines that pass and come after what is shown.
    pub(in crate::console) fn below(&self) -> usize {
        self.hits.len() - self.end()
    }

    pub(in crate::console) fn follows(&self) -> bool {
        self.bottom.is_none()
    }

    /// So many lines that pass are on screen or before it.
    fn end(&self) -> usize {
        self.bottom.map_or(self.hits.len(), |bottom| self.hits.partition_point(|hit| *hit <= bottom))
    }

    /// Moves by so many lines; stops following when it leaves the end, and follows again when it comes back to it.
    pub(super) fn scroll(&mut self, by: isize, page: usize) {
        let least = page.max(1).min(self.hits.len());
        let end = self.end().saturating_add_signed(by).clamp(least, self.hits.len());
        self.bottom = if end >= self.hits.len() { None } else { self.hits.get(end.max(1) - 1).copied() };
    }

    /// Follows what comes, or holds still.
    pub(super) fn toggle_follow(&mut self) {
        self.bottom = match self.bottom {
            None => self.hits.back().copied(),
            Some(_) => None,
        };
    }

    pub(super) fn follow(&mut self) {
        self.bottom = None;
    }

    /// What passes has changed.
    pub(super) fn again(&mut self, picture: &Picture) {
        self.hits.clear();
        self.upto = 0;
        self.catch_up(picture);
    }

    /// Looks at the lines that are new, and forgets those that are gone.
    pub(super) fn catch_up(&mut self, picture: &Picture) {
        let kept = picture.numbers();
        while self.hits.front().is_some_and(|hit| *hit < kept.start) {
            self.hits.pop_front();
        }
        let new = self.upto.max(kept.start)..kept.end;
        if new.is_empty() {
            return;
        }
        let filter = self.filter.text();
        let exact = filter.chars().any(char::is_uppercase);
        let skip = (new.start - kept.start) as usize;
        for (number, line) in new.zip(picture.deck.log.lines().skip(skip)) {
            if self.passes(line, &filter, exact) {
                self.hits.push_back(number);
            }
        }
        self.upto = kept.end;
        if self.bottom.is_some_and(|bottom| bottom < kept.start) {
            self.bottom = self.hits.front().copied();
        }
    }

    fn passes(&self, line: &LogLine, filter: &str, exact: bool) -> bool {
        if self.severe && line.severity < Severity::Warning {
            return false;
        }
        if self.shard.as_ref().is_some_and(|only| *only != line.shard.name) {
            return false;
        }
        if filter.is_empty() {
            return true;
        }
        let text = &line.text[..line.text.floor_char_boundary(SEARCHED)];
        if exact { text.contains(filter) } else { text.to_lowercase().contains(filter) }
    }

    /// What tells the last line shown from all others, while it is held: numbers change when the full state comes again.
    pub(super) fn anchor(&self, picture: &Picture) -> Option<(ShardId, u64, u64)> {
        let number = self.bottom?;
        let line = picture.line(number)?;
        Some((line.shard.clone(), line.offset, number))
    }

    /// Finds the line again that was held.
    pub(super) fn hold(&mut self, picture: &Picture, (shard, offset, number): &(ShardId, u64, u64)) {
        let is = |number: u64| picture.line(number).is_some_and(|line| line.offset == *offset && line.shard == *shard);
        if self.bottom.is_some() && !is(*number) {
            let found = self.hits.iter().copied().find(|number| is(*number));
            self.bottom = found.or(self.hits.front().copied());
        }
    }

    /// The next shard alone, or all.
    pub(super) fn next_shard(&mut self, picture: &Picture, back: bool) {
        let mut names: Vec<&str> = picture.deck.shards.keys().map(|id| id.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let at = self.shard.as_ref().and_then(|only| names.iter().position(|name| name == only));
        let next = match (at, back) {
            (None, false) => Some(0),
            (None, true) => names.len().checked_sub(1),
            (Some(at), false) => Some(at + 1),
            (Some(at), true) => at.checked_sub(1),
        };
        self.shard = next.and_then(|next| names.get(next)).map(|name| (*name).to_owned());
        self.again(picture);
    }
}
