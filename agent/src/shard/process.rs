//! Processes by their identity: a pid alone names nothing.

use std::{collections::HashSet, fs, os::fd::OwnedFd};

use rldeck_core::shard::Identity;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// How the nonce travels to a shard and all its descendants.
pub(super) const NONCE: &str = "RLDECK_NONCE";

/// Changes with every boot of the machine.
pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Start time of a living process in clock ticks since boot; `None` when there is none, or only its zombie.
pub(crate) fn start_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the fields after it count from 3.
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then(|| fields.nth(18)?.parse().ok())?
}

/// The process still is the one that was started.
pub(super) fn is_alive(identity: &Identity) -> bool {
    identity.boot_id == boot_id()
        && start_ticks(identity.pid) == Some(identity.start_ticks)
        && carries(identity.pid, &identity.nonce)
}

/// The shard's process and all its descendants that still run. Looks at every process of the machine, away from the runtime.
pub(super) async fn members(nonce: &str) -> Vec<u32> {
    let nonce = nonce.to_owned();
    let look = move || processes().filter(|pid| carries(*pid, &nonce) && start_ticks(*pid).is_some()).collect();
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

/// The nonces of all shards of which a process runs.
pub(super) fn nonces() -> HashSet<String> {
    processes().filter(|pid| start_ticks(*pid).is_some()).filter_map(nonce_of).collect()
}

fn processes() -> impl Iterator<Item = u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Signals those members that still carry the nonce once they are held by a handle: never a process that got a freed pid.
pub(super) fn signal(nonce: &str, pids: &[u32], signal: Signal) {
    for pid in pids {
        let Some(handle) = handle(*pid) else { continue };
        if carries(*pid, nonce) {
            let _ = pidfd_send_signal(handle, signal);
        }
    }
}

fn handle(pid: u32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid.try_into().ok()?)?, PidfdFlags::empty()).ok()
}

fn carries(pid: u32, nonce: &str) -> bool {
    nonce_of(pid).is_some_and(|carried| carried == nonce)
}

fn nonce_of(pid: u32) -> Option<String> {
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut vars = environ.split(|byte| *byte == 0);
    let value = vars.find_map(|var| var.strip_prefix(NONCE.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[tokio::test]
    async fn only_the_very_process_is_alive() {
        let mut child = Command::new("sleep").arg("60").env(NONCE, "a b").stdin(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        // Between fork and exec the child still has our environment.
        while !carries(pid, "a b") {
            std::thread::yield_now();
        }
        let identity =
            Identity { pid, start_ticks: start_ticks(pid).unwrap(), boot_id: boot_id(), nonce: "a b".into(), shim: 0 };
        assert!(is_alive(&identity));
        assert_eq!(members("a b").await, [pid]);
        assert!(nonces().contains("a b"));
        for other in [
            Identity { start_ticks: identity.start_ticks + 1, ..identity.clone() },
            Identity { boot_id: "x".into(), ..identity.clone() },
            Identity { nonce: "a".into(), ..identity.clone() },
        ] {
            assert!(!is_alive(&other), "{other:?}");
        }
        signal("another", &[pid], Signal::KILL);
        assert!(is_alive(&identity), "a process of another nonce must not be signalled");
        signal("a b", &[pid], Signal::KILL);
        child.wait().unwrap();
        assert!(!is_alive(&identity));
    }
}
