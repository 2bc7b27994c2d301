//! Each rule breaks where it should and nowhere else.

use super::{
    r1::{R1, changed, r1},
    *,
};
use crate::{finding, shard::Severity};

/// Rule, what breaks it, what comes near and does not.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

const TP: &str = "tensor-model-parallel-size 1";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("batch.over-sampling", &["over-sampling-batch-size 127"], &["over-sampling-batch-size 128"]),
    ("batch.group-of-one", &["n-samples-per-prompt 1", "-dynamic-sampling-filter-path"], &["n-samples-per-prompt 2"]),
    ("batch.filter-of-one", &["n-samples-per-prompt 1"], &["n-samples-per-prompt 1", "-dynamic-sampling-filter-path"]),
    ("batch.steps", &["num-steps-per-rollout 1025"], &["num-steps-per-rollout 1024"]),
    ("batch.trailing", &["num-steps-per-rollout 3"], &["num-steps-per-rollout 8"]),
    ("batch.global", &["global-batch-size 128"], &["global-batch-size 256"]),
    ("batch.too-few", &["-num-steps-per-rollout", "global-batch-size 2048"], &["-num-steps-per-rollout", "global-batch-size 1024"]),
    ("batch.data-parallel", &["context-parallel-size 1", "rollout-batch-size 129"], &["context-parallel-size 1"]),
    ("batch.partial", &["partial-rollout", "-over-sampling-batch-size"], &["partial-rollout"]),
    ("batch.epochs", &["num-epoch 3"], &["num-epoch 3", "-num-rollout"]),
    ("tokens.limit", &["-max-tokens-per-gpu"], &["-max-tokens-per-gpu", "-use-dynamic-batch-size"]),
    ("tokens.balance", &["balance-by-flops", "-use-dynamic-batch-size"], &["balance-by-flops"]),
    ("tokens.cap", &["max-tokens-per-gpu 8191"], &["max-tokens-per-gpu 8192"]),
    ("tokens.prompt", &["rollout-max-prompt-len 40000", "rollout-max-context-len 40000"], &["rollout-max-prompt-len 2048", "rollout-max-context-len 40000"]),
    ("tokens.response", &["rollout-max-context-len 32768"], &["rollout-max-context-len 32769"]),
    ("tokens.engine-context", &["sglang-context-length 32767"], &["sglang-context-length 32768"]),
    ("tokens.sequence", &["seq-length 4100"], &["seq-length 4104"]),
    ("tokens.positions", &["max-position-embeddings 4095"], &["max-position-embeddings 4096"]),
    ("loss.kl-without-reference", &["-use-kl-loss", "kl-loss-coef 0.1"], &["kl-loss-coef 0.1"]),
    ("loss.kl-twice", &["kl-coef 0.1", "kl-loss-coef 0.1"], &["kl-coef 0.1"]),
    ("loss.reference", &["-ref-load"], &["-ref-load", "-use-kl-loss"]),
    ("loss.clip-order", &["eps-clip-high 0.1"], &["eps-clip-high 0.2"]),
    ("loss.min-lr", &["min-lr 1e-5"], &["min-lr 1e-6"]),
    ("loss.dropout", &["-hidden-dropout"], &["hidden-dropout 0"]),
    ("loss.importance", &["use-tis", "use-rollout-logprobs"], &["use-tis"]),
    ("loss.mismatch", &["get-mismatch-metrics"], &["get-mismatch-metrics", "custom-tis-function-path a.b"]),
    ("loss.normalized", &["advantage-estimator reinforce_plus_plus_baseline"], &["advantage-estimator reinforce_plus_plus", "normalize-advantages"]),
    ("loss.cispo", &["advantage-estimator cispo"], &["advantage-estimator cispo", "eps-clip 1.0"]),
    ("loss.sampling", &["rollout-top-p 0.9"], &["rollout-top-p 1.0", "rollout-top-k -1"]),
    ("loss.custom", &["loss-type custom_loss"], &["loss-type custom_loss", "custom-loss-function-path a.b"]),
    ("loss.teacher", &["use-opd", "opd-type megatron"], &["use-opd", "opd-type sglang"]),
    ("loss.frozen", &["only-train-params-name-list a", "freeze-params-name-list b"], &["freeze-params-name-list b"]),
    ("checkpoint.save", &["-save"], &["-save", "-save-interval"]),
    ("checkpoint.none", &["-save", "-save-interval"], &["-save", "-save-interval", "num-rollout 20"]),
    ("checkpoint.retain", &["save-retain-interval 50"], &["save-retain-interval 40"]),
    ("checkpoint.debug", &["debug-rollout-only", "debug-train-only"], &["debug-rollout-only"]),
    ("checkpoint.dump", &["save-debug-train-data /a", "save-debug-rollout-data /a"], &["save-debug-train-data /a", "save-debug-rollout-data /b"]),
    ("checkpoint.custom-config", &["custom-config-path /a.yaml"], &[]),
    ("eval.data", &["-eval-prompt-data"], &["-eval-prompt-data", "eval-config /a.yaml"]),
    ("eval.pairs", &["eval-prompt-data a /a b"], &["eval-prompt-data /a"]),
    ("model.groups", &["moe-router-num-groups 7"], &["moe-router-num-groups 16"]),
    ("model.topk", &["moe-router-topk 257"], &["moe-router-topk 16"]),
    ("model.group-topk", &["moe-router-group-topk 9"], &["moe-router-group-topk 8"]),
    ("model.group-experts", &["moe-router-topk 129"], &["moe-router-topk 128"]),
    ("model.group-routing", &["-moe-router-num-groups"], &["-moe-router-num-groups", "-moe-router-group-topk"]),
    ("model.layer-freq", &["moe-layer-freq [0,1,1]"], &["moe-layer-freq [0]*3+[1]*58"]),
    ("model.latent-groups", &["group-query-attention"], &["group-query-attention", "-multi-latent-attention"]),
    ("model.bias-score", &["moe-router-score-function softmax"], &["moe-router-score-function softmax", "-moe-router-enable-expert-bias"]),
    ("model.mtp", &["enable-mtp-training"], &["enable-mtp-training", "mtp-num-layers 1"]),
    ("placement.engines", &["apart"], &["apart", "rollout-num-gpus 64"]),
    ("placement.size", &["rollout-num-gpus 192"], &["rollout-num-gpus 64"]),
    ("placement.split", &["apart", "rollout-num-gpus 4"], &["apart", "rollout-num-gpus 64"]),
    ("layout.world", &["hosts 15"], &["hosts 32"]),
    ("layout.expert-world", &["expert-model-parallel-size 64"], &["expert-model-parallel-size 16"]),
    ("layout.mapping", &["use-tp-pp-dp-mapping", "expert-model-parallel-size 16"], &["use-tp-pp-dp-mapping"]),
    ("layout.stages", &["-decoder-last-pipeline-num-layers"], &["-decoder-last-pipeline-num-layers", "num-layers 60"]),
    ("layout.one-stage", &["pipeline-model-parallel-size 1"], &["pipeline-model-parallel-size 1", "-decoder-last-pipeline-num-layers"]),
    ("layout.uneven-stages", &["decoder-last-pipeline-num-layers 12"], &["decoder-last-pipeline-num-layers 16"]),
    ("layout.virtual-stages", &["num-layers-per-virtual-pipeline-stage 4"], &["num-layers-per-virtual-pipeline-stage 5", "num-layers 60", "-decoder-last-pipeline-num-layers"]),
    ("layout.heads", &["num-attention-heads 124"], &["num-attention-heads 120"]),
    ("layout.query-groups", &["-multi-latent-attention", "group-query-attention", "num-query-groups 6"], &["-multi-latent-attention", "group-query-attention", "num-query-groups 4"]),
    ("layout.ffn", &["ffn-hidden-size 18436"], &["ffn-hidden-size 18440"]),
    ("layout.expert-ffn", &["expert-tensor-parallel-size 3"], &["expert-tensor-parallel-size 2"]),
    ("layout.shared-expert-ffn", &["moe-shared-expert-intermediate-size 2044"], &["moe-shared-expert-intermediate-size 2056"]),
    ("layout.vocabulary", &["make-vocab-size-divisible-by 20000"], &["make-vocab-size-divisible-by 256"]),
    ("layout.sequence-alone", &[TP], &[TP, "-sequence-parallel"]),
    ("layout.sequence-experts", &["-sequence-parallel"], &["-sequence-parallel", "expert-model-parallel-size 1"]),
    ("expert.parallel", &["num-experts 240"], &["num-experts 288"]),
    ("expert.none", &["-num-experts"], &["-num-experts", "expert-model-parallel-size 1"]),
    ("expert.deepep", &["moe-token-dispatcher-type alltoall"], &["moe-token-dispatcher-type alltoall", "-moe-enable-deepep"]),
    ("expert.flex", &["expert-model-parallel-size 1"], &["expert-model-parallel-size 2"]),
    ("expert.overlap", &["moe-shared-expert-overlap"], &["moe-shared-expert-overlap", "moe-token-dispatcher-type alltoall"]),
    ("sglang.engines", &["rollout-num-gpus-per-engine 24"], &["rollout-num-gpus-per-engine 32"]),
    ("sglang.nodes", &["rollout-num-gpus-per-engine 12"], &["rollout-num-gpus-per-engine 4"]),
    ("sglang.gpus-per-node", &["hosts 32", "gpus-per-node 4"], &["hosts 32", "gpus-per-node 4", "num-gpus-per-node 4"]),
    ("sglang.pipeline", &["sglang-pp-size 3"], &["sglang-pp-size 2"]),
    ("sglang.expert-parallel", &["sglang-moe-a2a-backend none", "sglang-ep-size 24"], &["sglang-moe-a2a-backend none", "sglang-ep-size 32"]),
    ("sglang.experts", &["num-experts 224"], &["num-experts 192"]),
    ("sglang.expert-ffn", &["sglang-moe-a2a-backend none", "sglang-ep-size 1", "moe-ffn-hidden-size 2080"], &["sglang-moe-a2a-backend none", "sglang-ep-size 1"]),
    ("sglang.deepep", &["sglang-ep-size 32"], &["-sglang-ep-size"]),
    ("sglang.taken", &["sglang-tp-size 64"], &[]),
    ("sglang.groups", &["sglang-config /a.yaml", "prefill-num-servers 1"], &["prefill-num-servers 1"]),
    ("sglang.prefill", &["sglang-chunked-prefill-size 4000", "sglang-page-size 64"], &["sglang-chunked-prefill-size 4096", "sglang-page-size 64"]),
    ("sglang.dp-attention", &["-sglang-enable-dp-attention"], &["-sglang-enable-dp-attention", "-sglang-dp-size"]),
    ("sglang.dp-alone", &["sglang-dp-size 1"], &["sglang-dp-size 1", "-sglang-enable-dp-attention", "-sglang-enable-dp-lm-head"]),
    ("sglang.data-parallel", &["sglang-dp-size 6"], &["sglang-dp-size 16"]),
    ("sglang.heads", &["num-attention-heads 132"], &["num-attention-heads 136"]),
    ("sglang.dense-tp", &["sglang-moe-dense-tp-size 8"], &["sglang-moe-dense-tp-size 64"]),
    ("sglang.dp-head", &["-sglang-enable-dp-attention"], &["-sglang-enable-dp-attention", "-sglang-enable-dp-lm-head"]),
    ("sglang.concurrency", &["-sglang-server-concurrency"], &["sglang-server-concurrency 2048"]),
    ("speculative.steps", &["-sglang-speculative-num-steps"], &["-sglang-speculative-num-steps", "-sglang-speculative-eagle-topk", "-sglang-speculative-num-draft-tokens"]),
    ("speculative.draft", &["sglang-speculative-num-draft-tokens 5"], &["sglang-speculative-num-draft-tokens 8", "sglang-speculative-eagle-topk 2"]),
    ("speculative.algorithm", &["-sglang-speculative-algorithm"], &[]),
    ("speculative.pipeline", &["sglang-pp-size 2"], &["sglang-pp-size 1"]),
    ("speculative.model", &["-multi-latent-attention"], &["-multi-latent-attention", "sglang-speculative-draft-model-path /a"]),
    ("memory.precision", &["-use-precision-aware-optimizer"], &["-use-precision-aware-optimizer", "-optimizer-cpu-offload"]),
    ("memory.overlap", &["-optimizer-cpu-offload"], &["-optimizer-cpu-offload", "-overlap-cpu-optimizer-d2h-h2d"]),
    ("memory.gradients", &["main-grads-dtype bf16"], &["main-grads-dtype bf16", "-accumulate-allreduce-grads-in-fp32"]),
    ("recompute.method", &["-recompute-method"], &["-recompute-method", "recompute-granularity selective"]),
    ("recompute.layers", &["-recompute-num-layers"], &["-recompute-num-layers", "-recompute-granularity"]),
    ("recompute.selective", &["recompute-granularity selective"], &["recompute-granularity selective", "-recompute-method", "-recompute-num-layers"]),
    ("recompute.granularity", &["-recompute-granularity"], &["-recompute-granularity", "-recompute-method", "-recompute-num-layers"]),
    ("network.connections", &["-env CUDA_DEVICE_MAX_CONNECTIONS"], &["-env CUDA_DEVICE_MAX_CONNECTIONS", TP, "context-parallel-size 1"]),
    ("network.proxy", &["env https_proxy=http://p:3128"], &["env https_proxy=http://p:3128", "env no_proxy=localhost,127.0.0.1,10.0.0.0/24"]),
    ("network.ray-port", &["sglang-router-port 8265"], &["sglang-router-port 3000"]),
    ("network.worker-port", &["sglang-router-port 15000"], &["sglang-router-port 20001"]),
    ("faults.first-wait", &["use-fault-tolerance"], &["use-fault-tolerance", "rollout-health-check-first-wait 300"]),
];

