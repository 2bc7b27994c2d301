use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Rollout, name, kind, default, help)
}

const CARRIER: Kind = Kind::Choice(&["object-store", "nixl"]);
const MASKS: Kind = Kind::Choice(&["qwen", "qwen3", "qwen3_5", "distill_qwen"]);
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
    arg("multimodal-keys",                  TEXT,     "", "JSON of the fields with images and sound"),
    arg("rollout-shuffle",                  FLAG,     "",       "prompts in random order, new in each epoch"),
    arg("rollout-seed",                     WHOLE,    "42",     "seed of that order and of sampling").built_in(Restart),
    arg("generate-data",                    SETS,     "",       "write this built-in set of problems to prompt-data and eval-prompt-data first").only_built_in(),
    arg("rm-type",                          TEXT,     "",       "rule that gives the reward").slime(NextRollout).built_in(Restart).words(&["deepscaler"]),
    arg("custom-rm-path",                   PATH,     "",       "Python function that gives the reward").slime(NextRollout),
    arg("reward-key",                       TEXT,     "",       "field of the reward when there are several").slime(NextRollout),
    arg("rm-url",                           TEXT,     "",       "address of a reward model").slime(NextRollout),
    arg("group-rm",                         FLAG,     "", "a reward is given for a whole group at a time").slime(NextRollout),
    arg("custom-reward-post-process-path",  PATH,     "", "Python function that turns rewards into training rewards").slime(NextRollout),
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
    arg("mask-offpolicy-in-partial-rollout", FLAG,     "", "what older weights wrote of such a response is not trained on"),
    arg("rollout-temperature",              HEAT, "1.0",    "randomness of sampling").slime(NextRollout).built_in(NextRollout).tunable(),
    // Other than 1 needs arguments of the trainer that are read at the start only.
    arg("rollout-top-p",                    PART,     "1.0",    "sample from the likeliest tokens of this share"),
    arg("rollout-top-k",                    LIMIT,    "-1",     "sample from so many tokens; -1 is all").slime(NextRollout),
    arg("rollout-max-response-len",         COUNT,    "",       "longest response, in tokens").slime(NextRollout).built_in(NextRollout).tunable(),
    arg("rollout-max-prompt-len",           COUNT,    "",       "longer prompts are left out"),
    arg("rollout-max-context-len",          COUNT,    "",       "longest prompt and response together"),
    arg("rollout-stop",                     LIST,     "",       "texts that end a response").slime(NextRollout),
    arg("rollout-stop-token-ids",           LIST,     "",       "tokens that end a response").slime(NextRollout),
    arg("rollout-skip-special-tokens",      FLAG,     "",       "leave special tokens out of the response"),
    arg("rollout-function-path",            PATH,     "slime.rollout.sglang_rollout.generate_rollout", "Python function that makes a rollout"),
    arg("custom-generate-function-path",    PATH,     "",       "Python function that makes one response"),
    arg("data-source-path",                 PATH,     "slime.rollout.data_source.RolloutDataSourceWithBuffer", "Python class that gives prompts"),
    arg("disable-rollout-global-dataset",   FLAG,     "", "prompts come from data-source-path alone"),
    arg("rollout-data-transport",           CARRIER,  "object-store", "how samples reach the trainer"),
    arg("buffer-filter-path",               PATH,     "",       "Python function that takes groups from the buffer"),
    arg("rollout-sample-filter-path",       PATH,     "",       "Python function that masks samples"),
    arg("rollout-sample-hook-path",         LIST,     "", "Python functions called with each sample before its reward"),
    arg("rollout-all-samples-process-path", PATH,     "", "Python function called with all samples, the dropped ones too"),
    arg("rollout-data-postprocess-path",    PATH,     "", "Python function called once log probabilities are there"),
    arg("custom-convert-samples-to-train-data-path", PATH,     "", "Python function that makes training data of samples"),
    arg("custom-rollout-log-function-path", PATH,     "",       "Python function that logs a rollout"),
    arg("log-passrate",                     FLAG,     "", "report how many of n responses are right"),
    arg("log-multi-turn",                   FLAG,     "", "report the turns of conversations"),
    arg("log-reward-category",              TEXT,     "", "report rewards by this field"),
    arg("log-correct-samples",              FLAG,     "", "report right responses by themselves"),
    arg("loss-mask-type",                   MASKS,    "qwen",   "which tokens of a conversation are trained on"),
];
