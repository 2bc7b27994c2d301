//! Arguments for processes, and changes to them.

use super::*;

#[test]
fn arguments_come_in_the_order_of_a_launch_script() {
    let job = good(
        r#"engine = "slime"
[misc]
attention-softmax-in-fp32 = true
[sglang]
mem-fraction-static = 0.70
[eval]
eval-prompt-data = ["aime", "/data/aime 2024.jsonl"]
[rollout]
num-rollout = 1_000
rollout-batch-size = 0x10
n-samples-per-prompt = "8"
[optimizer]
lr = 1e-6
[model]
attention-softmax-in-fp32 = true
[checkpoint]
hf-checkpoint = "/data/R1"
"#,
    );
    let argv = "--actor-num-nodes|1|--actor-num-gpus-per-node|8|--attention-softmax-in-fp32|--hf-checkpoint|/data/R1|--num-rollout|1000|--rollout-batch-size|16|\
                --n-samples-per-prompt|8|--lr|1e-6|--eval-prompt-data|aime|/data/aime 2024.jsonl|\
                --sglang-mem-fraction-static|0.70|--attention-softmax-in-fp32";
    assert_eq!(job.argv(&BTreeMap::new()).join("|"), argv);
}

#[test]
fn changes_replace_add_and_remove() {
    let job = mini("[misc]\nlr = 1e-4\n");
    let argv = job.argv(&changes([
        ("lr", "0"),
        ("cold-start-steps", "7"),
        ("use-kl-loss", "true"),
        ("eval-prompt-data", "a a.jsonl b b.jsonl"),
        ("warp", "9"),
    ]));
    let after = |name: &str, count: usize| {
        let at = argv.iter().rposition(|word| word == name).unwrap_or_else(|| panic!("{name} in {argv:?}"));
        argv[at + 1..].iter().take(count).map(String::as_str).collect::<Vec<_>>()
    };
    // The setting that holds is the last one.
    assert_eq!(after("--lr", 1), ["0"]);
    assert_eq!(after("--eval-prompt-data", 4), ["a", "a.jsonl", "b", "b.jsonl"]);
    // The built-in engine is not given what it does not know.
    assert!(!argv.contains(&"--warp".to_owned()));
    let position = |name: &str| argv.iter().position(|word| word == name).unwrap();
    assert!(
        position("--eps-clip") < position("--use-kl-loss") && position("--use-kl-loss") < position("--eval-interval")
    );
    assert_eq!(job.argv(&BTreeMap::new()), mini("[misc]\nlr = 1e-4\n").argv(&BTreeMap::new()));
}

#[test]
fn slime_is_given_what_nobody_knows() {
    let text = format!("{SLIME}warp = [1, 2]\nrollout-shuffle = true\n[sglang]\nenable-metrics = true\n");
    assert_eq!(said(&text), ["job.toml:11: warning: warp is unknown and passed on as it is"]);
    let (job, _) = Job::read(&text, "job.toml", &vars).unwrap();
    let argv = |of| job.argv(&of).join(" ");
    let begin = "--actor-num-nodes 2 --actor-num-gpus-per-node 8 --hf-checkpoint /data/R1 --prompt-data /data/train.jsonl --num-rollout 100 --rollout-batch-size 8 \
                 --n-samples-per-prompt 4";
    assert_eq!(argv(changes([])), format!("{begin} --warp 1 2 --rollout-shuffle --sglang-enable-metrics"));
    assert_eq!(
        argv(changes([("warp", "3 4 5"), ("rollout-shuffle", "false"), ("speed", "true"), ("height", "9")])),
        format!("{begin} --warp 3 4 5 --sglang-enable-metrics --height 9 --speed")
    );
}

