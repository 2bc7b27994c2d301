//! What Megatron says of checkpoints.

use std::borrow::Cow;

use memchr::memmem;

use super::{Record, cursor::Cursor, text};

/// A checkpoint is written or read. `dir` is `--save` or `--load`: all iterations lie in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checkpoint<'a> {
    /// Writing begins.
    Saving {
        /// The rollout after which it is saved.
        iteration: u64,
        /// Where.
        dir: Cow<'a, str>,
    },
    /// All ranks have written their part.
    Saved {
        /// The rollout after which it was saved.
        iteration: u64,
        /// Where.
        dir: Cow<'a, str>,
    },
    /// The job goes on from here.
    Loaded {
        /// The last rollout in it; absent for weights without training state.
        iteration: Option<u64>,
        /// Where.
        dir: Cow<'a, str>,
    },
    /// No checkpoint was found there.
    Missing {
        /// The file that would name the last one.
        tracker: Cow<'a, str>,
    },
}

/// Behind `saving checkpoint at iteration`: `      19 to DIR in torch_dist format`.
pub(super) fn saving(rest: &[u8]) -> Option<Record<'_>> {
    let mut cursor = Cursor(rest);
    let iteration = cursor.number()?;
    cursor.literal(" to ")?;
    let end = memmem::rfind(cursor.0, b" in ").unwrap_or(cursor.0.len());
    let dir = text(cursor.0[..end].trim_ascii());
    Some(Record::Checkpoint(Checkpoint::Saving { iteration, dir }))
}

/// Behind `successfully saved checkpoint from iteration`: `      19 to DIR [ t 1/8, p 1/4 ]`.
pub(super) fn saved(rest: &[u8]) -> Option<Record<'_>> {
    let mut cursor = Cursor(rest);
    let iteration = cursor.number()?;
    cursor.literal(" to ")?;
    Some(Record::Checkpoint(Checkpoint::Saved { iteration, dir: dir(&mut cursor) }))
}

/// Behind `successfully loaded checkpoint from `: `DIR [ t 1/8, p 1/4 ] at iteration 19`.
pub(super) fn loaded(rest: &[u8]) -> Option<Record<'_>> {
    let mut cursor = Cursor(rest);
    let dir = dir(&mut cursor);
    let iteration = cursor.until("at iteration ").and_then(|_| cursor.number());
    Some(Record::Checkpoint(Checkpoint::Loaded { iteration, dir }))
}

/// Behind `loading release distributed checkpoint from `: `DIR`.
pub(super) fn released(rest: &[u8]) -> Option<Record<'_>> {
    Some(Record::Checkpoint(Checkpoint::Loaded { iteration: None, dir: text(rest.trim_ascii()) }))
}

/// Behind `could not find the metadata file `: `DIR/latest_checkpointed_iteration.txt`.
pub(super) fn missing(rest: &[u8]) -> Option<Record<'_>> {
    let tracker = Cursor(rest).while_(|byte| !byte.is_ascii_whitespace());
    Some(Record::Checkpoint(Checkpoint::Missing { tracker: text(tracker) }))
}

/// The directory up to the bracket of the parallel ranks, or up to the iteration, or all.
fn dir<'a>(cursor: &mut Cursor<'a>) -> Cow<'a, str> {
    let end = [b" [ t ".as_slice(), b" at iteration "].iter().filter_map(|mark| memmem::find(cursor.0, mark)).min();
    let (dir, rest) = cursor.0.split_at(end.unwrap_or(cursor.0.len()));
    cursor.0 = rest;
    text(dir.trim_ascii())
}
