use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Checkpoint, name, kind, default, help)
}

const FORMAT: Kind = Kind::Choice(&["torch", "torch_dist", "zarr", "torch_dcp", "fsdp_dtensor"]);
const STRICT: Kind = Kind::Choice(&[
    "assume_ok_unexpected",
    "log_unexpected",
    "log_all",
    "raise_unexpected",
    "raise_all",
    "return_unexpected",
    "return_all",
    "ignore_all",
]);
const BRIDGE: Kind = Kind::Choice(&["raw", "bridge"]);

#[rustfmt::skip]
pub(super) const ROWS: &[Argument] = &[
    arg("hf-checkpoint",         PATH,  "",      "Hugging Face directory: config, tokenizer, weights of the engines"),
    arg("ref-load",              PATH,  "",      "weights to begin with, and of the reference model").built_in(Restart),
    arg("ref-ckpt-step",         WHOLE, "",      "which checkpoint of ref-load"),
    arg("load",                  PATH,  "",      "checkpoints to go on from").built_in(Restart),
    arg("ckpt-step",             WHOLE, "",      "which checkpoint of load; the latest when not given"),
    arg("save",                  PATH,  "",      "where checkpoints go").built_in(Restart),
    arg("save-interval",         COUNT, "",      "a checkpoint every so many rollouts").built_in(NextSave).tunable(),
    arg("save-retain-interval",  COUNT, "",      "checkpoints that are no multiple of this are removed"),
    arg("save-hf",               PATH,  "",      "also save in Hugging Face form, here").slime(NextSave),
    arg("async-save",            FLAG,  "",      "training goes on while a checkpoint is written"),
    arg("no-save-optim",         FLAG,  "",      "checkpoints without the optimizer").slime(NextSave),
    arg("no-save-rng",           FLAG,  "",      "checkpoints without random state").slime(NextSave),
    arg("no-load-optim",         FLAG,  "",      "do not load the optimizer"),
    arg("no-load-rng",           FLAG,  "",      "do not load random state"),
    arg("finetune",              FLAG,  "",      "load weights only and count from 0"),
    arg("exit-on-missing-checkpoint", FLAG,  "", "end when load has no checkpoint"),
    arg("dist-ckpt-strictness",  STRICT, "assume_ok_unexpected", "what becomes of weights that are missing or too many"),
    arg("ckpt-format",           FORMAT, "torch_dist", "format of checkpoints"),
    arg("start-rollout-id",      WHOLE, "",      "the first rollout; what the checkpoint says when not given"),
    arg("megatron-to-hf-mode",   BRIDGE, "raw",  "how weights are converted for the engines"),
    arg("use-checkpoint-opt_param-scheduler", FLAG, "", "the step size schedule comes from the checkpoint"),
    arg("override-opt_param-scheduler", FLAG, "", "the step size schedule comes from the arguments"),
    arg("cold-start",            PATH,  "",      "the warmed-up model that the built-in job begins with").only_built_in(),
    arg("cold-start-steps",      COUNT, "820",   "steps of that warm-up").only_built_in(),
];
