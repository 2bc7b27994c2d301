//! The rules that need to know what is on the nodes.

use super::*;

/// The rules that this file tests.
pub(super) const TESTED: &[&str] = &[
    "placement.twice",
    "placement.gpus-per-node",
    "memory.host",
    "memory.host-peak",
    "memory.gpu",
    "memory.engine",
    "memory.disk",
    "resume.schedule",
    "resume.kept",
    "resume.step-size",
    "resume.finished",
    "resume.start",
    "resume.fallback",
    "resume.stray-config",
    "resume.fresh",
    "resume.files",
];

/// The directory `load` after rollout 119 of R1 itself.
fn load() -> Checkpoints {
    let job = r1();
    let made_with = job.arguments.iter().map(|set| (set.name.clone(), job.value(&set.name).unwrap())).collect();
    Checkpoints { tracker: Some("119\n".into()), iterations: vec![99, 119], config: false, made_with }
}

fn at(load: Checkpoints) -> Facts {
    Facts { load: Some(load), ..Facts::default() }
}

fn said(changes: &[&str], facts: &Facts) -> Vec<String> {
    let mut ids = ids(&changed(r1(), changes), facts);
    ids.retain(|id| id != "memory.reference");
    ids
}

#[test]
fn hosts_and_their_gpus() {
    let mut job = r1();
    job.cluster.hosts[3] = job.cluster.hosts[2].clone();
    assert!(ids(&job, &Facts::default()).contains(&"placement.twice".to_owned()));
    assert_eq!(said(&[], &Facts { gpus_per_node: Some(7), ..Facts::default() }), ["placement.gpus-per-node"]);
    assert_eq!(said(&[], &Facts { gpus_per_node: Some(8), ..Facts::default() }), [""; 0]);
}

#[test]
fn a_hostfile_that_nobody_has_read_says_nothing_about_the_number_of_nodes() {
    let mut job = r1();
    job.cluster.hosts.clear();
    job.cluster.hostfile = Some("/data/mpi_hostfile".into());
    assert_eq!(ids(&job, &Facts::default()), ["memory.reference"]);
    let nodes = |nodes| ids(&job, &Facts { nodes: Some(nodes), ..Facts::default() });
    assert_eq!(nodes(16), ["memory.reference"]);
    assert!(nodes(15).contains(&"layout.world".to_owned()));
    let hosts = vec!["10.0.0.99".to_owned()];
    let proxied = changed(job.clone(), &["env HTTP_PROXY=p", "env no_proxy=localhost,127.0.0.1"]);
    assert!(ids(&proxied, &Facts { hosts, ..Facts::default() }).contains(&"network.proxy".to_owned()));
}

#[test]
fn proxies_spare_hosts_by_name_domain_network_or_all() {
    let mut job = changed(r1(), &["env http_proxy=p"]);
    job.cluster.hosts = ["a.cluster", "b.cluster"].map(str::to_owned).into();
    let asked = |spared: &str| {
        let job = changed(job.clone(), &[&format!("env no_proxy=localhost,127.0.0.1,{spared}")]);
        ids(&job, &Facts::default()).contains(&"network.proxy".to_owned())
    };
    assert!(asked("a.cluster"));
    assert!(asked("cluster.b"));
    for spared in ["a.cluster,b.cluster", ".cluster", "cluster", "*.cluster", "*"] {
        assert!(!asked(spared), "{spared}");
    }
}

