use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Rollout, name, kind, default, help)
}

const SETS: Kind = Kind::Choice(&["arithmetic"]);

/// The filter of groups whose samples all got the same reward.
const NONZERO_SPREAD: &str = "slime.rollout.filter_hub.dynamic_sampling_filters.check_reward_nonzero_std";

#[rustfmt::skip]
pub(super) const ROWS: &[Argument] = &[
    arg("prompt-data",                      PATH,     "",       "prompts and labels, JSON lines").built_in(Restart),
    arg("input-key",                        TEXT,     "input",  "field of the prompt").built_in(Restart),
    arg("label-key",                        TEXT,     "",       "field of the right answer").built_in(Restart),
    arg("metadata-key",                     TEXT,     "metadata", "field of further data"),
    arg("tool-key",                         TEXT,     "tools",  "field of the tools"),
    arg("apply-chat-template",              FLAG,     "",       "wrap the prompt in the model's chat form"),
    arg("apply-chat-template-kwargs",       TEXT,     "",       "JSON passed to the chat template"),
    arg("rollout-shuffle",                  FLAG,     "",       "prompts in random order, new in each epoch"),
    arg("rollout-seed",                     WHOLE,    "42",     "seed of that order and of sampling").built_in(Restart),
    arg("generate-data",                    SETS,     "",       "write this built-in set of problems to prompt-data and eval-prompt-data first").only_built_in(),
    arg("rm-type",                          TEXT,     "",       "rule that gives the reward").slime(NextRollout).built_in(Restart).words(&["deepscaler"]),
    arg("custom-rm-path",                   PATH,     "",       "Python function that gives the reward").slime(NextRollout),
    arg("reward-key",                       TEXT,     "",       "field of the reward when there are several").slime(NextRollout),
    arg("rm-url",                           TEXT,     "",       "address of a reward model").slime(NextRollout),
    arg("num-rollout",                      COUNT,    "",       "the job ends after so many rollouts").built_in(Restart),
    arg("num-epoch",                        COUNT,    "",       "the job ends after so many passes over the prompts"),
    arg("rollout-batch-size",               COUNT,    "",       "groups kept in a rollout").built_in(NextRollout).tunable(),
    arg("n-samples-per-prompt",             COUNT,    "1",      "responses in a group").built_in(NextRollout).tunable(),
    arg("over-sampling-batch-size",         COUNT,    "",       "groups sampled at a time; rollout-batch-size when not given").slime(NextRollout).built_in(NextRollout).tunable(),
    arg("dynamic-sampling-filter-path",     PATH,     "",       "which groups are kept").slime(NextRollout).built_in(Restart).words(&[NONZERO_SPREAD]),
    arg("num-steps-per-rollout",            COUNT,    "",       "optimizer steps on the samples of a rollout").built_in(NextRollout).tunable(),
    arg("global-batch-size",                COUNT,    "",       "samples in an optimizer step").slime(NextRollout).built_in(Restart),
    arg("micro-batch-size",                 COUNT,    "1",      "samples in a forward pass"),
    arg("balance-data",                     FLAG,     "",       "ranks get equal numbers of tokens").slime(NextRollout),
    arg("partial-rollout",                  FLAG,     "",       "unfinished responses go on in the next rollout").slime(NextRollout),
    arg("rollout-temperature",              HEAT, "1.0",    "randomness of sampling").slime(NextRollout).built_in(NextRollout).tunable(),
    arg("rollout-top-p",                    PART,     "1.0",    "sample from the likeliest tokens of this share"),
    arg("rollout-top-k",                    LIMIT,    "-1",     "sample from so many tokens; -1 is all"),
    arg("rollout-max-response-len",         COUNT,    "",       "longest response, in tokens").slime(NextRollout).built_in(NextRollout).tunable(),
    arg("rollout-max-prompt-len",           COUNT,    "",       "longer prompts are left out"),
    arg("rollout-max-context-len",          COUNT,    "",       "longest prompt and response together"),
    arg("rollout-stop",                     LIST,     "",       "texts that end a response"),
    arg("rollout-stop-token-ids",           LIST,     "",       "tokens that end a response"),
    arg("rollout-skip-special-tokens",      FLAG,     "",       "leave special tokens out of the response"),
    arg("rollout-function-path",            PATH,     "slime.rollout.sglang_rollout.generate_rollout", "Python function that makes a rollout"),
    arg("custom-generate-function-path",    PATH,     "",       "Python function that makes one response"),
    arg("data-source-path",                 PATH,     "slime.rollout.data_source.RolloutDataSourceWithBuffer", "Python class that gives prompts"),
    arg("buffer-filter-path",               PATH,     "",       "Python function that takes groups from the buffer"),
    arg("rollout-sample-filter-path",       PATH,     "",       "Python function that masks samples"),
    arg("custom-rollout-log-function-path", PATH,     "",       "Python function that logs a rollout"),
    arg("loss-mask-type",                   TEXT,     "qwen",   "which tokens of a conversation are trained on"),
];
