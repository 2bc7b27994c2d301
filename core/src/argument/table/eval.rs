use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Eval, name, kind, default, help)
}

const TEMPERATURE: Kind = Kind::Float { min: 0.0, max: 100.0, above: false };

#[rustfmt::skip]
pub(super) const ROWS: &[Argument] = &[
    arg("eval-interval",                COUNT,  "",  "an evaluation every so many rollouts").built_in(NextRollout).tunable(),
    arg("eval-prompt-data",             LIST,   "",  "names and files of the evaluation sets, in pairs").slime(NextRollout).built_in(Restart),
    arg("eval-config",                  PATH,   "",  "YAML of the evaluation sets"),
    arg("eval-input-key",               TEXT,   "",  "field of the prompt").slime(NextRollout),
    arg("eval-label-key",               TEXT,   "",  "field of the right answer").slime(NextRollout),
    arg("eval-reward-key",              TEXT,   "",  "field of the reward").slime(NextRollout),
    arg("eval-tool-key",                TEXT,   "", "field of the tools").slime(NextRollout),
    arg("n-samples-per-eval-prompt",    COUNT,  "1", "responses to each evaluation prompt").slime(NextRollout).built_in(Restart),
    arg("eval-temperature",             TEMPERATURE, "",  "randomness of sampling; as in rollouts when not given").slime(NextRollout).built_in(Restart),
    arg("eval-top-p",                   PART,   "",  "sample from the likeliest tokens of this share").slime(NextRollout),
    arg("eval-top-k",                   LIMIT,  "",  "sample from so many tokens; -1 is all").slime(NextRollout),
    arg("eval-max-response-len",        COUNT,  "",  "longest response, in tokens").slime(NextRollout).built_in(Restart),
    arg("eval-min-new-tokens",          WHOLE,  "", "shortest response, in tokens").slime(NextRollout),
    arg("eval-max-prompt-len",          COUNT,  "",  "longer prompts are left out").slime(NextRollout),
    arg("eval-max-context-len",         COUNT,  "",  "longest prompt and response together").slime(NextRollout),
    arg("eval-function-path",           PATH,   "",  "Python function that makes an evaluation"),
    arg("custom-eval-rollout-log-function-path", PATH,   "", "Python function that logs an evaluation"),
    arg("skip-eval-before-train",       FLAG,   "",  "no evaluation before the first rollout"),
];
