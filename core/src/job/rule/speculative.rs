//! Tokens that engines guess ahead.

use super::{Law, law::Scope};

const WAY: &str = "sglang-speculative-algorithm";
const STEPS: &str = "sglang-speculative-num-steps";
const TOPK: &str = "sglang-speculative-eagle-topk";
const DRAFT: &str = "sglang-speculative-num-draft-tokens";
const MODEL: &str = "sglang-speculative-draft-model-path";

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::Sglang,
        "speculative.steps",
        "guesses that are described have a number of steps",
        &[STEPS, TOPK, DRAFT, WAY],
        |case| {
            let given: Vec<_> = [TOPK, DRAFT].into_iter().filter(|name| case.set(name)).collect();
            let names = given.iter().map(|name| name.trim_start_matches("sglang-")).collect::<Vec<_>>().join(" and ");
            (case.set(WAY) && !case.set(STEPS) && !given.is_empty()).then(|| {
                format!("{names} without speculative-num-steps: write all three (3, 1 and 4 for DeepSeek), or none")
            })
        },
    ),
    Law::warning(
        Scope::Sglang,
        "speculative.draft",
        "one guess a step makes a draft of one token more than steps",
        &[DRAFT, STEPS, TOPK],
        |case| {
            let (steps, draft) = (case.whole(STEPS)?, case.whole(DRAFT)?);
            (case.whole(TOPK) == Some(1) && draft != steps.saturating_add(1)).then(|| {
                format!(
                    "speculative-num-draft-tokens is {draft}, but {steps} steps of one guess make a draft of {}: write that",
                    steps.saturating_add(1)
                )
            })
        },
    ),
    Law::warning(
        Scope::Sglang,
        "speculative.algorithm",
        "guesses that are described are made in some way",
        &[STEPS, TOPK, DRAFT, MODEL, WAY],
        |case| {
            let given = [STEPS, TOPK, DRAFT, MODEL].into_iter().find(|name| case.set(name))?;
            let given = given.trim_start_matches("sglang-");
            (!case.set(WAY)).then(|| {
                format!(
                    "{given} does nothing without speculative-algorithm: write \"EAGLE\" for DeepSeek, or leave it out"
                )
            })
        },
    ),
    Law::error(
        Scope::Sglang,
        "speculative.pipeline",
        "engines that guess ahead have one stage",
        &[WAY, "sglang-pp-size"],
        |case| {
            (case.set(WAY) && case.engine.pp > 1).then(|| {
                format!("speculative-algorithm does not work with pp-size {}: leave out one of them", case.engine.pp)
            })
        },
    ),
    Law::error(
        Scope::Sglang,
        "speculative.model",
        "what guesses is a layer of the model or a model of its own",
        &[MODEL, WAY, "multi-latent-attention", "mtp-num-layers"],
        |case| {
            let eagle = case.text(WAY).is_some_and(|way| matches!(way.as_str(), "EAGLE" | "EAGLE3"));
            let own = case.flag("multi-latent-attention") || case.count("mtp-num-layers").is_some();
            (eagle && !own && !case.set(MODEL)).then(|| {
                "speculative-algorithm needs a model that guesses, for this one has no layer that does: write \
                 speculative-draft-model-path below [sglang]"
                    .to_owned()
            })
        },
    ),
];
