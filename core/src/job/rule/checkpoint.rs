//! Checkpoints, evaluations and what is kept for debugging.

use super::{Law, law::Scope};

pub(super) const LAWS: &[Law] = &[
    Law::error(Scope::Any, "checkpoint.save", "checkpoints have a place", &["save-interval", "save"], |case| {
        (case.set("save-interval") && !case.set("save")).then(|| {
            "save-interval has no place for its checkpoints: write save = \"DIRECTORY\" below [checkpoint]".to_owned()
        })
    }),
    Law::error(
        Scope::Any,
        "eval.data",
        "an evaluation has something to evaluate",
        &["eval-interval", "eval-prompt-data", "eval-config"],
        |case| {
            (case.set("eval-interval") && !case.set("eval-prompt-data") && !case.set("eval-config")).then(|| {
                "eval-interval has nothing to evaluate: write eval-prompt-data = [\"NAME\", \"FILE\"] below [eval]"
                    .to_owned()
            })
        },
    ),
    Law::error(
        Scope::Any,
        "eval.pairs",
        "evaluation sets are pairs of a name and a file",
        &["eval-prompt-data", "engine"],
        |case| {
            // slime takes a single value too, for the file of a set named aime.
            let sets = case.job.list("eval-prompt-data").len();
            (sets % 2 == 1 && !(sets == 1 && case.slime()))
                .then(|| "eval-prompt-data must be pairs of a name and a file, like [\"NAME\", \"FILE\"]".to_owned())
        },
    ),
    Law::warning(
        Scope::Megatron,
        "checkpoint.none",
        "a job that trains for long leaves checkpoints",
        &["save", "save-interval", "num-rollout"],
        |case| {
            let save = case.set("save") && case.set("save-interval");
            let rollouts = case.count("num-rollout").filter(|rollouts| *rollouts >= 50 && !save)?;
            let missing = if case.set("save") { "save-interval" } else { "save and save-interval" };
            Some(format!(
                "{rollouts} rollouts and no checkpoint: whatever dies takes all of them along; write {missing} below [checkpoint]"
            ))
        },
    ),
    Law::error(
        Scope::Megatron,
        "checkpoint.retain",
        "the checkpoints that are kept are among those that are made",
        &["save-retain-interval", "save-interval"],
        |case| {
            let (kept, made) = (case.count("save-retain-interval")?, case.count("save-interval")?);
            (!kept.is_multiple_of(made)).then(|| {
                format!(
                    "save-retain-interval ({kept}) is not a multiple of save-interval ({made}): write {}",
                    kept.checked_next_multiple_of(made).unwrap_or(made)
                )
            })
        },
    ),
    Law::error(
        Scope::Slime,
        "checkpoint.debug",
        "a job trains or samples, or both",
        &["debug-rollout-only", "debug-train-only", "load-debug-rollout-data"],
        |case| {
            let train = case.flag("debug-train-only") || case.set("load-debug-rollout-data");
            (case.flag("debug-rollout-only") && train).then(|| {
                "debug-rollout-only leaves out training and debug-train-only (or load-debug-rollout-data) the engines: \
                 nothing is left; keep one of them"
                    .to_owned()
            })
        },
    ),
    Law::error(
        Scope::Slime,
        "checkpoint.dump",
        "samples and training data are kept in different files",
        &["save-debug-train-data", "save-debug-rollout-data"],
        |case| {
            let path = case.job.value("save-debug-train-data")?;
            (case.job.value("save-debug-rollout-data")? == path).then(|| {
                "save-debug-train-data and save-debug-rollout-data are the same file: each would overwrite the other"
                    .to_owned()
            })
        },
    ),
    Law::warning(
        Scope::Slime,
        "checkpoint.custom-config",
        "arguments stand where they can be checked",
        &["custom-config-path"],
        |case| {
            case.set("custom-config-path").then(|| {
                "custom-config-path sets arguments after all checks, and none of them is seen here: write them into \
                 this file"
                    .to_owned()
            })
        },
    ),
];
