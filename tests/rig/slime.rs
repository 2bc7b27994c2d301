//! The stand-in for slime on real Ray, on several hosts, started and watched by rldeck as an operator would do it: all
//! commands run on the first host.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::MutexGuard,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Hosts, RLDECK, Skip, ray_venv, repository, turn};

/// Hosts with the stand-in job.
pub struct Slime {
    pub hosts: Hosts,
    pub count: usize,
    venv: PathBuf,
    children: Vec<Child>,
    _turn: MutexGuard<'static, ()>,
}

impl Slime {
    /// So many hosts; nothing runs on them yet. `Skip` where the machine does not allow it.
    pub fn new(count: usize) -> Result<Slime, Skip> {
        let turn = turn();
        Ok(Slime { venv: ray_venv()?, hosts: Hosts::new(count)?, count, children: Vec::new(), _turn: turn })
    }

    /// A job file for all hosts, with more lines behind its tables.
    pub fn job(&self, name: &str, rollouts: u64, more: &str) -> PathBuf {
        let shared = self.hosts.shared();
        let list: String = (0..self.count).map(|index| format!("{} slots=8\n", self.hosts.address(index))).collect();
        fs::write(shared.join("hosts"), format!("# all of them\n\n{list}")).unwrap();
        let (venv, shared_dir, repository) = (self.venv.display(), shared.display(), repository());
        let dir = repository.join("tests/slime");
        let ssh = self.hosts.ssh_config();
        let text = format!(
            "engine = \"slime\"\nname = \"{name}\"\nmodel = \"qwen3-4b\"\n\
             [cluster]\nhostfile = \"hosts\"\ncolocate = true\nssh-config = \"{}\"\n\
             [env]\nSTANDIN_SECONDS = \"0.6\"\nPYTHONDONTWRITEBYTECODE = \"1\"\n\
             [slime]\ndir = \"{dir}\"\nmegatron-dir = \"{dir}\"\npython = \"{venv}/bin/python\"\nray = \"{venv}/bin/ray\"\n\
             ray-start = [\"--num-cpus=12\", \"--object-store-memory=80000000\"]\n\
             [checkpoint]\nhf-checkpoint = \"/m\"\nref-load = \"/m\"\nload = \"{shared_dir}/save\"\nsave = \"{shared_dir}/save\"\nsave-interval = 5\n\
             [rollout]\nprompt-data = \"/p\"\nnum-rollout = {rollouts}\nrollout-batch-size = 4\nn-samples-per-prompt = 8\nnum-steps-per-rollout = 2\n\
             dynamic-sampling-filter-path = \"slime.rollout.filter\"\n\
             [optimizer]\nlr = 1e-6\n[grpo]\nuse-kl-loss = true\n\
             [perf]\npipeline-model-parallel-size = {}\n\
             [misc]\nattention-dropout = 0.0\nhidden-dropout = 0.0\n{more}",
            ssh.display(),
            self.count,
            dir = dir.display(),
        );
        let path = shared.join("job.toml");
        fs::write(&path, text).unwrap();
        path
    }

    /// A command on the first host.
    pub fn command(&self, args: &[&str]) -> Command {
        let argv: Vec<&str> = std::iter::once(RLDECK).chain(args.iter().copied()).collect();
        self.hosts.on(0, &argv)
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

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.ok(&["status", "--json"])).unwrap()
    }

    /// Launches a job; its plain lines go to a file.
    pub fn up(&mut self, job: &Path) -> PathBuf {
        let lines = self.hosts.shared().join("lines");
        let out = fs::File::create(&lines).unwrap();
        let mut command = self.command(&["up", "--headless", job.to_str().unwrap()]);
        let child = command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        self.children.push(child);
        lines
    }

    /// Waits until there is an answer; how long it took.
    pub fn until<T>(&self, what: &str, patience: Duration, mut look: impl FnMut(&Value) -> Option<T>) -> (T, Duration) {
        let begun = Instant::now();
        loop {
            let output = self.output(&["status", "--json"]);
            if let Ok(status) = serde_json::from_slice::<Value>(&output.stdout)
                && let Some(answer) = look(&status)
            {
                return (answer, begun.elapsed());
            }
            if begun.elapsed() > patience {
                panic!("not within {patience:?}: {what}\n{}", self.story());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until a rollout of this number is trained.
    pub fn rollout(&self, number: u64, patience: Duration) -> Duration {
        self.until(&format!("rollout {number}"), patience, |status| {
            assert_ne!(status["state"], "failed", "{}", self.story());
            status["rollout"].as_u64().filter(|rollout| *rollout >= number)
        })
        .1
    }

    /// What the run says of itself, for a test that has failed.
    pub fn story(&self) -> String {
        let said = |args: &[&str]| String::from_utf8_lossy(&self.output(args).stdout).into_owned();
        let lines = fs::read_to_string(self.hosts.shared().join("lines")).unwrap_or_default();
        let logs = said(&["logs", "driver", "-n", "30"]);
        format!("{lines}\n{}\n{logs}", said(&["status"]))
    }

    /// The `ray` of all hosts.
    pub fn ray(&self) -> String {
        self.venv.join("bin/ray").display().to_string()
    }

    /// The pid of an agent, inside its host.
    pub fn agent(&self, node: &str) -> u32 {
        let status = self.status();
        let nodes = status["nodes"].as_array().unwrap();
        nodes.iter().find(|of| of["name"] == node).unwrap()["pid"].as_u64().unwrap() as u32
    }

    /// The directory of the one run, on the first host.
    pub fn run_dir(&self) -> PathBuf {
        let runs = self.hosts.root(0).join(".local/state/rldeck/runs");
        let mut runs: Vec<_> = fs::read_dir(runs).unwrap().map(|run| run.unwrap().path()).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }

    /// Processes of a host whose command line has these words in it.
    pub fn processes(&self, host: usize, words: &str) -> Vec<(u32, String)> {
        let script =
            "for p in /proc/[0-9]*; do printf '%s ' ${p#/proc/}; tr '\\0' ' ' < $p/cmdline; echo; done 2>/dev/null";
        let output = self.hosts.on(host, &["/bin/sh", "-c", script]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rows = text.lines().filter_map(|line| line.split_once(' '));
        let rows = rows.filter(|(_, line)| line.contains(words) && !line.contains("printf"));
        rows.filter_map(|(pid, line)| Some((pid.parse().ok()?, line.trim().to_owned()))).collect()
    }

    /// Everything of Ray, SGLang and slime that runs on a host.
    pub fn of_the_job(&self, host: usize) -> Vec<(u32, String)> {
        let words = ["ray::", "raylet", "gcs_server", "sglang::", "train.py", "dashboard", "log_monitor"];
        words.iter().flat_map(|words| self.processes(host, words)).collect()
    }

    /// Sends a signal to a process inside a host.
    pub fn signal(&self, host: usize, pid: u32, signal: &str) {
        assert!(self.hosts.on(host, &["kill", signal, &pid.to_string()]).status().unwrap().success());
    }
}

impl Drop for Slime {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.story());
        }
        let _ = self.output(&["down", "--stop", "--patience", "30"]);
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