/// The ids of what is said.
fn ids(job: &Job, facts: &Facts) -> Vec<String> {
    job.findings(facts).into_iter().filter_map(|finding| finding.id).collect()
}

#[test]
fn the_job_itself_breaks_no_rule_but_the_ones_its_guide_breaks() {
    let (job, findings) = Job::read(R1, "r1.toml", &|_| None).unwrap();
    let said: Vec<_> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("warning[memory.reference]: kl-loss-coef is 0"), "{said:?}");
    assert!(said[0].contains("83.9 GB of host memory a node"), "{said:?}");
    assert_eq!(ids(&job, &Facts::default()), ["memory.reference"]);
}

#[test]
fn each_rule_breaks_where_it_should_and_nowhere_else() {
    let mut wrong = String::new();
    for (id, breaks, keeps) in ROWS {
        let broken = ids(&changed(r1(), breaks), &Facts::default());
        if !broken.iter().any(|found| found == id) {
            wrong.push_str(&format!("{id} is not broken by {breaks:?}: {broken:?}\n"));
        }
        let kept = ids(&changed(r1(), keeps), &Facts::default());
        if kept.iter().any(|found| found == id) {
            wrong.push_str(&format!("{id} is broken by {keeps:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_reference_model_is_free_when_it_is_left_out_and_worth_it_when_it_weighs() {
    assert!(ids(&changed(r1(), &["-use-kl-loss"]), &Facts::default()).is_empty());
    assert!(ids(&changed(r1(), &["kl-loss-coef 0.01"]), &Facts::default()).is_empty());
}

#[test]
fn each_rule_has_a_test() {
    let elsewhere = ["memory.reference"];
    let tested: Vec<_> =
        ROWS.iter().map(|(id, ..)| *id).chain(elsewhere).chain(facts::TESTED.iter().copied()).collect();
    for rule in finding::rules() {
        let built_in = rule.id.starts_with("built-in.");
        assert!(built_in || tested.contains(&rule.id), "{} has no test", rule.id);
    }
    for id in tested {
        assert!(finding::rule(id).is_some(), "{id} is no rule");
    }
}

#[test]
fn what_is_said_names_the_numbers_and_the_line() {
    let text = R1.replace("tensor-model-parallel-size = 8", "tensor-model-parallel-size = 6");
    let line = text.lines().position(|line| line == "tensor-model-parallel-size = 6").unwrap() + 1;
    let findings = Job::read(&text, "r1.toml", &|_| None).unwrap_err();
    let world = findings.iter().find(|finding| finding.id.as_deref() == Some("layout.heads")).unwrap();
    assert_eq!(
        world.to_string(),
        format!(
            "r1.toml:{}: error[layout.heads]: num-attention-heads (128) is not a multiple of tensor-model-parallel-size (6)",
            R1.lines().position(|line| line.starts_with("num-attention-heads")).unwrap() + 1
        )
    );
    assert!(line > 1 && findings.iter().any(|finding| finding.text.starts_with("training has 128 GPUs, which is not a multiple of TP x PP x CP = 6 x 4 x 4 = 96: use a multiple of 12 nodes")), "{findings:#?}");
}

#[test]
fn a_rule_that_is_allowed_to_be_broken_does_not_keep_the_job_from_running() {
    let broken = R1.replace("num-layers = 61", "num-layers = 62");
    assert!(Job::read(&broken, "r1.toml", &|_| None).is_err());
    let allow = |ids: &str| broken.replace("engine = \"slime\"", &format!("engine = \"slime\"\nallow = {ids}"));
    let more = "[\"layout.uneven-stages\", \"model.layer-freq\", \"memory.reference\"]";
    let (job, findings) = Job::read(&allow(more), "r1.toml", &|_| None).unwrap();
    let said: Vec<_> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(findings.iter().all(|finding| finding.severity == Severity::Warning));
    assert!(
        said.iter().all(|text| text.ends_with("(allowed: it does not keep the job from being launched)")),
        "{said:?}"
    );
    // It stays so in what is written down of the run.
    let again = Job::read(&job.to_toml(), "job.toml", &|_| None).unwrap().0;
    assert_eq!((again.allow.len(), again), (3, job));
}

#[test]
fn what_is_allowed_must_be_a_rule() {
    check(&[
        (
            "recipe = \"r1-mini\"\nallow = [\"layout.wolrd\", \"warp.speed\"]\n",
            &[
                "job.toml:2: warning: allow names \"layout.wolrd\", but there is no such rule: did you mean layout.world?",
                "job.toml:2: warning: allow names \"warp.speed\", but there is no such rule",
            ],
        ),
        ("recipe = \"r1-mini\"\nallow = true\n", &["job.toml:2: error: allow is true: write allow = [\"RULE\", ...]"]),
        (
            "recipe = \"r1-mini\"\nallow = [1]\n",
            &["job.toml:2: error: allow is an array: write allow = [\"RULE\", ...]"],
        ),
        ("recipe = \"r1-mini\"\nallow = \"loss.kl-twice\"\n", &[]),
        (
            "recipe = \"r1-mini\"\n[allow]\nlayout = 1\n",
            &["job.toml:2: error: allow is a key: write allow = [\"RULE\"] above all tables"],
        ),
    ]);
}

mod facts;