#[test]
fn what_the_engines_do_not_take_trains() {
    let argv = |cluster: &str, more: &str| {
        let text =
            format!("[cluster]\n{cluster}\n{}", SLIME.replace("[cluster]\nhosts = [\"node0\", \"node1\"]\n", ""));
        let job = good(&format!("engine = \"slime\"\n{}{more}", text.replace("engine = \"slime\"\n", "")));
        let end = job.argv(&BTreeMap::new()).iter().position(|word| word == "--hf-checkpoint").unwrap();
        job.argv(&BTreeMap::new())[..end].join(" ").replace("--actor-num-", "")
    };
    let engines = |gpus: u32| format!("[sglang]\nrollout-num-gpus = {gpus}\n");
    assert_eq!(argv("nodes = 16\ncolocate = true", ""), "nodes 16 gpus-per-node 8 --colocate");
    assert_eq!(argv("nodes = 16\ncolocate = true", &engines(64)), "nodes 16 gpus-per-node 8 --colocate");
    assert_eq!(argv("nodes = 16\ncolocate = false", &engines(64)), "nodes 8 gpus-per-node 8");
    assert_eq!(argv("nodes = 1", &engines(4)), "nodes 1 gpus-per-node 4");
    assert_eq!(argv("nodes = 2", &engines(4)), "nodes 2 gpus-per-node 6");
    assert_eq!(argv("nodes = 1", &engines(64)), "nodes 1 gpus-per-node 1");
    let far = format!("{}rollout-external-engine-addrs = [\"a:1\"]\n", engines(8));
    assert_eq!(argv("nodes = 2\ngpus-per-node = 4", &far), "nodes 2 gpus-per-node 4");
}

#[test]
fn values_are_looked_at_by_name() {
    let job =
        slime("rollout-stop = [\"a b\", \"c\"]\n[grpo]\neps-clip-high = 0.28\nuse-tis = true\n[misc]\nseed = 1234\n");
    assert_eq!(job.value("use-tis").as_deref(), Some("true"));
    assert!(job.flag("use-tis") && !job.flag("partial-rollout"));
    assert_eq!(job.list("rollout-stop"), ["a b", "c"]);
    assert_eq!(job.value("rollout-stop").as_deref(), Some("a b c"));
    assert_eq!(job.number("eps-clip-high"), Some(0.28));
    assert_eq!(job.whole("seed"), Some(1234));
    assert_eq!((job.value("rollout-top-k"), job.effective("rollout-top-k").as_deref()), (None, Some("-1")));
    assert_eq!(job.effective("warp"), None);
}

#[test]
fn changes_are_checked_alone_and_together() {
    let job = mini("[rollout]\nover-sampling-batch-size = 64\n");
    let said = |of: BTreeMap<String, String>| job.check(&of).iter().map(Finding::to_string).collect::<Vec<_>>();
    assert_eq!(said(changes([("lr", "0"), ("rollout-temperature", "0.7")])), [""; 0]);
    assert_eq!(
        said(changes([("lr", "fast"), ("n-samples-per-prompt", "0"), ("tempreature", "1")])),
        [
            "error: lr is \"fast\": it must be a number from 0 to 10",
            "error: n-samples-per-prompt is 0: it must be a whole number, at least 1",
            "warning: tempreature is unknown and left out",
        ]
    );
    assert_eq!(
        said(changes([("rollout-batch-size", "1000")])),
        [
            "error[batch.over-sampling]: over-sampling-batch-size is 64, less than rollout-batch-size: write at least 1000"
        ]
    );
    assert_eq!(said(changes([("rollout-batch-size", "1000"), ("over-sampling-batch-size", "2000")])), [""; 0]);
    assert_eq!(
        said(changes([("kl-loss-coef", "0.1")])),
        [
            "warning[loss.kl-without-reference]: kl-loss-coef is 0.1, but no reference model is loaded: write use-kl-loss = true below [grpo]"
        ]
    );
}

#[test]
fn what_was_wrong_before_a_change_is_not_said_again() {
    let text = "recipe = \"r1-mini\"\n[grpo]\nkl-loss-coef = 0.1\n";
    let (job, findings) = Job::read(text, "job.toml", &vars).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(job.check(&changes([("lr", "1e-4")])), []);
}
