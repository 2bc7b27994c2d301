//! slime on Ray, from a hostfile to nothing left: real Ray on hosts of their own, real ssh, and a job that stands in for
//! slime's. Needs root; says so and passes where that is missing.

use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::rig::{Slime, metric_lines};

const MINUTES: Duration = Duration::from_secs(180);
const SOON: Duration = Duration::from_secs(60);

fn is_running(status: &Value, attempt: u64) -> Option<()> {
    (status["state"] == "running" && status["attempt"] == attempt).then_some(())
}

/// Nothing of the job is left on any host, no cgroup either.
fn nothing_left(slime: &Slime) {
    for host in 0..slime.count {
        assert_eq!(slime.of_the_job(host), [], "left on host {host}");
        if let Some(cgroup) = slime.hosts.cgroup(host) {
            let left: Vec<_> = fs::read_dir(cgroup).unwrap().flatten().map(|entry| entry.file_name()).collect();
            assert!(left.iter().all(|name| !name.to_string_lossy().contains("attempt")), "{left:?}");
        }
    }
}

/// Values of a metric in `metrics.jsonl`, by optimizer step.
fn steps(slime: &Slime, name: &str) -> Vec<(u64, u64, f64)> {
    let text = fs::read_to_string(slime.run_dir().join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let values = lines.filter_map(|line| {
        Some((line["shard"]["attempt"].as_u64()?, line["step"].as_u64()?, line["values"][name].as_f64()?))
    });
    values.collect()
}

#[test]
fn from_a_hostfile_to_rollouts_changes_a_restart_and_nothing_left() {
    let mut slime = match Slime::new(4) {
        Ok(slime) => slime,
        Err(skip) => return eprintln!("skipped: {skip}"),
    };
    let job = slime.job("whole", 1000, "");
    slime.up(&job);
    let (_, took) = slime.until("it runs", MINUTES, |status| is_running(status, 1));
    println!("from the hostfile to a running job: {took:?}");
    println!("first three rollouts after {:?} more", slime.rollout(2, MINUTES));

    // What it prints is read where it is written, under the name of whom it is from.
    let ranks = slime.until("all four trainers are known", SOON, |_| {
        let said = slime.ok(&["processes", "--json"]);
        let ranks = [0, 8, 16, 24].iter().filter(|rank| said.contains(&format!("\"rank {rank} "))).count();
        (ranks == 4).then_some(said)
    });
    assert!(ranks.0.contains("rollout manager") && ranks.0.contains("scheduler"), "{}", ranks.0);
    let log = slime.ok(&["logs", "rank-24"]);
    assert!(log.contains("step ") && log.contains("'train/loss'"), "rank 24 prints the metrics: {log}");

    // Changes: acknowledged by the side that each belongs to.
    let said = slime.ok(&["tune", "lr=5e-7", "rollout-temperature=0.7", "rollout-max-response-len=99"]);
    println!("{said}");
    assert!(said.contains("\nlr in force from step ") || said.contains("lr, "), "{said}");
    assert!(said.contains("rollout-temperature in force from step "), "{said}");
    let refused = slime.output(&["tune", "tensor-model-parallel-size=3"]);
    assert!(!refused.status.success(), "{}", String::from_utf8_lossy(&refused.stdout));
    let (_, took) = slime.until("the rate of the next step is the new one", SOON, |_| {
        steps(&slime, "train/lr-pg_0").last().filter(|(.., lr)| *lr == 5e-7).map(|_| ())
    });
    println!("seen in a step after {took:?}");
    let gap = steps(&slime, "train/train_rollout_logprob_abs_diff");
    assert!(gap.iter().all(|(.., gap)| *gap < 0.1), "sampling and training changed apart: {gap:?}");

    // A restart goes on after the last checkpoint, with the changes.
    let (checkpoint, _) = slime.until("a checkpoint", MINUTES, |status| status["checkpoint"].as_u64());
    let begun = Instant::now();
    println!("{}", slime.ok(&["restart"]));
    println!("from the request to a running attempt 2: {:?}", begun.elapsed());
    let (first, _) = slime.until("a step of attempt 2", MINUTES, |_| {
        steps(&slime, "train/lr-pg_0").into_iter().find(|(attempt, ..)| *attempt == 2)
    });
    println!("checkpoint after rollout {checkpoint}, first step of attempt 2 is {}, lr {}", first.1, first.2);
    assert!(first.1 >= 2 * (checkpoint + 1) && first.1 % 2 == 0, "{first:?}");
    slime.until("the changes hold again", SOON, |_| {
        steps(&slime, "train/lr-pg_0").last().filter(|(attempt, _, lr)| *attempt == 2 && *lr == 5e-7).map(|_| ())
    });
    let entrypoint = slime.ok(&["logs", "driver"]);
    for part in ["--rollout-temperature 0.7", "--use-checkpoint-opt_param-scheduler"] {
        assert!(entrypoint.contains(part), "{part}: {entrypoint}");
    }

    // From a chosen checkpoint.
    let (_, _) = slime.until("another checkpoint", MINUTES, |status| {
        status["checkpoint"].as_u64().filter(|rollout| *rollout > checkpoint)
    });
    slime.ok(&["restart", "--from", &checkpoint.to_string()]);
    let (first, _) = slime.until("a step of attempt 3", MINUTES, |_| {
        steps(&slime, "train/lr-pg_0").into_iter().find(|(attempt, ..)| *attempt == 3)
    });
    assert_eq!(first.1, 2 * (checkpoint + 1), "it goes on after the chosen one");

    // Every metric once, however it came.
    slime.rollout(checkpoint + 2, SOON);
    let begun = Instant::now();
    println!("{}", slime.ok(&["stop"]));
    println!("stopped after {:?}", begun.elapsed());
    metric_lines(&slime.run_dir());
    nothing_left(&slime);
    assert!(slime.ok(&["leftovers"]).matches("nothing left over").count() == slime.count);
}

#[test]
fn faults_are_named_and_touch_nothing_foreign() {
    let mut slime = match Slime::new(3) {
        Ok(slime) => slime,
        Err(skip) => return eprintln!("skipped: {skip}"),
    };
    // A Ray cluster that is none of ours, on a host of ours.
    let ray = slime.ray();
    let mut other = slime.hosts.on(
        1,
        &[
            &ray,
            "start",
            "--head",
            "--port=7001",
            "--dashboard-port=8301",
            "--temp-dir=/tmp/other",
            "--num-cpus=1",
            "--ray-client-server-port=20500",
            "--disable-usage-stats",
            "--object-store-memory=80000000",
            "--dashboard-agent-listen-port=53365",
            "--min-worker-port=27000",
            "--max-worker-port=27100",
        ],
    );
    assert!(other.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success(), "the other cluster");
    let before = foreign(&slime);
    assert!(before.len() >= 2, "{before:?}");

    let job = slime.job("faults", 100_000, "[restart]\nmax-restarts = 50\nbackoff-seconds = 0.2\n");
    slime.up(&job);
    slime.until("it runs", MINUTES, |status| is_running(status, 1));
    slime.rollout(1, MINUTES);
    let mut attempt = 1;
    let pids = |slime: &Slime, status: &Value| -> Vec<(String, u64)> {
        let alive = status["shards"].as_array().unwrap().iter().filter(|shard| shard["state"] == "running");
        let _ = slime;
        alive.map(|shard| (shard["name"].as_str().unwrap().to_owned(), shard["pid"].as_u64().unwrap())).collect()
    };

    // An agent and the controller: the job does not notice.
    let shards = pids(&slime, &slime.status());
    for (host, what) in [(1, "agent"), (0, "controller")] {
        let node = slime.hosts.address(host);
        let agent = slime.agent(&node);
        let begun = Instant::now();
        slime.signal(host, agent, "-9");
        slime.until("the agent is back", SOON, |status| {
            let nodes = status["nodes"].as_array()?;
            let node = nodes.iter().find(|of| of["name"] == node.as_str())?;
            (node["connected"] == true && node["pid"] != agent).then_some(())
        });
        println!("{what} killed: back after {:?}", begun.elapsed());
        let status = slime.status();
        assert_eq!((pids(&slime, &status), &status["attempt"]), (shards.clone(), &attempt.into()), "{what}");
    }
    let rollout = slime.status()["rollout"].as_u64().unwrap();
    slime.rollout(rollout + 2, SOON);

    // The driver's follower: another finds the job under its name.
    let follower = shards.iter().find(|(name, _)| name == "driver").unwrap().1;
    slime.signal(0, follower as u32, "-9");
    slime.until("another follows", SOON, |status| {
        let shards = status["shards"].as_array()?;
        shards.iter().any(|shard| shard["name"] == "driver~1" && shard["state"] == "running").then_some(())
    });
    let rollout = slime.status()["rollout"].as_u64().unwrap();
    slime.rollout(rollout + 2, SOON);
    assert_eq!(slime.status()["attempt"], attempt, "the job went on");

    // A link that is cut for a few seconds: named within three, and the job goes on.
    let node = slime.hosts.address(2);
    let begun = Instant::now();
    slime.hosts.cut_link(2);
    slime.until("the node is not heard", SOON, |status| {
        status["alerts"].to_string().contains(&format!("{node} is not heard")).then_some(())
    });
    let named = begun.elapsed();
    thread::sleep(Duration::from_secs(2));
    slime.hosts.restore_link(2);
    let (_, back) = slime.until("it is heard again", SOON, |status| {
        (!status["alerts"].to_string().contains("is not heard")).then_some(())
    });
    println!("link cut: named after {named:?}, heard again {back:?} after it was mended");
    let rollout = slime.status()["rollout"].as_u64().unwrap();
    slime.rollout(rollout + 1, SOON);
    assert_eq!(slime.status()["attempt"], attempt);

    // What ends the attempt: named, and the next one goes on after the last checkpoint without operator.
    let kill = [
        ("raylet killed", 2, "/raylet/raylet", "ray-2 on "),
        ("actor killed", 1, "ray::MegatronTrainRayActor", "a process of the job died"),
        ("GCS killed", 0, "gcs_server", "ray-0 on "),
        ("driver killed", 0, "python train.py", "the job has ended"),
    ];
    for (what, host, victim, said) in kill {
        let pid = one(&slime, host, victim);
        let begun = Instant::now();
        slime.signal(host, pid, "-9");
        let (text, _) = slime.until(what, SOON, |status| {
            let text = status["reason"].as_str()?.to_owned();
            (status["state"] != "running").then_some(text)
        });
        println!("{what}: after {:?}: {text}", begun.elapsed());
        assert!(text.contains(said), "{what}: {text}");
        attempt += 1;
        let (_, _) = slime.until("the next attempt runs", MINUTES, |status| is_running(status, attempt));
        println!("  attempt {attempt} runs after {:?}", begun.elapsed());
        let (_, took) = slime.until("it trains", MINUTES, |_| {
            steps(&slime, "train/loss").into_iter().find(|(of, ..)| *of == attempt).map(|_| ())
        });
        println!("  and trains {took:?} later");
        assert_eq!(foreign(&slime), before, "{what}: the other cluster is as it was");
    }

    slime.ok(&["stop"]);
    assert_eq!(foreign(&slime), before, "the other cluster is as it was");
    for host in [0, 2] {
        assert_eq!(slime.of_the_job(host), [], "left on host {host}");
    }
    // On the host of the other cluster, only that is left; it is shown as foreign, and ended on consent alone.
    let listed = slime.ok(&["leftovers", &slime.hosts.address(1)]);
    assert!(before.iter().all(|pid| listed.contains(&format!("pid {pid} "))), "{before:?} {listed}");
    let refused = slime.output(&["leftovers", "--stop"]);
    assert!(!refused.status.success() && foreign(&slime) == before, "nobody has consented");
    slime.ok(&["leftovers", "--stop", "--yes"]);
    assert_eq!(slime.of_the_job(1), []);
    metric_lines(&slime.run_dir());
}

/// The processes of the other cluster.
fn foreign(slime: &Slime) -> Vec<u32> {
    let all = slime.processes(1, "/tmp/other").into_iter();
    all.filter(|(_, line)| line.contains("raylet") || line.contains("gcs_server")).map(|(pid, _)| pid).collect()
}

/// The one process of a host with these words, of ours and not of the other cluster.
fn one(slime: &Slime, host: usize, words: &str) -> u32 {
    let found = slime.processes(host, words);
    let ours: Vec<_> =
        found.iter().filter(|(_, line)| !line.contains("/tmp/other") && !line.starts_with("rldeck")).collect();
    assert!(!ours.is_empty(), "no {words} on host {host}: {found:?}");
    ours[0].0
}
