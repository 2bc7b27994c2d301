use std::{fs::File, path::Path, time::Duration};

use rldeck_core::{
    run::ShardState,
    shard::{EXIT, Exit, Identity, PID, SPEC, Spec},
};
use rustix::fs::{FlockOperation, flock};
use tokio::{sync::watch, time::sleep};

use super::{group::Group, process::is_alive, stop::stop};
use crate::{
    home::{read_json, replace_json},
    now,
};

/// How often a shard is looked at that nobody waits for: it is starting, or its shim was killed.
const EVERY: Duration = Duration::from_millis(50);
/// What is left of a shard after its own end gets so long before it is killed.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);

/// How a shard is, and its pid.
pub(super) type Seen = (ShardState, u32);

/// Follows a shard by its files until it has ended and nothing of it is left. While its shim lives this costs nothing.
pub(super) async fn watch(dir: &Path, spec: &Spec, seen: &watch::Sender<Seen>) {
    let end = loop {
        let now = look(dir);
        if !now.0.alive() {
            break now;
        }
        let started = now.1 != 0;
        seen.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
        if !begun(dir) {
            condemn(dir);
        }
        if started && shim_waits(dir) {
            shim_is_done(dir).await;
        } else {
            sleep(EVERY).await;
        }
    };
    let group = Group::of(dir, spec);
    if !group.members().await.is_empty() {
        stop(&group, LEFTOVER_GRACE).await;
    }
    group.forget();
    seen.send_replace(end);
}

/// Waits until the shim lets go of its lock: it has written down the end, or it was killed.
async fn shim_is_done(dir: &Path) {
    let spec = dir.join(SPEC);
    let waited =
        tokio::task::spawn_blocking(move || std::io::Result::Ok(flock(File::open(spec)?, FlockOperation::LockShared)?));
    if !matches!(waited.await, Ok(Ok(()))) {
        sleep(EVERY).await;
    }
}

/// What the files say now.
pub(super) fn look(dir: &Path) -> Seen {
    // The order matters: a shim that has let go has written what it had to write.
    let waited_for = shim_waits(dir);
    let identity: Option<Identity> = read_json(&dir.join(PID));
    let pid = identity.as_ref().map_or(0, |identity| identity.pid);
    if let Some(exit) = read_json::<Exit>(&dir.join(EXIT)) {
        return (ended(exit), pid);
    }
    match identity {
        Some(identity) if is_alive(&identity) => (ShardState::Running, pid),
        Some(_) if waited_for => (ShardState::Running, pid),
        Some(_) => (ShardState::Lost, pid),
        None => (ShardState::Starting, 0),
    }
}

/// A shim has taken the shard on.
pub(super) fn begun(dir: &Path) -> bool {
    shim_waits(dir) || dir.join(PID).exists() || dir.join(EXIT).exists()
}

/// Writes down that a shard never ran, if nobody has taken it on; a shim that comes late finds this and leaves it alone.
fn condemn(dir: &Path) {
    let Ok(spec) = File::open(dir.join(SPEC)) else { return };
    if flock(&spec, FlockOperation::NonBlockingLockExclusive).is_ok()
        && !dir.join(PID).exists()
        && !dir.join(EXIT).exists()
    {
        let error = Some("its shim ended before it began".to_owned());
        let _ = replace_json(&dir.join(EXIT), &Exit { code: None, signal: None, at: now(), error });
    }
}

fn ended(exit: Exit) -> ShardState {
    match (exit.signal, exit.error) {
        (Some(signal), _) => ShardState::Killed { signal },
        (None, error) => ShardState::Exited { code: exit.code, error: error.unwrap_or_default() },
    }
}

fn shim_waits(dir: &Path) -> bool {
    File::open(dir.join(SPEC)).is_ok_and(|spec| flock(&spec, FlockOperation::NonBlockingLockShared).is_err())
}
