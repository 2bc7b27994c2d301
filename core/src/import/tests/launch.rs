//! From the words of a launch to the tables of a job file.

use super::*;
use crate::argument::Group;

fn run(script: &str) -> (Imported, Job) {
    let imported = good(plain(script));
    let job = job(&imported);
    (imported, job)
}

#[test]
fn every_way_to_launch_is_found() {
    let args = LAUNCH.strip_prefix("python3 train.py").unwrap();
    let launches = [
        format!("python3 train.py {args}"),
        format!("python -u /opt/slime/train.py {args}"),
        format!("exec python3 train.py {args}"),
        format!("PYTHONPATH=/m nohup python3 train.py {args} > log 2>&1 &"),
        format!("ray job submit --address http://x --no-wait --runtime-env-json '{{}}' -- python3 train.py {args}"),
        format!("ray job submit --address=http://x -- python3 train.py {args} 2>&1 | tee log"),
        format!("launch() {{ python3 train.py \"$@\"; }}\nlaunch {args}"),
        format!("if [ -z \"$A\" ]; then (cd /opt/slime && python3 train.py {args}); fi"),
        format!("CMD=\"python3 train.py {args}\"\n$CMD"),
    ];
    for script in launches {
        let (_, job) = run(&script);
        // Four more say how many machines and GPUs.
        assert_eq!(job.argv(&BTreeMap::new()).len(), 4 + 10, "{script}");
    }
    let (_, job) = run(&format!("python -u /opt/slime/train.py {args}"));
    assert_eq!((job.slime.dir.as_str(), job.slime.python.as_str()), ("/opt/slime", "python"));
    let (imported, _) = run(&format!("python3 train_async.py {args}"));
    assert!(lines(&imported.findings).contains("launches train_async.py"), "{:?}", imported.findings);
}

#[test]
fn arguments_keep_the_group_of_their_array() {
    let script = format!(
        "MISC_ARGS=(--lr 3)\nMY=(--eps-clip 0.2 --zork 1 2)\nSGLANG_ARGS=(--sglang-mem-fraction-static=0.5 --odd)\n\
         {LAUNCH} ${{MISC_ARGS[@]}} ${{MY[@]}} ${{SGLANG_ARGS[@]}} --sglang-new-thing a"
    );
    let (imported, job) = run(&script);
    let group = |name: &str| job.arguments.iter().find(|set| set.name == name).unwrap().group;
    assert_eq!(group("lr"), Group::Misc);
    assert_eq!(group("eps-clip"), Group::Grpo);
    assert_eq!(group("zork"), Group::Misc);
    assert_eq!(group("sglang-mem-fraction-static"), Group::Sglang);
    // Below [sglang] it would be given a prefix that it has not.
    assert_eq!(group("odd"), Group::Misc);
    assert!(imported.file.contains("\nzork = [1, 2]\n"), "{}", imported.file);
    assert!(imported.file.contains("\nmem-fraction-static = 0.5\n"), "{}", imported.file);
}

#[test]
fn what_stands_twice_holds_as_in_the_script() {
    let script = format!("PERF_ARGS=(--lr 1 --lr 2)\nMISC_ARGS=(--lr 3)\n{LAUNCH} ${{PERF_ARGS[@]}} ${{MISC_ARGS[@]}}");
    let (imported, job) = run(&script);
    let values: Vec<_> = job.arguments.iter().filter(|set| set.name == "lr").map(|set| set.value.clone()).collect();
    assert_eq!(values, [crate::job::Value::One("2".into()), crate::job::Value::One("3".into())]);
    assert!(lines(&imported.findings).contains("--lr stands again at run-x.sh:1"), "{:?}", imported.findings);

    let script = format!("PERF_ARGS=(--lr 1)\nMISC_ARGS=(--lr 3)\n{LAUNCH} ${{MISC_ARGS[@]}} ${{PERF_ARGS[@]}}");
    assert_eq!(run(&script).1.value("lr").as_deref(), Some("1"));
}

#[test]
fn variables_of_the_caller_stay_variables_and_secrets_stay_outside() {
    let env = map([("BASE", "/data"), ("WANDB_KEY", "hidden"), ("HOME", "/root"), ("TWO", "a b")]);
    let script = format!("{LAUNCH} --load $BASE/x --wandb-key ${{WANDB_KEY}} --save $HOME/s --two $TWO --price 5\\$");
    let imported = good(with(&script, &env, &map([]), &map([])));
    let file = &imported.file;
    for line in [
        "BASE = \"/data\"",
        "load = \"${BASE}/x\"",
        "wandb-key = \"${WANDB_KEY}\"",
        "save = \"/root/s\"",
        "two = [\"a\", \"b\"]",
        "price = \"5$$\"",
    ] {
        assert!(file.lines().any(|written| written == line), "{line} in\n{file}");
    }
    assert!(!file.contains("hidden"), "{file}");
}

#[test]
fn the_environment_comes_from_the_runtime_env() {
    let args = LAUNCH.strip_prefix("python3 train.py").unwrap();
    let script = format!(
        "N=$(nvidia-smi -L | wc -l)\nENV=\"{{\\\"env_vars\\\": {{\\\"A\\\": \\\"1\\\", \\\"B\\\": \\\"${{N}}\\\", \
         \\\"PYTHONPATH\\\": \\\"/root/Megatron-LM/:/root/slime\\\", \\\"MASTER_ADDR\\\": \\\"${{MASTER_ADDR}}\\\"}}, \
         \\\"pip\\\": []}}\"\nray job submit --runtime-env-json=\"$ENV\" -- python3 train.py {args}"
    );
    let (imported, job) = run(&script);
    assert_eq!(job.env, map([("A", "1")]));
    let said = lines(&imported.findings);
    for part in ["B of the environment uses what `nvidia-smi -L | wc -l` prints", "MASTER_ADDR", "pip of --runtime-env"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let script = format!("export A=1 B\nC=3 {LAUNCH}");
    assert_eq!(run(&script).1.env, map([("A", "1"), ("C", "3")]));
}

#[test]
fn what_the_job_file_calls_wrong_has_the_line_of_the_script() {
    let said = refused(&format!(
        "GRPO_ARGS=(\n  --eps-clip 0.2\n  --n-samples-per-eval-prompt many\n)\n{LAUNCH} ${{GRPO_ARGS[@]}}"
    ));
    assert!(said.contains("run-x.sh:3: error: n-samples-per-eval-prompt is \"many\""), "{said}");
}
