//! Arguments that are right alone and wrong together, each with exactly what is said about it.

use super::*;

#[test]
fn arguments_that_do_not_go_together() {
    let slime = |more: &str| format!("{SLIME}{more}");
    let sampled = mini("").whole("over-sampling-batch-size").unwrap();
    let recipes = format!(
        "job.toml:3: error[batch.over-sampling]: over-sampling-batch-size is {sampled}, less than rollout-batch-size: write at least 1024"
    );
    check(&[
        (
            "recipe = \"r1-mini\"\n[rollout]\nrollout-batch-size = 64\nover-sampling-batch-size = 32\n",
            &[
                "job.toml:4: error[batch.over-sampling]: over-sampling-batch-size is 32, less than rollout-batch-size: write at least 64",
            ],
        ),
        (
            // The other half is in the recipe: the finding is where the operator can change something.
            "recipe = \"r1-mini\"\n[rollout]\nrollout-batch-size = 1024\n",
            &[&recipes],
        ),
        (
            &slime("num-steps-per-rollout = 3\n"),
            &[
                "job.toml:11: warning[batch.trailing]: 32 samples a rollout (rollout-batch-size x n-samples-per-prompt = 8 x 4 = 32) are not a multiple of num-steps-per-rollout (3): 2 of them are not trained on",
            ],
        ),
        (
            &slime("num-steps-per-rollout = 33\n"),
            &[
                "job.toml:11: error[batch.steps]: num-steps-per-rollout is 33, more than the samples of a rollout (rollout-batch-size x n-samples-per-prompt = 8 x 4 = 32)",
            ],
        ),
        (
            &slime("num-steps-per-rollout = 2\nglobal-batch-size = 32\n"),
            &[
                "job.toml:12: error[batch.global]: global-batch-size is 32, but rollout-batch-size x n-samples-per-prompt = 8 x 4 = 32, and / num-steps-per-rollout (2) = 16: write 16, or leave it out",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[rollout]\nn-samples-per-prompt = 1\n",
            &[
                "job.toml:3: warning[batch.group-of-one]: n-samples-per-prompt is 1: a group of one has no spread of rewards to learn from; write at least 2",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[grpo]\nkl-loss-coef = 0.01\neps-clip-high = 0.1\n",
            &[
                "job.toml:3: warning[loss.kl-without-reference]: kl-loss-coef is 0.01, but no reference model is loaded: write use-kl-loss = true below [grpo]",
                "job.toml:4: warning[loss.clip-order]: eps-clip-high (0.1) is less than eps-clip (0.2): probabilities may fall further than rise",
            ],
        ),
        (
            &slime(
                "[grpo]\nuse-kl-loss = true\nkl-coef = 0.1\nkl-loss-coef = 0.1\n[optimizer]\nlr = 1e-6\nmin-lr = 1e-5\n",
            ),
            &[
                "job.toml:12: error[loss.reference]: the reference model has no weights: write ref-load = \"DIRECTORY\" below [checkpoint]",
                "job.toml:13: error[loss.kl-twice]: only one of kl-coef and kl-loss-coef can be other than 0",
                "job.toml:17: error[loss.min-lr]: min-lr (0.00001) is greater than lr (0.000001)",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[checkpoint]\nsave = false\n[eval]\neval-prompt-data = false\neval-interval = 5\n",
            &[
                "job.toml:6: error[eval.data]: eval-interval has nothing to evaluate: write eval-prompt-data = [\"NAME\", \"FILE\"] below [eval]",
                "recipe r1-mini:N: error[checkpoint.save]: save-interval has no place for its checkpoints: write save = \"DIRECTORY\" below [checkpoint]",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[eval]\neval-prompt-data = [\"a\", \"a.jsonl\", \"b\"]\n",
            &[
                "job.toml:3: error[eval.pairs]: eval-prompt-data must be pairs of a name and a file, like [\"NAME\", \"FILE\"]",
            ],
        ),
        (
            &slime("cold-start = \"x\"\n[perf]\nuse-dynamic-batch-size = true\n"),
            &[
                "job.toml:11: warning: cold-start stands in [rollout] but belongs in [checkpoint]",
                "job.toml:11: error: cold-start is only for engine = \"embedded\": leave it out",
                "job.toml:13: error[tokens.limit]: use-dynamic-batch-size needs a limit: write max-tokens-per-gpu below [perf]",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[perf]\ntensor-model-parallel-size = 8\n",
            &[
                "job.toml:3: warning: tensor-model-parallel-size does nothing here: the built-in engine does not read it",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[grpo]\nadvantage-estimator = \"gspo\"\neps-clip = 1.5\neps-clip-high = 2\n\
             [eval]\neval-prompt-data = [\"a\", \"a.jsonl\", \"b\", \"b.jsonl\"]\n[model]\nqk-pos-emb-head-dim = 15\n\
             moe-router-topk = 5\nmoe-ffn-hidden-size = 48\nmoe-layer-freq = \"[1,0,1]\"\n",
            &[
                "job.toml:3: error: advantage-estimator is \"gspo\", but the built-in engine has only grpo",
                "job.toml:4: error[built-in.clip]: eps-clip (1.5) is more than 1: no probability falls further",
                "job.toml:7: error[built-in.eval-sets]: the built-in engine evaluates one set: write eval-prompt-data = [\"NAME\", \"FILE\"]",
                "job.toml:9: error[built-in.positions]: qk-pos-emb-head-dim must be even: positions turn pairs",
                "job.toml:10: error[model.group-experts]: moe-router-topk (5) is more than the experts of moe-router-group-topk (2) groups of 2",
                "job.toml:11: error[built-in.shared-expert]: moe-shared-expert-intermediate-size (64) is not a multiple of moe-ffn-hidden-size (48)",
                "job.toml:12: error[built-in.layers]: moe-layer-freq is \"[1,0,1]\": it must be 3 marks (num-layers), 0 for dense layers first, then 1 for mixtures, like \"[0,1,1]\"",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[model]\nnum-experts = 8\nmoe-router-num-groups = 8\n",
            &[
                "job.toml:4: error[built-in.group]: a group of experts must have at least 2: write fewer moe-router-num-groups",
            ],
        ),
        (
            "recipe = \"r1-mini\"\n[model]\nnum-experts = 7\nmoe-router-num-groups = 2\nmoe-router-group-topk = 3\nmoe-router-topk = 9\n",
            &[
                "job.toml:3: error[model.groups]: num-experts (7) is not a multiple of moe-router-num-groups (2)",
                "job.toml:5: error[model.group-topk]: moe-router-group-topk (3) is more than moe-router-num-groups (2)",
                "job.toml:6: error[model.topk]: moe-router-topk (9) is more than num-experts (7)",
            ],
        ),
    ]);
}