#[test]
fn memory_and_disk() {
    let host = |gigabytes: u64| said(&[], &Facts { host_bytes: Some(gigabytes * 1_000_000_000), ..Facts::default() });
    assert_eq!(host(1000), ["memory.host"]);
    assert_eq!(host(1300), ["memory.host-peak"]);
    assert_eq!(host(1500), [""; 0]);
    let gpu = |changes: &[&str], gigabytes: u64| {
        said(changes, &Facts { gpu_bytes: Some(gigabytes * 1_000_000_000), ..Facts::default() })
    };
    assert_eq!(gpu(&[], 80), [""; 0]);
    assert_eq!(gpu(&[], 40), ["memory.gpu"]);
    assert_eq!(gpu(&["sglang-mem-fraction-static 0.2"], 80), ["memory.engine"]);
    let disk = |changes: &[&str], terabytes: u64| {
        said(changes, &Facts { free_bytes: Some(terabytes * 1_000_000_000_000), ..Facts::default() })
    };
    assert_eq!(disk(&[], 9), ["memory.disk"]);
    assert_eq!(disk(&[], 10), [""; 0]);
    assert_eq!(disk(&["no-save-optim"], 2), [""; 0]);
}

#[test]
fn going_on_with_the_same_job_is_nothing_to_talk_about() {
    assert_eq!(said(&[], &at(load())), [""; 0]);
}

#[test]
fn a_schedule_that_the_checkpoint_was_not_made_with() {
    let changes: [&[&str]; 8] = [
        &["lr 2e-6"],
        &["min-lr 1e-7"],
        &["weight-decay 0.01"],
        &["-weight-decay"],
        &["lr-decay-style cosine"],
        &["num-rollout 4000"],
        &["rollout-batch-size 256"],
        &["n-samples-per-prompt 16"],
    ];
    for change in changes {
        assert_eq!(said(change, &at(load())), ["resume.schedule"], "{change:?}");
        let kept = [change, &["use-checkpoint-opt_param-scheduler"]].concat();
        assert_eq!(said(&kept, &at(load())), ["resume.kept"], "{change:?}");
        let overridden = [change, &["override-opt_param-scheduler"]].concat();
        let expected: &[&str] = if change[0].contains("lr ") { &["resume.step-size"] } else { &[] };
        assert_eq!(said(&overridden, &at(load())), *expected, "{change:?}");
        let fresh = [change, &["finetune"]].concat();
        assert_eq!(said(&fresh, &at(load())), [""; 0], "{change:?}");
    }
    // Written otherwise and the same.
    assert_eq!(said(&["lr 0.000001"], &at(load())), [""; 0]);
    // 1024 samples in 8 steps of 128 are as many samples as in 4 of 256.
    assert_eq!(said(&["num-steps-per-rollout 8"], &at(load())), [""; 0]);
}

#[test]
fn where_the_job_goes_on() {
    assert_eq!(said(&["num-rollout 120"], &at(load())), ["resume.schedule", "resume.finished"]);
    assert_eq!(said(&["start-rollout-id 120"], &at(load())), [""; 0]);
    assert_eq!(said(&["start-rollout-id 100"], &at(load())), ["resume.start"]);
    assert_eq!(said(&["start-rollout-id 3000"], &Facts::default()), ["resume.finished"]);
    assert_eq!(said(&["ckpt-step 99", "start-rollout-id 100"], &at(load())), [""; 0]);
    assert_eq!(said(&[], &at(Checkpoints { tracker: None, ..load() })), ["resume.fallback"]);
    assert_eq!(said(&[], &at(Checkpoints { tracker: None, config: true, ..load() })), ["resume.stray-config"]);
    assert_eq!(said(&[], &at(Checkpoints::default())), ["resume.fresh"]);
    let release = Checkpoints { tracker: Some("release".into()), ..Checkpoints::default() };
    assert_eq!(said(&[], &at(release)), [""; 0]);
}

#[test]
fn files_that_are_not_there() {
    let files = |path: &str, there| Facts { files: [(path.to_owned(), there)].into(), ..Facts::default() };
    for path in ["/data/DeepSeek-R1/", "/data/DeepSeek-R1_torch_dist/", "/data/rl_data/aime-2024.jsonl"] {
        assert_eq!(said(&[], &files(path, false)), ["resume.files"], "{path}");
        assert_eq!(said(&[], &files(path, true)), [""; 0]);
    }
    assert_eq!(said(&[], &files("aime", false)), [""; 0]);
}
