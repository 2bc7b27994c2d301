//! The bridge in a job on real Ray: the stand-in for slime, its real hooks, several hosts.

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::rig::{Hosts, Skip, ray_venv, repository, turn};

/// Ray on some hosts, with the bridge where rldeck puts it: in the directory of the node's shard.
struct Cluster {
    hosts: Hosts,
    count: usize,
    venv: PathBuf,
}

/// The shard's directory; each host has its own `/tmp`.
const SHARD: &str = "/tmp/shard";

impl Cluster {
    fn new(count: usize) -> Result<Cluster, Skip> {
        let venv = ray_venv()?;
        let cluster = Cluster { hosts: Hosts::new(count)?, count, venv };
        let bridge = repository().join("agent/src/backend/slime/rldeck_bridge.py");
        for index in 0..count {
            fs::create_dir(cluster.shard(index)).unwrap();
            fs::copy(&bridge, cluster.shard(index).join("rldeck_bridge.py")).unwrap();
        }
        let head = cluster.hosts.address(0);
        cluster.start(0, &["--head", "--port", "6379", "--dashboard-host", &head]).wait().unwrap();
        let join = ["--address", &format!("{head}:6379")];
        let mut workers: Vec<Child> = (1..count).map(|index| cluster.start(index, &join)).collect();
        assert!(workers.iter_mut().all(|worker| worker.wait().unwrap().success()), "ray start");
        Ok(cluster)
    }

    fn shard(&self, index: usize) -> PathBuf {
        self.hosts.tmp(index).join("shard")
    }

    fn command(&self, index: usize, argv: &[&str]) -> Command {
        let mut command = self.hosts.on(index, argv);
        let path = format!("{}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", self.venv.display());
        command.envs([("PATH", path.as_str()), ("RAY_AUTH_MODE", "disabled"), ("RAY_DEDUP_LOGS", "0")]);
        command.envs([("RLDECK_SHARD_DIR", SHARD), ("PYTHONDONTWRITEBYTECODE", "1")]);
        command
    }

    fn start(&self, index: usize, how: &[&str]) -> Child {
        let address = self.hosts.address(index);
        let mut argv = vec!["ray", "start", "--disable-usage-stats", "--node-ip-address", &address];
        argv.extend(["--num-cpus", "12", "--num-gpus", "8", "--object-store-memory", "80000000"]);
        argv.extend(how);
        self.command(index, &argv).stdout(Stdio::null()).spawn().unwrap()
    }

    /// Starts the job.
    fn submit(&self, id: &str, rollouts: u64) {
        let save = self.hosts.shared().join("save");
        let nodes = self.count;
        let job = format!(
            "STANDIN_SECONDS=0.6 RAY_DEDUP_LOGS=0 exec python {}/tests/slime/train.py --actor-num-nodes {nodes} \
             --actor-num-gpus-per-node 8 --colocate --pipeline-model-parallel-size {nodes} --num-rollout {rollouts} \
             --rollout-batch-size 4 --n-samples-per-prompt 4 --num-steps-per-rollout 2 --lr 1e-6 --use-kl-loss \
             --dynamic-sampling-filter-path slime.rollout.filter --save {save} --load {save} --save-interval 5 \
             --custom-megatron-before-train-step-hook-path rldeck_bridge.before_train_step \
             --custom-megatron-before-log-prob-hook-path rldeck_bridge.before_log_prob \
             --custom-rollout-log-function-path rldeck_bridge.log_rollout --unknown-to-us 1",
            repository().display(),
            save = save.display(),
        );
        let address = format!("http://{}:8265", self.hosts.address(0));
        // PYTHONPATH of a job replaces that of the node; Ray puts the node's own variables in.
        let environment = json!({"env_vars": {"PYTHONPATH": "/root/Megatron-LM/:${RLDECK_SHARD_DIR}"}}).to_string();
        let submit = ["ray", "job", "submit", "--no-wait", "--submission-id", id, "--address", &address];
        let environment = ["--runtime-env-json", &environment, "--"];
        let argv: Vec<&str> = submit.into_iter().chain(environment).chain(job.split_whitespace()).collect();
        assert!(self.command(0, &argv).stdout(Stdio::null()).status().unwrap().success());
    }

