//! Processes by their identity: a pid alone names nothing.

use std::{
    collections::{HashMap, HashSet},
    fs,
    os::fd::OwnedFd,
    path::Path,
};

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

/// The nonces of all shards of which a process runs.
pub(super) fn nonces() -> HashSet<String> {
    Processes::now().all().filter(|pid| start_ticks(*pid).is_some()).filter_map(nonce_of).collect()
}

/// The processes of this machine and who their parents are, as they are now.
#[derive(Debug)]
pub(super) struct Processes(HashMap<u32, u32>);

impl Processes {
    pub(super) fn now() -> Processes {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Processes(pids.map(|pid| (pid, parent(pid).unwrap_or_default())).collect())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = u32> {
        self.0.keys().copied()
    }

    /// Parent, its parent, and so on.
    pub(super) fn ancestors(&self, pid: u32) -> impl Iterator<Item = u32> {
        // As many steps as there are processes: a table read while it changed may go round in a circle.
        std::iter::successors(self.0.get(&pid).copied(), |pid| self.0.get(pid).copied())
            .take_while(|pid| *pid > 1)
            .take(self.0.len())
    }

    /// Those of whom an ancestor is among these.
    pub(super) fn descendants(&self, of: &HashSet<u32>) -> Vec<u32> {
        self.all().filter(|pid| self.ancestors(*pid).any(|parent| of.contains(&parent))).collect()
    }
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat[stat.rfind(')')? + 1..].split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The process works in this directory: it was told of it in an argument or by its environment, or writes a file below it.
/// One with a terminal is a person's who looks around there.
pub(super) fn traces(pid: u32, dir: &Path) -> bool {
    let Some(name) = dir.to_str().map(str::as_bytes) else { return false };
    let mentions = |file: &str| {
        let read = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        read.windows(name.len() + 1).any(|part| part.starts_with(name) && matches!(part[name.len()], b'/' | 0))
    };
    !has_terminal(pid) && (mentions("cmdline") || mentions("environ") || writes_below(pid, dir))
}

fn has_terminal(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let fields = stat.rfind(')').map(|at| stat[at + 1..].split_ascii_whitespace().nth(4));
    !matches!(fields, Some(Some("0")))
}

fn writes_below(pid: u32, dir: &Path) -> bool {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    open.into_iter().any(|entry| {
        let Ok(target) = fs::read_link(entry.path()) else { return false };
        if !target.starts_with(dir) {
            return false;
        }
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{}", entry.file_name().display()));
        let flags = info.ok().and_then(|info| {
            let line = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
            u32::from_str_radix(line.trim(), 8).ok()
        });
        flags.is_some_and(|flags| flags & 0o3 != 0)
    })
}

/// Holds a process, so that its pid cannot become another's.
pub(super) fn handle(pid: u32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid.try_into().ok()?)?, PidfdFlags::empty()).ok()
}

pub(super) fn send(handle: &OwnedFd, signal: Signal) {
    let _ = pidfd_send_signal(handle, signal);
}

pub(super) fn carries(pid: u32, nonce: &str) -> bool {
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

    #[test]
    fn only_the_very_process_is_alive() {
        let mut child = Command::new("sleep").arg("60").env(NONCE, "a b").stdin(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        // Between fork and exec the child still has our environment.
        while !carries(pid, "a b") {
            std::thread::yield_now();
        }
        let start_ticks = start_ticks(pid).unwrap();
        let identity = Identity { pid, start_ticks, boot_id: boot_id(), nonce: "a b".into(), shim: 0, cgroup: None };
        assert!(is_alive(&identity));
        assert!(nonces().contains("a b"));
        for other in [
            Identity { start_ticks: identity.start_ticks + 1, ..identity.clone() },
            Identity { boot_id: "x".into(), ..identity.clone() },
            Identity { nonce: "a".into(), ..identity.clone() },
        ] {
            assert!(!is_alive(&other), "{other:?}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_alive(&identity));
    }

    #[test]
    fn a_writer_leaves_a_trace_and_a_reader_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let writer = fs::File::create(&path).unwrap();
        let mut writing = Command::new("sleep").arg("60").stdin(Stdio::null()).stdout(writer).spawn().unwrap();
        let reader = fs::File::open(&path).unwrap();
        let mut reading = Command::new("sleep").arg("60").stdin(reader).stdout(Stdio::null()).spawn().unwrap();
        let other = dir.path().with_extension("other");
        assert!(writes_below(writing.id(), dir.path()) && !writes_below(writing.id(), &other));
        assert!(!writes_below(reading.id(), dir.path()));
        for child in [&mut writing, &mut reading] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
