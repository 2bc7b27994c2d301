//! All processes of a shard. A pid alone names nothing: whatever is signalled is held by a handle first and looked at again.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use rldeck_core::shard::{Identity, PID, Spec};
use rustix::process::Signal;

use super::{
    cgroup,
    process::{Processes, carries, handle, send, start_ticks, traces},
};
use crate::home::read_json;

/// How the processes of one shard are told from all others: by the nonce in their environment, by the cgroup that holds
/// them, and where there is no cgroup by what they have open in a directory that only this shard uses.
#[derive(Clone, Debug)]
pub(super) struct Group {
    nonce: String,
    cgroup: Option<PathBuf>,
    scratch: Option<PathBuf>,
}

impl Group {
    /// As the files of the shard's directory say it.
    pub(super) fn of(dir: &Path, spec: &Spec) -> Group {
        let identity: Option<Identity> = read_json(&dir.join(PID));
        let cgroup = identity.and_then(|identity| identity.cgroup).map(PathBuf::from);
        let scratch = spec.scratch.as_ref().map(PathBuf::from).filter(|_| cgroup.is_none());
        Group { nonce: spec.nonce.clone(), cgroup, scratch }
    }

    /// Those that run. Looks at every process of the machine, away from the runtime.
    pub(super) async fn members(&self) -> Vec<u32> {
        let group = self.clone();
        tokio::task::spawn_blocking(move || group.look()).await.unwrap_or_default()
    }

    /// [`Group::members`], at once.
    pub(super) fn look(&self) -> Vec<u32> {
        let processes = Processes::now();
        let mut found: HashSet<u32> = self.cgroup.iter().flat_map(|cgroup| cgroup::members(cgroup)).collect();
        found.extend(processes.all().filter(|pid| carries(*pid, &self.nonce)));
        if let Some(scratch) = &self.scratch {
            found.extend(processes.all().filter(|pid| traces(*pid, scratch)));
            found.extend(processes.descendants(&found));
        }
        let mut found: Vec<u32> = found.into_iter().filter(|pid| start_ticks(*pid).is_some()).collect();
        found.sort_unstable();
        found
    }

    /// Signals those of them that still belong to the shard.
    pub(super) fn signal(&self, pids: &[u32], signal: Signal) {
        for pid in pids {
            let Some(handle) = handle(*pid) else { continue };
            if self.has(*pid) {
                send(&handle, signal);
            }
        }
    }

    /// Ends all of them.
    pub(super) fn kill(&self, pids: &[u32]) {
        if let Some(cgroup) = &self.cgroup {
            let _ = cgroup::kill(cgroup);
        }
        self.signal(pids, Signal::KILL);
    }

    /// The processes that its cgroup holds; none where there is no cgroup.
    pub(super) fn held(&self) -> Vec<u32> {
        self.cgroup.as_deref().map(cgroup::members).unwrap_or_default()
    }

    /// Nothing is left of it: takes its cgroup away.
    pub(super) fn forget(&self) {
        if let Some(cgroup) = &self.cgroup {
            cgroup::remove(cgroup);
        }
    }

    fn has(&self, pid: u32) -> bool {
        carries(pid, &self.nonce)
            || self.cgroup.as_ref().is_some_and(|cgroup| in_cgroup(pid, cgroup))
            || self.scratch.as_ref().is_some_and(|scratch| {
                let processes = Processes::now();
                traces(pid, scratch) || processes.ancestors(pid).any(|pid| traces(pid, scratch))
            })
    }
}

/// The process is in this cgroup or below it, as the kernel says it now.
fn in_cgroup(pid: u32, cgroup: &Path) -> bool {
    let Some(name) = cgroup.file_name().and_then(|name| name.to_str()) else { return false };
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/cgroup")) else { return false };
    let path = text.lines().find_map(|line| line.strip_prefix("0::"));
    path.is_some_and(|path| Path::new(path).iter().any(|part| part == name))
}
