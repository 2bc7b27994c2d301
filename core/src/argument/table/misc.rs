use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Misc, name, kind, default, help)
}

const BACKEND: Kind = Kind::Choice(&["flash", "fused", "unfused", "local", "auto"]);
const RECORDER: Kind = Kind::Choice(&["torch", "memray"]);
const TRAINER: Kind = Kind::Choice(&["megatron"]);
const FLEX: Kind = Kind::Choice(&["deepep", "hybridep"]);

#[rustfmt::skip]
pub(super) const ROWS: &[Argument] = &[
    arg("seed",                                     WHOLE,   "1234", "seed of everything random").built_in(Restart),
    arg("attention-dropout",                        SHARE,   "0.1",  "share of attention dropped; reinforcement learning wants 0"),
    arg("hidden-dropout",                           SHARE,   "0.1",  "share of activations dropped; reinforcement learning wants 0"),
    arg("accumulate-allreduce-grads-in-fp32",       FLAG,    "",     "gradients are summed in 32 bits"),
    arg("attention-backend",                        BACKEND, "auto", "kernel of attention in training"),
    arg("moe-enable-deepep",                        FLAG,    "",     "tokens reach their experts through DeepEP"),
    arg("moe-flex-dispatcher-backend",              FLEX,    "",     "what the flex dispatcher sends through"),
    arg("fp16",                                     FLAG,    "",     "train in fp16 instead of bf16"),
    arg("bf16",                                     FLAG,    "", "train in bf16, which slime does anyway"),
    arg("fp8-format",                               TEXT,    "", "train matrices in fp8, of this form"),
    arg("fp8-recipe",                               TEXT,    "delayed", "how fp8 is scaled"),
    arg("fp8-param-gather",                         FLAG,    "", "gather weights in fp8"),
    arg("no-check-for-nan-in-loss-and-grad",        FLAG,    "",     "go on when loss or gradient is not a number"),
    arg("offload",                                  FLAG,    "",     "training and engines leave the GPU to each other"),
    arg("offload-train",                            FLAG,    "",     "training leaves the GPU to the engines"),
    arg("no-offload-train",                         FLAG,    "", "training stays on the GPU"),
    arg("offload-rollout",                          FLAG,    "",     "engines leave the GPU to training"),
    arg("no-offload-rollout",                       FLAG,    "", "engines stay on the GPU"),
    arg("train-env-vars",                           TEXT,    "{}",   "JSON of variables for the training processes"),
    arg("custom-config-path",                       PATH,    "",     "YAML that is laid over the arguments"),
    arg("megatron-config-path",                     PATH,    "", "YAML of Megatron's arguments for each role"),
    arg("custom-megatron-init-path",                PATH,    "",     "Python function called after the start"),
    arg("custom-megatron-before-train-step-hook-path", PATH, "",     "Python function called before each step"),
    arg("custom-megatron-before-log-prob-hook-path",   PATH, "", "Python function called before log probabilities"),
    arg("debug-rollout-only",                       FLAG,    "",     "engines without training"),
    arg("debug-train-only",                         FLAG,    "",     "training without engines"),
    arg("save-debug-rollout-data",                  PATH,    "",     "keep the samples of each rollout here").slime(NextSave),
    arg("load-debug-rollout-data",                  PATH,    "",     "train on samples kept before"),
    arg("load-debug-rollout-data-subsample",        PART,    "", "share of them that is used"),
    arg("save-debug-train-data",                    PATH,    "", "keep what each rollout is trained on here").slime(NextSave),
    arg("check-weight-update-equal",                FLAG,    "", "verify that engines got the trainer's weights"),
    arg("dump-details",                             PATH,    "",     "keep everything about each rollout here").slime(NextSave),
    arg("use-pytorch-profiler",                     FLAG,    "",     "profile some steps"),
    arg("profile-target",                           LIST,    "train_overall", "what is profiled: train_overall, train_actor, train_log_probs"),
    arg("profile-step-start",                       WHOLE,   "10", "first step that is profiled"),
    arg("profile-step-end",                         WHOLE,   "12", "first one that is not"),
    arg("record-memory-history",                    FLAG,    "",     "record what takes GPU memory"),
    arg("memory-recorder",                          RECORDER, "torch", "what records it"),
    arg("memory-snapshot-dir",                      PATH,    ".", "where its pictures go"),
    arg("memory-snapshot-num-steps",                COUNT,   "", "steps until a picture"),
    arg("train-backend",                            TRAINER, "megatron", "what trains"),
    arg("log-interval",                             COUNT,   "100", "Megatron's own line every so many steps"),
];
