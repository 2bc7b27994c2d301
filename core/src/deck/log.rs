use std::collections::VecDeque;

use crate::shard::{Millis, Severity, ShardId};

/// So many lines of all shards are kept in memory; the files hold all.
const KEPT_LINES: usize = 5000;

/// One line that a shard printed.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// Who printed it.
    pub shard: ShardId,
    /// On which node.
    pub node: String,
    /// Byte offset of the line in its `out.log`.
    pub offset: u64,
    /// When the agent read it.
    pub at: Millis,
    /// As far as the text tells.
    pub severity: Severity,
    /// The line, without its end; may hold control characters.
    pub text: String,
}

/// The last lines of all shards in the order of their arrival.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    lines: VecDeque<LogLine>,
}

impl Log {
    /// Takes a line in; the oldest makes room.
    pub fn push(&mut self, line: LogLine) {
        while self.lines.len() >= KEPT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &LogLine> + ExactSizeIterator {
        self.lines.iter()
    }
}
