//! What goes wrong with a job, as data: the words that tell it, what it is, what to do.

mod table;

use memchr::memmem;

pub use table::FAULTS;

use super::cursor::Cursor;
use crate::shard::Severity;

/// One thing that goes wrong.
#[derive(Debug)]
pub struct Fault {
    /// Its name, for rules and counts.
    pub id: &'static str,
    /// How a line tells it; any one is enough.
    pub signs: &'static [Sign],
    /// How bad it is.
    pub severity: Severity,
    /// What it is, for the operator.
    pub what: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Whether to start again without asking.
    pub restart: Restart,
}

/// Whether an automatic restart helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It does: what failed may work the next time.
    Useful,
    /// Once for each checkpoint: the same data may bring the same end.
    Once,
    /// It does not: a mistake of configuration comes again, or nothing has ended.
    Useless,
}

/// The words that tell a fault.
#[derive(Debug)]
pub struct Sign {
    /// Stand in the line literally.
    pub words: &'static str,
    /// Must stand in the line after the words; empty: nothing must.
    pub then: &'static str,
    /// The number right after the words must be as large.
    pub at_least: u64,
}

impl Sign {
    /// Whether what stands behind the words makes the sign whole.
    pub(super) fn holds(&self, behind: &[u8]) -> bool {
        (self.then.is_empty() || memmem::find(behind, self.then.as_bytes()).is_some())
            && (self.at_least == 0 || Cursor(behind).number().is_some_and(|number| number >= self.at_least))
    }
}

/// Words that look like a fault's and are none: with them in it, a line tells no fault.
pub(super) const HARMLESS: &[&str] = &["TorchMemorySaver::malloc return OOM"];
