use super::{
    Batch, BatchKind,
    cursor::{decimal, whole},
};
use crate::shard::Millis;

/// How busy a scheduler of an engine is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Requests that it works on.
    pub running: u64,
    /// Requests that wait.
    pub queued: u64,
    /// Used part of the KV cache, 0 to 1.
    pub cache: f64,
    /// Tokens written per second; 0 until the first decode batch.
    pub tokens_per_second: f64,
    /// When it said so.
    pub at: Millis,
}

impl Load {
    pub(super) fn take(&mut self, batch: Batch<'_>, now: Millis) {
        self.at = now;
        for (name, value) in batch.fields() {
            let place = match (name, batch.kind) {
                (b"#running-req", _) => &mut self.running,
                (b"#queue-req", _) => &mut self.queued,
                (b"token usage", _) => {
                    self.cache = decimal(value).unwrap_or(self.cache);
                    continue;
                }
                (b"gen throughput (token/s)", BatchKind::Decode) => {
                    self.tokens_per_second = decimal(value).unwrap_or(self.tokens_per_second);
                    continue;
                }
                _ => continue,
            };
            *place = whole(value).unwrap_or(*place);
        }
    }
}
