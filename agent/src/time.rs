use std::time::{SystemTime, UNIX_EPOCH};

use rldeck_core::shard::Millis;

/// The wall clock.
pub fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
