//! slime on Ray: what runs on which host, as it could be typed by hand.
//!
//! The commands are those of slime's own launch scripts. What rldeck adds to run them safely is kept apart, so that
//! the plan can show both; with or without it the job is the same.

use std::collections::BTreeMap;

use serde_json::json;

use crate::job::{Job, Paths};

/// Stands where Ray's token will be: the token itself is in no plan, no journal and no log.
pub const TOKEN: &str = "<token>";

/// Ports for Ray's workers. Its usual range, 10002 to 19999, is also where slime looks for ports of its engines, from
/// 15000 on; its own are at 3000 to 5100 and from 20000 on.
const WORKER_PORTS: [(u16, u16); 2] = [(10_002, 14_999), (21_001, 25_999)];

/// All commands of a launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Ray on the first host.
    pub head: Start,
    /// Ray on every other host.
    pub workers: Vec<Start>,
    /// Environment of the job, on every host.
    pub env_vars: BTreeMap<String, String>,
    /// Arguments of `train.py`.
    pub argv: Vec<String>,
    /// `ray job submit ...`, which submits the job from the first host.
    pub submit: Vec<String>,
    /// What rldeck has Ray's Jobs API run instead, a line of shell. Without `exec` a shell would stand between Ray and
    /// the driver, and the driver would outlive a stop.
    pub entrypoint: String,
    /// What rldeck adds to the job.
    pub added: AddedToJob,
}

/// What rldeck adds to a job, so that it reports and can be tuned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddedToJob {
    /// Further arguments of `train.py`, behind its own.
    pub argv: Vec<String>,
    /// Environment of the driver.
    pub env: BTreeMap<String, String>,
    /// Further environment of all processes, and what replaces some of it.
    pub env_vars: BTreeMap<String, String>,
}

/// `ray start` on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The host.
    pub host: String,
    /// The command.
    pub argv: Vec<String>,
    /// What rldeck adds to it.
    pub added: Added,
}

/// What rldeck adds to a command to run it safely.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Further arguments.
    pub argv: Vec<String>,
    /// Its environment; [`TOKEN`] stands for the token.
    pub env: BTreeMap<String, String>,
}

impl Start {
    /// The command with what is added.
    pub fn full_argv(&self) -> Vec<String> {
        self.argv.iter().chain(&self.added.argv).cloned().collect()
    }

    /// The whole line of shell, environment first.
    pub fn line(&self) -> String {
        assigned(&self.added.env) + &shell(&self.full_argv())
    }
}

/// The commands that start this job with `overrides` (as for [`Job::argv`]) on `hosts`, the first of which is the
/// head. As long as nobody knows the hosts, they are called node0, node1, ... `resume` are arguments that the present
/// attempt needs to go on from a checkpoint.
pub fn launch(job: &Job, overrides: &BTreeMap<String, String>, hosts: &[String], resume: &[String]) -> Launch {
    let hosts = if hosts.is_empty() { unknown_hosts(job) } else { hosts.to_vec() };
    let master = hosts.first().cloned().unwrap_or_default();
    let argv = job.argv_on(overrides, hosts.len());
    let env_vars = env_vars(job, &master);
    let paths = &job.slime;

    let mut submit = words([&paths.ray, "job", "submit", &format!("--address=http://{}", dashboard(paths))]);
    let runtime_env = json!({ "env_vars": env_vars }).to_string();
    submit.extend(words(["--runtime-env-json", &runtime_env, "--", &paths.python, "train.py"]));
    submit.extend(argv.iter().cloned());

    // Ray leaves out lines that look alike within five seconds, and those of the ranks do.
    let mut added = if paths.bridge { bridge(job, &env_vars) } else { AddedToJob::default() };
    added.argv.extend(resume.iter().cloned());
    added.env.insert("RAY_DEDUP_LOGS".to_owned(), "0".to_owned());
    let mut program = words([&interpreter(paths), "train.py"]);
    program.extend(argv.iter().chain(&added.argv).cloned());
    let directory = shell(std::slice::from_ref(&paths.dir));
    let entrypoint = format!("cd {directory} && {}exec {}", assigned(&added.env), shell(&program));

    let start = |(at, host): (usize, &String)| start(job, &master, host, at == 0, &env_vars);
    let mut starts = hosts.iter().enumerate().map(start);
    let head = starts.next().unwrap_or_else(|| self::start(job, &master, &master, true, &env_vars));
    Launch { head, workers: starts.collect(), env_vars, argv, submit, entrypoint, added }
}

/// slime's public hooks, and the variable that names a hook of the operator's own in the same place: ours calls it.
const HOOKS: [(&str, &str, &str); 3] = [
    ("custom-megatron-before-train-step-hook-path", "before_train_step", "RLDECK_CHAIN_BEFORE_TRAIN_STEP"),
    ("custom-megatron-before-log-prob-hook-path", "before_log_prob", "RLDECK_CHAIN_BEFORE_LOG_PROB"),
    ("custom-rollout-log-function-path", "log_rollout", "RLDECK_CHAIN_LOG_ROLLOUT"),
];

