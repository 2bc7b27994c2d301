use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::group::Group;

/// Ends all processes of a shard: SIGTERM, the grace, SIGKILL; returns when none is left.
pub(super) async fn stop(group: &Group, grace: Duration) {
    group.signal(&group.members().await, Signal::TERM);
    let deadline = Instant::now() + grace;
    loop {
        let left = group.members().await;
        if left.is_empty() {
            return;
        }
        if Instant::now() >= deadline {
            group.kill(&left);
        }
        sleep(Duration::from_millis(20)).await;
    }
}
