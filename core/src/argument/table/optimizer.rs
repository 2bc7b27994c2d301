use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Optimizer, name, kind, default, help)
}

const OPTIMIZERS: Kind = Kind::Choice(&["adam", "sgd", "muon", "dist_muon"]);
const WSD: Kind = Kind::Choice(&["exponential", "linear", "cosine", "minus_sqrt"]);
const GROWTH: Kind = Kind::Choice(&["constant", "linear", "cosine"]);
const DECAY: Kind = Kind::Choice(&["constant", "linear", "cosine", "inverse-square-root", "WSD"]);

#[rustfmt::skip]
pub(super) const ROWS: &[Argument] = &[
    arg("optimizer",                       OPTIMIZERS, "adam",   "kind of optimizer"),
    arg("lr",                              RATE,     "1e-6",   "step size").slime(Live).built_in(Live).tunable(),
    arg("min-lr",                          AMOUNT,     "0.0",    "least step size of the schedule").slime(Live),
    arg("lr-decay-style",                  DECAY,      "linear", "how the step size falls"),
    arg("lr-decay-iters",                  COUNT,      "",       "steps over which it falls"),
    arg("lr-warmup-iters",                 WHOLE,      "0",      "steps over which it rises first"),
    arg("lr-warmup-fraction",              SHARE,      "",       "share of the steps over which it rises first"),
    arg("lr-warmup-init",                  AMOUNT,     "0.0", "step size that it rises from"),
    arg("lr-wsd-decay-style",              WSD,        "exponential", "how the step size falls at the end of WSD"),
    arg("lr-wsd-decay-iters",              COUNT,      "", "steps of that end"),
    arg("weight-decay",                    RATE,     "0.01",   "pull of the weights to zero").slime(Live).built_in(Live).tunable(),
    arg("start-weight-decay",              RATE,     "", "that pull at the first step"),
    arg("end-weight-decay",                RATE,     "", "that pull at the last step"),
    arg("weight-decay-incr-style",         GROWTH,   "constant", "how it gets from one to the other"),
    arg("adam-beta1",                      MEMORY,      "0.9",    "memory of the gradient").slime(Live).built_in(Live),
    arg("adam-beta2",                      MEMORY,      "0.999",  "memory of its square").slime(Live).built_in(Live),
    arg("adam-eps",                        POSITIVE,   "1e-8",   "added to the root of the square").slime(Live),
    arg("clip-grad",                       AMOUNT,     "1.0",    "longest gradient; 0 is no limit").slime(Live).built_in(Live).tunable(),
    arg("optimizer-cpu-offload",           FLAG,       "",       "the optimizer lives and works in host memory"),
    arg("optimizer-offload-fraction",      SHARE,      "1.0", "share of the optimizer that does"),
    arg("overlap-cpu-optimizer-d2h-h2d",   FLAG,       "",       "copy to and from the host while it works"),
    arg("use-precision-aware-optimizer",   FLAG,       "",       "number formats of the optimizer can be chosen"),
    arg("main-grads-dtype",                TEXT,       "fp32",   "number format of gradients"),
    arg("main-params-dtype",               TEXT,       "fp32",   "number format of master weights"),
    arg("exp-avg-dtype",                   TEXT,       "fp32",   "number format of the first moment"),
    arg("exp-avg-sq-dtype",                TEXT,       "fp32",   "number format of the second moment"),
    arg("reset-optimizer-states",          FLAG,       "", "the optimizer forgets after each rollout").slime(NextRollout),
    arg("use-stateless-adam",              FLAG,       "", "Adam without memory between steps"),
];
