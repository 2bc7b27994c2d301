use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::process::{members, signal};

/// Ends all processes of a shard: SIGTERM, the grace, SIGKILL; returns when none is left.
pub(super) async fn stop(nonce: &str, grace: Duration) {
    signal(nonce, &members(nonce).await, Signal::TERM);
    let deadline = Instant::now() + grace;
    loop {
        let left = members(nonce).await;
        if left.is_empty() {
            return;
        }
        if Instant::now() >= deadline {
            signal(nonce, &left, Signal::KILL);
        }
        sleep(Duration::from_millis(20)).await;
    }
}
