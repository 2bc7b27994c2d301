use super::*;

/// What slime's own script gives `train.py` for DeepSeek-R1 on 16 x 8 GPUs.
const R1: &str = include_str!("deepseek-r1.txt");
/// The same for Qwen3-4B on 8 GPUs.
const QWEN: &str = include_str!("qwen3-4b.txt");

fn recipe(name: &str) -> Job {
    match Job::from_recipe(name, &|_| None) {
        Ok((job, _)) => job,
        other => panic!("{other:?}"),
    }
}

fn hosts(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("10.0.0.{n}")).collect()
}

fn plan(job: &Job, hosts: &[String]) -> Launch {
    launch(job, &BTreeMap::new(), hosts, &[])
}

#[test]
fn the_recipe_launches_what_the_script_launches() {
    let expected: Vec<&str> = R1.split_whitespace().collect();
    let job = recipe("deepseek-r1");
    assert_eq!(job.argv(&BTreeMap::new()), expected);
    assert_eq!(plan(&job, &hosts(16)).argv, expected);
    assert_eq!(plan(&job, &[]).argv, expected);
    assert_eq!(recipe("qwen3-4b").argv(&BTreeMap::new()), QWEN.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn commands_are_those_of_the_guide() {
    let launch = plan(&recipe("deepseek-r1"), &hosts(16));
    let head = "ray start --head --node-ip-address 10.0.0.1 --num-gpus 8 --disable-usage-stats --dashboard-host=0.0.0.0 --dashboard-port=8265";
    assert_eq!((launch.head.host.as_str(), shell(&launch.head.argv).as_str()), ("10.0.0.1", head));
    assert_eq!(launch.workers.len(), 15);
    let worker = "ray start --address=10.0.0.1:6379 --num-gpus 8 --node-ip-address 10.0.0.16 --disable-usage-stats";
    assert_eq!((launch.workers[14].host.as_str(), shell(&launch.workers[14].argv).as_str()), ("10.0.0.16", worker));

    let mut env = launch.env_vars.clone();
    assert_eq!(env.remove("BASE_DIR").as_deref(), Some("/data"));
    let expected = [
        ("CUDA_DEVICE_MAX_CONNECTIONS", "1"),
        ("LD_LIBRARY_PATH", "/usr/local/nvidia/lib:/usr/local/nvidia/lib64:/sgl-workspace/nvshmem/install/lib/"),
        ("MASTER_ADDR", "10.0.0.1"),
        ("NVSHMEM_DISABLE_NCCL", "1"),
        ("PYTHONPATH", "/root/Megatron-LM/"),
        ("no_proxy", "localhost,127.0.0.1,0.0.0.0,10.0.0.1"),
    ];
    assert_eq!(env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(), expected);

    let submit: Vec<&str> = launch.submit.iter().map(String::as_str).collect();
    assert_eq!(submit[..5], ["ray", "job", "submit", "--address=http://127.0.0.1:8265", "--runtime-env-json"]);
    let runtime_env: serde_json::Value = serde_json::from_str(submit[5]).unwrap();
    assert_eq!(runtime_env, json!({ "env_vars": launch.env_vars }));
    assert_eq!(submit[6..9], ["--", "python3", "train.py"]);
    assert_eq!(submit[9..], launch.argv);
}

#[test]
fn what_rldeck_adds_stands_apart() {
    let launch = plan(&recipe("deepseek-r1"), &hosts(2));
    for start in [&launch.head, &launch.workers[0]] {
        assert_eq!(
            start.line(),
            format!(
                "MASTER_ADDR=10.0.0.1 RAY_AUTH_MODE=token RAY_AUTH_TOKEN='<token>' RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=0 \
                 no_proxy=localhost,127.0.0.1,0.0.0.0,10.0.0.1 {} --block --temp-dir=/tmp/rldeck-ray-6379 \
                 --min-worker-port=10002 --max-worker-port=14999",
                shell(&start.argv)
            )
        );
    }
    let begin = "cd /root/slime && RAY_DEDUP_LOGS=0 exec python3 train.py --actor-num-nodes 2 --actor-num-gpus-per-node 8 --colocate --disable-bias-linear";
    assert!(launch.entrypoint.starts_with(begin), "{}", launch.entrypoint);
    assert!(launch.entrypoint.contains(" --moe-layer-freq '[0,0,0,1,1,"));
    let end = " --moe-token-dispatcher-type flex --custom-megatron-before-train-step-hook-path rldeck_bridge.before_train_step \
        --custom-megatron-before-log-prob-hook-path rldeck_bridge.before_log_prob \
        --custom-rollout-log-function-path rldeck_bridge.log_rollout";
    assert!(launch.entrypoint.ends_with(end), "{}", launch.entrypoint);
    let path = ("PYTHONPATH".to_owned(), "${RLDECK_SHARD_DIR}:/root/Megatron-LM/".to_owned());
    assert_eq!(launch.added.env_vars, BTreeMap::from([path]));
}

#[test]
fn the_file_says_where_ray_is_and_listens() {
    let mut job = recipe("qwen3-4b");
    let launch = plan(&job, &[]);
    assert_eq!((launch.head.host.as_str(), launch.workers.len()), ("node0", 0));
    assert!(launch.head.argv.contains(&"--dashboard-host=127.0.0.1".to_owned()));

    job.slime.ray = "/venv/bin/ray".to_owned();
    job.slime.dashboard_host = "fd00::1".to_owned();
    (job.slime.gcs_port, job.slime.dashboard_port) = (12_000, 9000);
    job.slime.temp_dir = Some("/local/ray".to_owned());
    job.slime.dir = "/opt/my slime".to_owned();
    job.env =
        BTreeMap::from([("PYTHONPATH".to_owned(), "/mine".to_owned()), ("MASTER_ADDR".to_owned(), "a".to_owned())]);
    let launch = plan(&job, &["fd00::1".to_owned(), "fd00::2".to_owned()]);
    assert_eq!(
        shell(&launch.head.argv),
        "/venv/bin/ray start --head --node-ip-address fd00::1 --num-gpus 8 --disable-usage-stats --dashboard-host=fd00::1 --dashboard-port=9000 --port=12000"
    );
    assert_eq!(launch.workers[0].argv[2], "--address=[fd00::1]:12000");
    assert_eq!(launch.submit[3], "--address=http://[fd00::1]:9000");
    // The usual ports would meet Ray's own.
    assert_eq!(
        launch.head.added.argv,
        ["--block", "--temp-dir=/local/ray", "--min-worker-port=21001", "--max-worker-port=25999"]
    );
    assert!(launch.entrypoint.starts_with("cd '/opt/my slime' && RAY_DEDUP_LOGS=0 exec /venv/bin/python3 train.py"));
    let env = |name: &str| launch.env_vars[name].as_str();
    assert_eq!(env("PYTHONPATH"), "/root/Megatron-LM/:/mine");
    assert_eq!((env("MASTER_ADDR"), env("no_proxy")), ("a", "localhost,127.0.0.1,0.0.0.0,a"));
    job.env.insert("PYTHONPATH".to_owned(), "/x:/root/Megatron-LM".to_owned());
    assert_eq!(plan(&job, &[]).env_vars["PYTHONPATH"], "/x:/root/Megatron-LM");
}

#[test]
fn changes_reach_the_arguments_and_the_hosts_that_are_there_count() {
    let job = recipe("deepseek-r1");
    let set = BTreeMap::from([("lr".to_owned(), "2e-6".to_owned())]);
    let launch = launch(&job, &set, &hosts(3), &[]);
    let after = |name: &str| {
        let at = launch.argv.iter().position(|word| word == name).unwrap();
        launch.argv[at + 1].as_str()
    };
    assert_eq!((after("--lr"), after("--actor-num-nodes")), ("2e-6", "3"));
    assert!(launch.entrypoint.contains(" --lr 2e-6 "));
}

#[test]
fn what_a_shell_would_change_stands_in_quotes() {
    let odd =
        ["", "a b", "it's", "$HOME", "[0,1]", "~", "*", "a\nb", "\"", "\\", "#", "--x=é", "{\"a\": 1}", ";", "a=b"];
    let line = shell(&odd.map(str::to_owned));
    assert_eq!(line, "'' 'a b' 'it'\\''s' '$HOME' '[0,1]' '~' '*' 'a\nb' '\"' '\\' '#' '--x=é' '{\"a\": 1}' ';' a=b");
}

#[test]
fn a_hook_of_the_operators_own_is_called_by_ours() {
    let text = "recipe = \"qwen3-4b\"\n[misc]\ncustom-rollout-log-function-path = \"mine.log\"\n";
    let job = Job::read(text, "job.toml", &|_| None).unwrap().0;
    assert_eq!(plan(&job, &[]).added.env_vars["RLDECK_CHAIN_LOG_ROLLOUT"], "mine.log");
    let job = Job { slime: Paths { bridge: false, ..job.slime.clone() }, ..job };
    let launch = plan(&job, &[]);
    assert!(launch.added.argv.is_empty() && launch.added.env_vars.is_empty());
}
