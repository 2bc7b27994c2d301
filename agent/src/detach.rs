//! An agent in the background: started behind a keeper, away from whoever started it; found again; ended.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::{
        fs::{MetadataExt, OpenOptionsExt},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use crate::{
    home::{self, Home},
    shard::{boot_id, start_ticks},
};

/// An agent that is asked to end does so within this time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who runs as the agent of a node; written by it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Running {
    pid: u32,
    start_ticks: u64,
    boot_id: String,
}

/// What became of a node's agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// There was none.
    New,
    /// One of another version was ended first; its shards run on.
    Instead,
    /// There was one of this version already.
    There,
}

/// Starts the agent of a node behind a keeper. It outlives terminal and ssh session, and knows nothing of them.
pub fn spawn(home: &Home, node: &str, more: &[&str]) -> Result<(), String> {
    let path = home.agent_log(node);
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
    let log = log.map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    let told = |error: io::Error| format!("cannot start the agent {node}: {error}");
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("rldeck")
        .args(["keep", "agent", "--node", node])
        .args(more)
        .env("RLDECK_HOME", home.path())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(told)?)
        .stderr(log);
    for of_another in
        ["RLDECK_NONCE", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "SSH_AUTH_SOCK", "SSH_ORIGINAL_COMMAND"]
    {
        command.env_remove(of_another);
    }
    command.spawn().map(drop).map_err(told)
}

/// Sees to it that an agent of this very binary runs for the node.
pub fn ensure(home: &Home, node: &str, more: &[&str]) -> Result<Started, String> {
    let started = match running(home, node) {
        Some(running) if is_this_binary(running.pid) => return Ok(Started::There),
        Some(running) => {
            end(home, node, &running)?;
            Started::Instead
        }
        None => Started::New,
    };
    spawn(home, node, more)?;
    Ok(started)
}

/// Takes the place of a node's agent, and writes down who it is; `None` when another process has it.
pub fn claim(home: &Home, node: &str) -> io::Result<Option<File>> {
    let lock = home::lock(&lock_file(home, node))?;
    if lock.is_some() {
        let pid = std::process::id();
        let running = Running { pid, start_ticks: start_ticks(pid).unwrap_or(0), boot_id: boot_id() };
        // Nothing of it outlives this boot: to wait for the disk would only hold up an agent that must be back soon.
        let (path, aside) = (record(home, node), home.path().join(format!("{node}.agent.tmp-{pid}")));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(&serde_json::to_vec(&running)?)?;
        fs::rename(aside, path)?;
    }
    Ok(lock)
}

fn lock_file(home: &Home, node: &str) -> PathBuf {
    home.path().join(format!("{node}.lock"))
}

fn record(home: &Home, node: &str) -> PathBuf {
    home.path().join(format!("{node}.agent.json"))
}

/// The agent of this node, when the very process still runs.
fn running(home: &Home, node: &str) -> Option<Running> {
    let running: Running = home::read_json(&record(home, node))?;
    let same = running.boot_id == boot_id() && start_ticks(running.pid) == Some(running.start_ticks);
    same.then_some(running)
}

/// By the file itself: its name stays the same when another one is put in its place.
fn is_this_binary(pid: u32) -> bool {
    let file = |pid: &str| fs::metadata(format!("/proc/{pid}/exe")).map(|found| (found.dev(), found.ino()));
    matches!((file("self"), file(&pid.to_string())), (Ok(ours), Ok(its)) if ours == its)
}

/// Asks it to end; its keeper, which is of the old binary too, ends with it.
fn end(home: &Home, node: &str, running: &Running) -> Result<(), String> {
    let told = |what: &str| format!("the agent {node} of another version (pid {}) {what}", running.pid);
    let pid = i32::try_from(running.pid).ok().and_then(Pid::from_raw);
    let handle = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    // Held by a handle it cannot become another process any more.
    if let Some(handle) = handle
        && start_ticks(running.pid) == Some(running.start_ticks)
    {
        pidfd_send_signal(handle, Signal::TERM).map_err(|error| told(&format!("cannot be ended: {error}")))?;
    }
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Ok(Some(_)) = home::lock(&lock_file(home, node)) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(told(&format!("has not ended within {} s", PATIENCE.as_secs())))
}
