use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Grpo, name, kind, default, help)
}

const ESTIMATORS: Kind =
    Kind::Choice(&["grpo", "gspo", "cispo", "reinforce_plus_plus", "reinforce_plus_plus_baseline", "ppo"]);
const KL: Kind = Kind::Choice(&["k1", "k2", "k3", "low_var_kl"]);
const LOSSES: Kind = Kind::Choice(&["policy_loss", "sft_loss", "custom_loss"]);
const TEACHER: Kind = Kind::Choice(&["sglang", "megatron"]);
const PULL: Kind = Kind::Float { min: -1000.0, max: 1000.0, above: false };
const CLIP_C: Kind = Kind::Float { min: 1.0, max: f64::INFINITY, above: true };

#[rustfmt::skip]
pub(super) const ROWS: &[Argument] = &[
    arg("advantage-estimator",         ESTIMATORS, "grpo",  "how rewards become advantages").built_in(Restart).words(&["grpo"]),
    arg("use-kl-loss",                 FLAG,       "",      "load a reference model and add the distance from it to the loss").built_in(Restart),
    arg("kl-loss-coef",                WEIGHT,     "0.0",   "weight of that distance").slime(Live).built_in(Live).tunable(),
    arg("kl-loss-type",                KL,         "k1",    "estimate of that distance").slime(Live).built_in(Restart).words(&["low_var_kl"]),
    arg("kl-coef",                     AMOUNT,     "0.0",   "weight of the distance in the reward").slime(NextRollout),
    arg("use-unbiased-kl",             FLAG,       "",      "correct that estimate for old samples"),
    arg("entropy-coef",                PULL,     "0.0",   "weight of the entropy, to keep the policy open").slime(Live).built_in(Live).tunable(),
    arg("eps-clip",                    AMOUNT,     "0.2",   "how far a token's probability may fall in one rollout").slime(Live).built_in(Live).tunable(),
    arg("eps-clip-high",               WEIGHT,     "",      "how far it may rise; eps-clip when not given").slime(Live).built_in(Live).tunable(),
    arg("eps-clip-c",                  CLIP_C,     "",      "bound of the loss for bad tokens (dual clip)").slime(Live),
    arg("value-clip",                  AMOUNT,     "0.2",   "how far a value may move (ppo)").slime(Live),
    arg("gamma",                       SHARE,      "1.0",   "discount of later rewards").slime(NextRollout),
    arg("lambd",                       SHARE,      "1.0",   "lambda of the advantage estimate").slime(NextRollout),
    arg("normalize-advantages",        FLAG,       "",      "advantages with mean 0 and spread 1 over the batch"),
    arg("disable-grpo-std-normalization", FLAG,    "",      "advantages are not divided by the group's spread"),
    arg("disable-rewards-normalization",  FLAG,    "",      "rewards as they are"),
    arg("calculate-per-token-loss",    FLAG,       "",      "mean over tokens instead of samples"),
    arg("loss-type",                   LOSSES,     "policy_loss", "kind of loss"),
    arg("custom-loss-function-path",   PATH,       "",      "Python function of the loss"),
    arg("custom-pg-loss-reducer-function-path", PATH,       "", "Python function that sums up the policy loss"),
    arg("custom-advantage-function-path", PATH,       "", "Python function of the advantages"),
    arg("disable-compute-advantages-and-returns", FLAG,       "", "no advantages (supervised training)"),
    arg("ref-update-interval",         COUNT,      "",      "the reference becomes the policy every so many rollouts").slime(Live),
    arg("keep-old-actor",              FLAG,       "", "keep the weights that sampled, for their log probabilities"),
    arg("use-rollout-logprobs",        FLAG,       "",      "old probabilities are those of the engines"),
    arg("use-tis",                     FLAG,       "",      "weigh samples by trainer against engine probability"),
    arg("tis-clip",                    AMOUNT,     "2.0",   "greatest such weight").slime(Live),
    arg("tis-clip-low",                AMOUNT,     "0",     "least such weight").slime(Live),
    arg("custom-tis-function-path",    PATH,       "",      "Python function of that weight"),
    arg("get-mismatch-metrics",        FLAG,       "",      "report how trainer and engines differ"),
    arg("use-opsm",                    FLAG,       "",      "mask samples that are far off-policy"),
    arg("opsm-delta",                  AMOUNT,     "1e-4",  "how far that is").slime(Live),
    arg("use-routing-replay",          FLAG,       "",      "the same experts in forward and backward"),
    arg("use-rollout-routing-replay",  FLAG,       "",      "the experts that the engine chose"),
    arg("use-rollout-entropy",         FLAG,       "", "take the entropy with the log probabilities"),
    arg("num-critic-only-steps",       WHOLE,      "0", "rollouts at first that train the critic alone (ppo)"),
    arg("use-opd",                     FLAG,       "", "learn from a teacher on own samples"),
    arg("opd-type",                    TEACHER,    "", "where that teacher runs"),
    arg("opd-kl-coef",                 AMOUNT,     "1.0", "weight of the distance from it"),
    arg("opd-teacher-load",            PATH,       "", "weights of a teacher inside the trainer"),
    arg("opd-teacher-ckpt-step",       WHOLE,      "", "which checkpoint of them"),
];
