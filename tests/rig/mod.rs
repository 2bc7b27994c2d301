//! A home of its own for each test, the binary run in it, and nothing of it left behind.

mod files;
mod hosts;
mod ray;
mod slime;
mod tools;
mod watcher;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rldeck_core::shard::ShardId;
use serde_json::Value;
use tempfile::TempDir;

pub use files::{event_lines, metric_lines};
pub use hosts::Hosts;
pub use ray::{python, venv as ray_venv};
pub use slime::Slime;
pub use tools::{Skip, repository};
pub use watcher::Watcher;

/// The binary under test.
pub const RLDECK: &str = env!("CARGO_BIN_EXE_rldeck");

/// A small job that runs on and on: no cold start to speak of, and every group is trained on.
pub const ENDLESS: &str = "recipe = \"r1-mini\"\nname = \"endless\"\n\
    [checkpoint]\ncold-start-steps = 1\nsave-interval = 5\n\
    [rollout]\nnum-rollout = 1000000\nrollout-batch-size = 4\nover-sampling-batch-size = 4\nn-samples-per-prompt = 4\n\
    num-steps-per-rollout = 1\nrollout-max-response-len = 24\ndynamic-sampling-filter-path = false\n\
    [eval]\neval-interval = 1000\n";

static TURN: Mutex<()> = Mutex::new(());

/// A test that takes the machine without a [`Rig`]. A test that failed has said so; the next one may have its turn.
pub fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One test's home.
pub struct Rig {
    dir: TempDir,
    children: Vec<Child>,
    _turn: MutexGuard<'static, ()>,
}

impl Rig {
    /// A new home; data and cold starts are shared by all tests.
    pub fn new() -> Rig {
        let rig = Rig::cold();
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        fs::create_dir_all(&cache).unwrap();
        symlink(cache, rig.home().join("cache")).unwrap();
        rig
    }

    /// A new home with nothing in it.
    pub fn cold() -> Rig {
        let turn = turn();
        let dir = tempfile::Builder::new().prefix("rldeck-").tempdir().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        Rig { dir, children: Vec::new(), _turn: turn }
    }

    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(RLDECK);
        command.args(args).env("RLDECK_HOME", self.home()).env_remove("NO_COLOR").stdin(Stdio::null());
        command
    }

    pub fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command that must do what it is asked for.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.output(args);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "rldeck {args:?}: {out}{err}");
        out.into_owned()
    }

    /// Runs a command that must refuse; what it says.
    pub fn refused(&self, args: &[&str]) -> String {
        let output = self.output(args);
        assert!(!output.status.success(), "rldeck {args:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.ok(&["status", "--json"])).unwrap()
    }

    /// Launches a job in the background, plain lines to a file, and waits until it runs.
    pub fn up(&mut self, job: &str) -> PathBuf {
        let job = self.write("job.toml", job);
        let lines = self.dir.path().join("lines");
        let out = fs::File::create(&lines).unwrap();
        let mut command = self.command(&["up", "--headless"]);
        let child = command.arg(job).stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        self.children.push(child);
        self.until("it runs", Duration::from_secs(120), |rig| {
            let output = rig.output(&["status", "--json"]);
            let status: Value = serde_json::from_slice(&output.stdout).ok()?;
            assert_ne!(status["state"], "failed", "{status}");
            (status["state"] == "running" && status["rollout"].as_u64() > Some(0)).then_some(())
        });
        lines
    }

    /// Waits until there is an answer.
    pub fn until<T>(&self, what: &str, patience: Duration, mut look: impl FnMut(&Rig) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(answer) = look(self) {
                return answer;
            }
            if begun.elapsed() > patience {
                let status = self.output(&["status"]);
                let logs =
                    ["node0.log", "node1.log"].map(|log| fs::read_to_string(self.home().join(log)).unwrap_or_default());
                panic!(
                    "not within {patience:?}: {what}\n{}\n{}",
                    String::from_utf8_lossy(&status.stdout),
                    logs.join("\n")
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until so many more rollouts are trained; the number of the last.
    pub fn rollouts(&self, more: u64) -> u64 {
        let from = self.status()["rollout"].as_u64().unwrap_or(0);
        self.until("rollouts are trained", Duration::from_secs(60), |rig| {
            rig.status()["rollout"].as_u64().filter(|rollout| *rollout >= from + more)
        })
    }

    /// The directory of the one run.
    pub fn run_dir(&self) -> PathBuf {
        let mut runs: Vec<_> = fs::read_dir(self.home().join("runs")).unwrap().map(|run| run.unwrap().path()).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }

    pub fn shard_dir(&self, id: &ShardId) -> PathBuf {
        self.run_dir().join(id.dir())
    }

    /// The pid of an agent.
    pub fn agent(&self, node: &str) -> u32 {
        let status = self.status();
        let nodes = status["nodes"].as_array().unwrap();
        nodes.iter().find(|of| of["name"] == node).unwrap()["pid"].as_u64().unwrap() as u32
    }

    /// The living shards: label and pid.
    pub fn shards(&self) -> Vec<(String, u32)> {
        let status = self.status();
        let alive = status["shards"].as_array().unwrap().iter().filter(|shard| shard["state"] == "running");
        alive.map(|shard| (shard["name"].as_str().unwrap().to_owned(), shard["pid"].as_u64().unwrap() as u32)).collect()
    }

    pub fn pid(&self, shard: &str) -> u32 {
        let shards = self.shards();
        shards.iter().find(|(name, _)| name == shard).unwrap_or_else(|| panic!("{shard} does not run: {shards:?}")).1
    }

    /// Everything that was started for this home and still runs: keepers, agents, shims, shards.
    fn left(&self) -> Vec<u32> {
        let needle = self.dir.path().to_string_lossy().into_owned().into_bytes();
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| *pid != std::process::id() && is_of(*pid, &needle)).collect()
    }
}

/// The process has this home in its environment.
fn is_of(pid: u32, home: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| environ.windows(home.len()).any(|part| part == home))
}

pub fn signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

impl Drop for Rig {
    fn drop(&mut self) {
        if thread::panicking() {
            let status = self.output(&["status"]);
            eprintln!("{}", String::from_utf8_lossy(&status.stdout));
        }
        let _ = self.output(&["down", "--stop", "--patience", "20"]);
        let begun = Instant::now();
        while !self.left().is_empty() && begun.elapsed() < Duration::from_secs(5) {
            thread::sleep(Duration::from_millis(20));
        }
        let left = self.left();
        for pid in &left {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        for child in &mut self.children {
            let _ = child.wait();
        }
        if !left.is_empty() && !thread::panicking() {
            panic!("`rldeck down --stop` has left processes behind: {left:?}");
        }
    }
}
