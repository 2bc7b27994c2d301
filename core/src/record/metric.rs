//! `step 11: {'train/loss': ...}` and its like. Which file of slime printed it, and behind what, is not looked at.

use memchr::memmem;

use super::{
    Record,
    cursor::whole,
    literal::{Items, Values},
};

/// What the values of a metric line belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An optimizer step of the actor.
    Step,
    /// An optimizer step of the critic.
    CriticStep,
    /// The data of a rollout, as the trainer got it.
    Rollout,
    /// Times of the trainer.
    TrainerPerf,
    /// Times and lengths of the rollout manager.
    RolloutPerf,
    /// An evaluation.
    Eval,
    /// Pass rates of a rollout.
    PassRate,
    /// Turns of the conversations of a rollout.
    MultiTurn,
}

const NAMES: [(&str, Kind); 7] = [
    ("critic-step", Kind::CriticStep),
    ("step", Kind::Step),
    ("rollout", Kind::Rollout),
    ("perf", Kind::TrainerPerf),
    ("eval", Kind::Eval),
    ("passrate", Kind::PassRate),
    ("multi_turn", Kind::MultiTurn),
];

/// Longest name of a value, in bytes.
const LONGEST_NAME: usize = 300;

/// The metrics whose `: {` stands at `at`. Their names hold a `/`; a dictionary of something else is not taken for them.
pub(super) fn metrics(line: &[u8], at: usize) -> Option<Record<'_>> {
    let head = &line[..at];
    let digits = head.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (head, number) = head.split_at(at - digits);
    let number = whole(number)?;
    let head = head.strip_suffix(b" ")?;
    let (name, kind) = NAMES.into_iter().find(|(name, _)| head.ends_with(name.as_bytes()))?;
    let before = head[..head.len() - name.len()].last();
    if before
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/' | b'.' | b'\'' | b'"'))
    {
        return None;
    }
    let inside = line.get(at + ": {".len()..)?;
    let items = Items::new(inside);
    if !Items::new(&inside[..inside.len().min(LONGEST_NAME)]).first_key()?.contains(&b'/') {
        return None;
    }
    let kind = match kind {
        Kind::TrainerPerf if is_of_rollout(inside) => Kind::RolloutPerf,
        kind => kind,
    };
    Some(Record::Metrics { kind, number, values: Values(items) })
}

/// Both sides print `perf N`: the rollout manager tells its own time, the trainer never does.
fn is_of_rollout(inside: &[u8]) -> bool {
    ["perf/rollout_time", "'rollout/"].iter().any(|key| memmem::find(inside, key.as_bytes()).is_some())
}
