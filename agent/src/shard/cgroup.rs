//! A cgroup (version 2) for each shard: what holds all its descendants, whatever they do to their environment, session or
//! parent. Hosts where none can be made go without: a container often mounts the tree read-only.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The directory of the cgroup that this process is in, in the mounted tree.
fn own() -> Option<PathBuf> {
    let path = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = path.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    mounts.lines().find_map(|line| below(line, path))
}

/// Where `path` lies in the mount of this line of mountinfo, if that is a cgroup tree which shows it.
fn below(line: &str, path: &str) -> Option<PathBuf> {
    let (mount, kind) = line.split_once(" - ")?;
    if kind.split(' ').next() != Some("cgroup2") {
        return None;
    }
    let mut fields = mount.split(' ').skip(3);
    let (root, point) = (fields.next()?, fields.next()?);
    let rest = Path::new(path).strip_prefix(root).ok()?;
    Some(Path::new(point).join(rest))
}

/// A cgroup that is being entered.
#[derive(Debug)]
pub(super) struct Entered {
    own: PathBuf,
    made: PathBuf,
}

impl Entered {
    /// Makes a cgroup of this name beside us and goes into it: what is spawned now is born in it. `None` where that cannot be.
    pub(super) fn new(name: &str) -> Option<Entered> {
        let own = own()?;
        let made = own.join(name);
        match fs::create_dir(&made) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return None,
            _ => {}
        }
        match enter(&made) {
            Ok(()) => Some(Entered { own, made }),
            Err(_) => {
                let _ = fs::remove_dir(&made);
                None
            }
        }
    }

    /// Goes back to where we were; the directory of the cgroup.
    pub(super) fn leave(self) -> io::Result<PathBuf> {
        enter(&self.own)?;
        Ok(self.made)
    }
}

fn enter(cgroup: &Path) -> io::Result<()> {
    fs::write(cgroup.join("cgroup.procs"), "0")
}

/// All processes in it and below it.
pub(super) fn members(cgroup: &Path) -> Vec<u32> {
    let mut pids: Vec<u32> = fs::read_to_string(cgroup.join("cgroup.procs"))
        .map(|text| text.lines().filter_map(|line| line.parse().ok()).collect())
        .unwrap_or_default();
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            pids.extend(members(&entry.path()));
        }
    }
    pids
}

/// Ends all processes in it at once, also those that are being forked; kernels before 5.14 cannot.
pub(super) fn kill(cgroup: &Path) -> io::Result<()> {
    fs::write(cgroup.join("cgroup.kill"), "1")
}

/// Takes an empty cgroup away.
pub(super) fn remove(cgroup: &Path) {
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(cgroup);
}

/// The name of a shard's cgroup: what its nonce says, in letters that a directory may have.
pub(super) fn name(nonce: &str) -> String {
    let letters = nonce.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_~".contains(c) { c } else { '.' });
    format!("rldeck.{}", letters.take(200).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_found_wherever_it_is_mounted() {
        let line = "43 35 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
        assert_eq!(below(line, "/"), Some("/sys/fs/cgroup/unified/".into()));
        assert_eq!(below(line, "/a/b"), Some("/sys/fs/cgroup/unified/a/b".into()));
        let line = "30 23 0:26 /docker/7 /sys/fs/cgroup ro,nosuid shared:4 - cgroup2 cgroup rw";
        assert_eq!(below(line, "/docker/7/x"), Some("/sys/fs/cgroup/x".into()));
        assert_eq!(below(line, "/else"), None);
        assert_eq!(below("36 35 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu", "/"), None);
    }

    #[test]
    fn a_nonce_becomes_one_directory() {
        assert_eq!(name("20261125-r1:19a:attempt-1/ray-0~1"), "rldeck.20261125-r1.19a.attempt-1.ray-0~1");
        assert!(!name("../..").contains('/'));
    }
}
