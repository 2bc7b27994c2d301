use std::{
    fs,
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::rig::{
    ray,
    tools::{repository, run, target},
};

/// What the first process of a host does before it becomes sshd. `$1` name, `$2` the host's own files, `$3` its cgroup or
/// nothing, `$4` sshd's configuration, then what is kept of directories that the host has of its own.
const INIT: &str = r#"
set -e
name=$1 own=$2 cgroup=$3 config=$4; shift 4
[ -z "$cgroup" ] || echo 0 > "$cgroup/cgroup.procs"
hostname "$name"
for kept; do mkdir -p "$own$kept"; mount --rbind "$kept" "$own$kept"; done
mount --rbind "$own/root" /root
mount --rbind "$own/tmp" /tmp
mount --bind "${config%/*}/names" /etc/hosts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -e -f "$config"
"#;

/// Puts itself into a cgroup and becomes the program.
const JOIN: &str = r#"[ -z "$1" ] || echo 0 > "$1/cgroup.procs"; shift; exec "$@""#;

/// One host.
pub(super) struct Host {
    /// `unshare`, the parent of the host's first process.
    parent: Child,
    init: u32,
    cgroup: Option<PathBuf>,
}

impl Host {
    pub(super) fn start(index: usize, tag: &str, dir: &Path) -> Result<Host, String> {
        let own = dir.join(format!("host{index}"));
        for name in ["root", "tmp"] {
            fs::create_dir_all(own.join(name)).map_err(|error| error.to_string())?;
        }
        let cgroup =
            cgroup_root().map(|root| root.join(format!("{tag}{index}"))).filter(|dir| fs::create_dir(dir).is_ok());
        let log = File::create(dir.join(format!("sshd{index}.log"))).map_err(|error| error.to_string())?;
        let mut command = Command::new("setsid");
        command.arg("nsenter").arg(format!("--net=/run/netns/{tag}{index}"));
        command.args(["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--mount-proc"]);
        command.args(["bash", "-c", INIT, "init", &format!("node{index}")]).arg(&own);
        command.arg(cgroup.clone().unwrap_or_default()).arg(dir.join(format!("sshd{index}.conf"))).args(kept());
        command.env_clear().env("PATH", PATH).stdin(Stdio::null());
        command.stdout(log.try_clone().map_err(|error| error.to_string())?).stderr(log);
        let parent = command.spawn().map_err(|error| format!("setsid: {error}"))?;
        let mut host = Host { parent, init: 0, cgroup };
        host.init = host.first_process().map_err(|error| {
            let log = fs::read_to_string(dir.join(format!("sshd{index}.log"))).unwrap_or_default();
            format!("host {index} does not start: {error}; {}", log.trim())
        })?;
        Ok(host)
    }

    /// The one child of `unshare`.
    fn first_process(&mut self) -> io::Result<u32> {
        let (pid, begun) = (self.parent.id(), Instant::now());
        while begun.elapsed() < Duration::from_secs(5) {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
            if let Some(child) = children.split_whitespace().next() {
                return child.parse().map_err(io::Error::other);
            }
            if let Some(status) = self.parent.try_wait()? {
                return Err(io::Error::other(status.to_string()));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(io::Error::other("it takes too long"))
    }

    pub(super) fn cgroup(&self) -> Option<&Path> {
        self.cgroup.as_deref()
    }

    pub(super) fn command(&self, argv: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init.to_string(), "--mount", "--uts", "--ipc", "--net", "--pid", "--wd=/root"]);
        command.args(["--", "/bin/sh", "-c", JOIN, "join"]).arg(self.cgroup.clone().unwrap_or_default()).args(argv);
        command.env_clear().env("PATH", PATH).env("HOME", "/root").env("USER", "root").stdin(Stdio::null());
        command
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.init != 0 {
            let _ = run("kill", &["-9", &self.init.to_string()]);
        }
        let _ = self.parent.kill();
        let _ = self.parent.wait();
        if let Some(cgroup) = &self.cgroup {
            let _ = fs::write(cgroup.join("cgroup.kill"), "1");
            let begun = Instant::now();
            while remove_cgroup(cgroup).is_err() && begun.elapsed() < Duration::from_secs(5) {
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The cgroup v2 tree, where it can be written.
fn cgroup_root() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mount = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2"))?;
    mount.split(' ').nth(1).map(PathBuf::from)
}

/// A cgroup goes only when those below it are gone.
fn remove_cgroup(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)?.flatten().filter(|entry| entry.path().is_dir()) {
        remove_cgroup(&entry.path())?;
    }
    fs::remove_dir(dir)
}

/// What hosts must still see of root's home and of `/tmp`, should it lie there: this repository, its target, python3.
fn kept() -> Vec<PathBuf> {
    let python = ray::python((3, 0)).and_then(|python| fs::canonicalize(python).ok());
    let needed = [Some(repository()), Some(target()), python];
    let mut kept: Vec<PathBuf> = needed
        .into_iter()
        .flatten()
        .filter_map(|path| {
            let own = ["/root", "/tmp"].map(Path::new).into_iter().find(|own| path.starts_with(own))?;
            Some(own.join(path.strip_prefix(own).ok()?.components().next()?))
        })
        .collect();
    kept.sort();
    kept.dedup();
    kept
}