/// What puts the bridge onto slime's hooks.
fn bridge(job: &Job, env_vars: &BTreeMap<String, String>) -> AddedToJob {
    let mut added = AddedToJob::default();
    for (argument, function, chain) in HOOKS {
        added.argv.extend([format!("--{argument}"), format!("rldeck_bridge.{function}")]);
        added.env_vars.extend(job.value(argument).map(|theirs| (chain.to_owned(), theirs)));
    }
    // Ray looks the variable up on each node: there it is the directory of the node's own shard, where the bridge lies.
    let path = env_vars.get("PYTHONPATH").map(String::as_str).unwrap_or_default();
    added.env_vars.insert("PYTHONPATH".to_owned(), format!("${{RLDECK_SHARD_DIR}}:{path}"));
    added
}

/// Words as one line of shell that means exactly them.
pub fn shell(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_@%+=:,./-".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// `NAME=value ` of each.
fn assigned(env: &BTreeMap<String, String>) -> String {
    env.iter().map(|(name, value)| format!("{name}={} ", quoted(value))).collect()
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}

fn unknown_hosts(job: &Job) -> Vec<String> {
    match job.cluster.hosts.is_empty() {
        true => (0..job.cluster.node_count()).map(|node| format!("node{node}")).collect(),
        false => job.cluster.hosts.clone(),
    }
}

fn start(job: &Job, master: &str, host: &str, head: bool, env_vars: &BTreeMap<String, String>) -> Start {
    let Paths { ray, dashboard_host, dashboard_port, gcs_port, .. } = &job.slime;
    let gpus = job.cluster.gpus_per_node.to_string();
    let argv = if head {
        let mut argv = words([ray, "start", "--head", "--node-ip-address", host, "--num-gpus", &gpus]);
        argv.push("--disable-usage-stats".to_owned());
        argv.push(format!("--dashboard-host={dashboard_host}"));
        argv.push(format!("--dashboard-port={dashboard_port}"));
        argv.extend((*gcs_port != Paths::default().gcs_port).then(|| format!("--port={gcs_port}")));
        argv
    } else {
        let address = format!("--address={}:{gcs_port}", bracketed(master));
        let argv = words([ray, "start", &address, "--num-gpus", &gpus, "--node-ip-address", host]);
        argv.into_iter().chain(["--disable-usage-stats".to_owned()]).collect()
    };
    Start { host: host.to_owned(), argv, added: Added { argv: guarded(&job.slime), env: guard(env_vars) } }
}

/// Arguments that make a raylet one process to watch, in a place of its own, out of the way of slime's ports.
fn guarded(paths: &Paths) -> Vec<String> {
    let taken = [paths.gcs_port, paths.dashboard_port];
    let free = |(least, most): &&(u16, u16)| !taken.iter().any(|port| (*least..=*most).contains(port));
    let (least, most) = WORKER_PORTS.iter().find(free).unwrap_or(&WORKER_PORTS[0]);
    let usual = || format!("/tmp/rldeck-ray-{}", paths.gcs_port);
    let temp_dir = paths.temp_dir.clone().unwrap_or_else(usual);
    vec![
        "--block".to_owned(),
        format!("--temp-dir={temp_dir}"),
        format!("--min-worker-port={least}"),
        format!("--max-worker-port={most}"),
    ]
}

/// Environment of a raylet: only who has the token may use it, and it stops at once when it is told to.
fn guard(env_vars: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = [
        ("RAY_AUTH_MODE", "token"),
        ("RAY_AUTH_TOKEN", TOKEN),
        // Otherwise a raylet waits half a minute for a job that will not end.
        ("RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S", "0"),
    ];
    let mut env: BTreeMap<String, String> = own.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    for name in ["MASTER_ADDR", "no_proxy"] {
        env.extend(env_vars.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    env
}

/// `[env]`, and what slime's scripts set beside it; what the file says counts.
fn env_vars(job: &Job, master: &str) -> BTreeMap<String, String> {
    let mut env = job.env.clone();
    let megatron = &job.slime.megatron_dir;
    let path = env.entry("PYTHONPATH".to_owned()).or_default();
    let bare = |dir: &str| dir.trim_end_matches('/').to_owned();
    if path.is_empty() {
        megatron.clone_into(path);
    } else if !path.split(':').any(|dir| bare(dir) == bare(megatron)) {
        *path = format!("{megatron}:{path}");
    }
    let master_addr = env.entry("MASTER_ADDR".to_owned()).or_insert_with(|| master.to_owned()).clone();
    env.entry("no_proxy".to_owned()).or_insert_with(|| format!("localhost,127.0.0.1,0.0.0.0,{master_addr}"));
    // Without it Megatron refuses tensor and context parallelism on everything before Blackwell.
    env.entry("CUDA_DEVICE_MAX_CONNECTIONS".to_owned()).or_insert_with(|| "1".to_owned());
    env
}

/// Where the head itself reaches the Jobs API.
pub(super) fn dashboard(paths: &Paths) -> String {
    let host = match paths.dashboard_host.as_str() {
        "0.0.0.0" | "::" | "localhost" => "127.0.0.1",
        host => host,
    };
    format!("{}:{}", bracketed(host), paths.dashboard_port)
}

/// An IPv6 address as it stands before a port.
pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// The Python of the entrypoint, which runs with a raylet's PATH and not the operator's: where it is not written out,
/// it is the one beside `ray`.
fn interpreter(paths: &Paths) -> String {
    match paths.ray.rsplit_once('/') {
        Some((directory, _)) if !paths.python.contains('/') => format!("{directory}/{}", paths.python),
        _ => paths.python.clone(),
    }
}

#[cfg(test)]
mod tests;