    /// What the driver has written so far. The log that Ray streams stands still at times; the file does not.
    fn log(&self, id: &str) -> String {
        let ray = self.hosts.tmp(0).join("ray");
        // The link is right only on the host.
        let Ok(session) = fs::read_link(ray.join("session_latest")) else { return String::new() };
        let logs = ray.join(session.file_name().unwrap()).join("logs");
        fs::read(logs.join(format!("job-driver-{id}.log")))
            .map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn state(&self, id: &str) -> String {
        let url = format!("http://{}:8265/api/jobs/{id}", self.hosts.address(0));
        let get =
            "import json, sys, urllib.request as r; print(json.load(r.urlopen(sys.argv[1], timeout=10))['status'])";
        let output = self.command(0, &["python", "-c", get, &url]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Waits for the end of the job, which must be a good one; what its driver has written.
    fn end(&self, id: &str) -> String {
        let begun = Instant::now();
        loop {
            match self.state(id).as_str() {
                "SUCCEEDED" => return self.log(id),
                state @ ("FAILED" | "STOPPED") => panic!("{id} {state}: {}", self.log(id)),
                state => {
                    assert!(begun.elapsed() < Duration::from_secs(120), "{id} is {state:?}: {}", self.log(id));
                    thread::sleep(Duration::from_millis(500));
                }
            }
        }
    }

    /// Replaces tune.json on every host, as the agents do.
    fn tune(&self, tune: &Value) {
        for index in 0..self.count {
            let fresh = self.shard(index).join("tune.json.new");
            fs::write(&fresh, tune.to_string()).unwrap();
            fs::rename(fresh, self.shard(index).join("tune.json")).unwrap();
        }
    }

    /// Events of this kind, of all hosts.
    fn events(&self, kind: &str) -> Vec<Value> {
        let texts = (0..self.count).filter_map(|index| fs::read_to_string(self.shard(index).join("events.jsonl")).ok());
        let texts: Vec<String> = texts.collect();
        // A line that is just being written is no line yet.
        let lines = texts.iter().flat_map(|text| text.lines().filter_map(|line| serde_json::from_str(line).ok()));
        lines.filter(|event: &Value| event["kind"] == kind).collect()
    }

    /// Waits for an acknowledgement of this value by this side; rollout and step.
    fn acknowledged(&self, by: &str, name: &str, value: &str) -> (u64, u64) {
        let begun = Instant::now();
        loop {
            let said = self.events("tuned").into_iter().find(|event| event["by"] == by && event["set"][name] == value);
            if let Some(said) = said {
                return (said["rollout"].as_u64().unwrap(), said["step"].as_u64().unwrap());
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{name} by {by}: {:?}", self.events("tuned"));
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Optimizer step to the values that slime's line gives it, as far as they are numbers.
fn steps(log: &str) -> BTreeMap<u64, BTreeMap<String, f64>> {
    let lines = log.lines().filter_map(|line| line.split_once(" - step "));
    let numbers = |text: &str| -> BTreeMap<String, f64> {
        let pairs = text.trim_matches(['{', '}']).split(", ").filter_map(|pair| pair.split_once(": "));
        pairs.filter_map(|(name, value)| Some((name.trim_matches('\'').to_owned(), value.parse().ok()?))).collect()
    };
    lines
        .filter_map(|(_, rest)| rest.split_once(": "))
        .map(|(step, dict)| (step.parse().unwrap(), numbers(dict)))
        .collect()
}

#[test]
fn a_job_on_ray_takes_changes_at_one_step_and_says_since_when() {
    let _turn = turn();
    let count = env::var("RLDECK_TEST_HOSTS").map_or(2, |count| count.parse().unwrap());
    let begun = Instant::now();
    let cluster = match Cluster::new(count) {
        Ok(cluster) => cluster,
        Err(skip) => return eprintln!("skipped: {skip}"),
    };
    println!("Ray on {count} hosts after {:?}", begun.elapsed());

    let begun = Instant::now();
    cluster.submit("first", 16);
    while cluster.events("metrics").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{}", cluster.log("first"));
        thread::sleep(Duration::from_millis(50));
    }
    println!("first rollout after {:?}", begun.elapsed());
    let set = json!({"lr": "0", "rollout-temperature": "0.7", "rollout-max-response-len": "77", "num-layers": "3"});
    cluster.tune(&json!({"version": 1, "set": set}));
    // What the controller does: it tells the trainer since when rollouts are sampled so.
    let (from, _) = cluster.acknowledged("rollout", "rollout-temperature", "0.7");
    cluster.tune(&json!({"version": 1, "set": set, "from": {"rollout-temperature": from}}));
    let (rollout, switched) = cluster.acknowledged("trainer", "rollout-temperature", "0.7");
    assert_eq!((rollout, switched), (from, 2 * from), "both sides with the same rollout");
    let (_, frozen) = cluster.acknowledged("trainer", "lr", "0");
    assert_eq!(cluster.acknowledged("rollout", "rollout-max-response-len", "77").0, from);
    let text = cluster.end("first");
    println!("16 rollouts after {:?}", begun.elapsed());

    let steps = steps(&text);
    assert_eq!(steps.keys().copied().collect::<Vec<_>>(), (0..32).collect::<Vec<_>>(), "{text}");
    for (step, values) in &steps {
        assert_eq!(values["train/lr-pg_0"], if *step < frozen { 1e-6 } else { 0.0 }, "step {step}");
        assert!(values["train/train_rollout_logprob_abs_diff"] < 0.1, "step {step}: the two sides differ");
        let cold = values["train/entropy_loss"] < 0.25;
        assert_eq!(cold, *step >= switched, "step {step}: {values:?}");
    }
    let refused = |said: &Value| said["refused"]["num-layers"].is_string();
    assert_eq!(cluster.events("tuned").iter().filter(|said| refused(said)).count(), 1);
    for part in
        ["  bundle    0, actual_bundle_index:", "Timer actor_train end (elapsed: ", "] Memory-Usage after wake_up"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains(&format!("rollout {from}: {{'rollout/raw_reward'")), "{text}");
    let funnels = cluster.events("funnel");
    assert_eq!(funnels.len(), 16);
    assert!(
        !cluster.events("sample").is_empty() && cluster.events("notice").is_empty(),
        "{:?}",
        cluster.events("notice")
    );

    // The next attempt goes on from the checkpoint, and takes the same changes at its first step.
    cluster.tune(&json!({"version": 1, "set": set}));
    cluster.submit("second", 18);
    let text = cluster.end("second");
    let steps = self::steps(&text);
    assert_eq!(steps.keys().copied().collect::<Vec<_>>(), (32..36).collect::<Vec<_>>(), "{text}");
    assert!(steps.values().all(|values| values["train/lr-pg_0"] == 0.0));
    let begun = Instant::now();
    drop(cluster);
    println!("gone after {:?}", begun.elapsed());
}
