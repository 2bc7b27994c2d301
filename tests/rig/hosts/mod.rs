//! Several hosts on this machine, for tests that need real ssh, real addresses and real links that fail.
//!
//! A host is a set of namespaces (network, processes, mounts, name, ipc) whose first process is its sshd. Hosts share the
//! file system but for `/tmp`, `/run`, `/dev/shm`, `/etc/hosts` and the home of root: there each has its own. They are joined by a bridge
//! in a namespace of its own, so nothing is added to the machine's network, and 10.77.0.x means something only inside: .1 is
//! the console (a network namespace, nothing more), .2 the first host.
//!
//! cgroups: each host has a directory of its own in the cgroup v2 tree (`/sys/fs/cgroup/unified` where v1 is mounted too,
//! else `/sys/fs/cgroup`), and everything in the host lives below it, as `/proc/self/cgroup` says there. The tree is visible
//! and writable inside, because mounts are inherited; `ip netns exec` would mount another /sys over it, hence `nsenter`.

mod dir;
mod host;
mod net;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use dir::{Dir, keys};
use host::Host;
use net::Net;

use super::tools::{Skip, host_tools, is_root};

/// The port of each host's sshd.
const PORT: u16 = 2222;

/// Hosts, and a console that reaches them.
pub struct Hosts {
    hosts: Vec<Host>,
    net: Net,
    dir: Dir,
}

impl Hosts {
    /// So many hosts, each with an sshd that answers. `Skip` where the machine does not allow it.
    pub fn new(count: usize) -> Result<Hosts, Skip> {
        if !is_root() {
            return Err(Skip("several hosts on one machine take root".into()));
        }
        host_tools()?;
        net::sweep();
        static MADE: AtomicU32 = AtomicU32::new(0);
        let tag = format!("rl{}-{}-", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let dir = Dir::new().map_err(|error| Skip(format!("no directory for hosts: {error}")))?;
        let net = Net::new(&tag, count).map_err(|error| Skip(format!("no namespaces here: {error}")))?;
        // From here on, dropping it takes everything away again.
        let mut hosts = Hosts { hosts: Vec::new(), net, dir };
        keys(hosts.dir.path(), count).map_err(Skip)?;
        for index in 0..count {
            let host = Host::start(index, &tag, hosts.dir.path()).map_err(Skip)?;
            hosts.hosts.push(host);
        }
        for index in 0..count {
            hosts.answer(index)?;
        }
        Ok(hosts)
    }

    /// Waits for the sshd of a host.
    fn answer(&self, index: usize) -> Result<(), Skip> {
        let begun = Instant::now();
        loop {
            let output = self.ssh(index, "true").output().unwrap();
            if output.status.success() {
                return Ok(());
            }
            if begun.elapsed() > Duration::from_secs(10) {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                let log = fs::read_to_string(self.dir.path().join(format!("sshd{index}.log"))).unwrap_or_default();
                return Err(Skip(format!("host {index} does not answer: {said}{log}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The address of a host; it means something only inside.
    pub fn address(&self, index: usize) -> String {
        address(index)
    }

    /// For `ssh -F`: addresses, and `node0`, `node1`, ... for them; keys, known hosts; never asks. Readable in every host.
    pub fn ssh_config(&self) -> PathBuf {
        self.dir.path().join("ssh_config")
    }

    /// A directory that is outside of what hosts have of their own: seen by all of them under the same name.
    pub fn shared(&self) -> &Path {
        self.dir.path()
    }

    /// The `/tmp` of a host, as this process sees it.
    pub fn tmp(&self, index: usize) -> PathBuf {
        self.dir.path().join(format!("host{index}/tmp"))
    }

    /// The home of root on a host, as this process sees it.
    pub fn root(&self, index: usize) -> PathBuf {
        self.dir.path().join(format!("host{index}/root"))
    }

    /// The cgroup of a host, where there is a cgroup v2 tree that can be written.
    pub fn cgroup(&self, index: usize) -> Option<&Path> {
        self.hosts[index].cgroup()
    }

    /// A program in the console's network.
    pub fn console_command(&self, program: impl AsRef<Path>) -> Command {
        self.net.console_command(program.as_ref())
    }

    /// A shell line on a host, through ssh from the console.
    pub fn ssh(&self, index: usize, line: &str) -> Command {
        let mut command = self.console_command("ssh");
        command.arg("-F").arg(self.ssh_config()).args([&address(index), line]);
        command
    }

    /// A program inside a host, in its cgroup too, with nothing of this process's environment but what ssh would give it.
    pub fn on(&self, index: usize, argv: &[&str]) -> Command {
        self.hosts[index].command(argv)
    }

    /// Nothing passes to or from this host any more; nobody is told.
    pub fn cut_link(&self, index: usize) {
        self.net.link(index, false);
    }

    /// Mends it.
    pub fn restore_link(&self, index: usize) {
        self.net.link(index, true);
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        self.hosts.clear();
    }
}

fn address(index: usize) -> String {
    format!("10.77.0.{}", index + 2)
}
