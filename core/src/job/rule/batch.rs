//! Groups, samples and steps of a rollout.

use super::{Case, Law, case::uneven, law::Scope};

const GROUPS: &str = "rollout-batch-size";
const EACH: &str = "n-samples-per-prompt";
const STEPS: &str = "num-steps-per-rollout";
const GLOBAL: &str = "global-batch-size";
const SAMPLED: &str = "over-sampling-batch-size";

/// The filter of groups whose samples all got the same reward.
const SPREAD: &str = "check_reward_nonzero_std";

/// Groups times samples, written out.
fn product(case: &Case<'_>) -> Option<String> {
    let (kept, each, total) = case.samples()?;
    Some(format!("rollout-batch-size x n-samples-per-prompt = {kept} x {each} = {total}"))
}

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::Any,
        "batch.over-sampling",
        "at least as many groups are sampled at a time as a rollout keeps",
        &[SAMPLED, GROUPS],
        |case| {
            let (kept, sampled) = (case.samples()?.0, case.whole(SAMPLED)?);
            (sampled < kept).then(|| {
                format!("over-sampling-batch-size is {sampled}, less than rollout-batch-size: write at least {kept}")
            })
        },
    ),
    Law::warning(
        Scope::Any,
        "batch.group-of-one",
        "a group has several samples, whose rewards are compared",
        &[EACH, "advantage-estimator", "engine"],
        |case| {
            let (_, each, _) = case.samples()?;
            let starves = case.is(Scope::Slime) && filtered(case);
            (each == 1 && case.holds("advantage-estimator", "grpo") && !starves).then(|| {
                "n-samples-per-prompt is 1: a group of one has no spread of rewards to learn from; write at least 2"
                    .to_owned()
            })
        },
    ),
    Law::error(
        Scope::Slime,
        "batch.filter-of-one",
        "groups that are filtered by their spread of rewards have several samples",
        &[EACH, "dynamic-sampling-filter-path"],
        |case| {
            (case.samples()?.1 == 1 && filtered(case)).then(|| {
                "n-samples-per-prompt is 1, and a group of one has no spread of rewards: the filter drops every group \
                 and no rollout ends; write at least 2"
                    .to_owned()
            })
        },
    ),
    Law::error(
        Scope::Any,
        "batch.steps",
        "a rollout has a sample for each of its optimizer steps",
        &[STEPS, GROUPS, EACH],
        |case| {
            let ((.., total), steps) = (case.samples()?, case.count(STEPS)?);
            let product = product(case)?;
            (total / steps == 0)
                .then(|| format!("num-steps-per-rollout is {steps}, more than the samples of a rollout ({product})"))
        },
    ),
    Law::warning(
        Scope::Any,
        "batch.trailing",
        "all samples of a rollout are trained on",
        &[STEPS, GROUPS, EACH, GLOBAL],
        |case| {
            let ((.., total), product) = (case.samples()?, product(case)?);
            let (name, by) = match case.count(STEPS) {
                Some(steps) => ("num-steps-per-rollout", steps),
                None => ("global-batch-size", case.whole(GLOBAL)?),
            };
            let rest = total.checked_rem(by).filter(|rest| *rest > 0 && *rest < total)?;
            Some(format!(
                "{total} samples a rollout ({product}) are not a multiple of {name} ({by}): {rest} of them are not trained on"
            ))
        },
    ),
    Law::error(
        Scope::Any,
        "batch.global",
        "global-batch-size is what follows from groups, samples and steps",
        &[GLOBAL, STEPS, GROUPS, EACH],
        |case| {
            let ((.., total), steps) = (case.samples()?, case.count(STEPS)?);
            let (each, product) = (total / steps, product(case)?);
            let global = case.whole(GLOBAL).filter(|global| each > 0 && *global != each)?;
            Some(format!(
                "global-batch-size is {global}, but {product}, and / num-steps-per-rollout ({steps}) = {each}: write {each}, or leave it out"
            ))
        },
    ),
    Law::error(
        Scope::Megatron,
        "batch.too-few",
        "a rollout has the samples of one optimizer step at least",
        &[GLOBAL, GROUPS, EACH, STEPS],
        |case| {
            let ((.., total), global) = (case.samples()?, case.whole(GLOBAL)?);
            let product = product(case)?;
            (case.count(STEPS).is_none() && global > total).then(|| {
                format!("global-batch-size is {global}, more than the samples of a rollout ({product}): write at most {total}")
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "batch.data-parallel",
        "the samples of a step are a multiple of micro-batch-size x data parallel size",
        &[GROUPS, EACH, STEPS, GLOBAL, "micro-batch-size", "cluster.hosts"],
        |case| {
            let (global, replicas) = (case.global()?, case.replicas()?);
            let micro = case.count("micro-batch-size").unwrap_or(1);
            let of = micro.saturating_mul(replicas);
            uneven(global, of).then(|| {
                format!(
                    "a step has {global} samples, which is not a multiple of micro-batch-size x data parallel size = \
                     {micro} x {replicas} = {of}: choose rollout-batch-size, n-samples-per-prompt and \
                     num-steps-per-rollout so that it is {}, for example",
                    global.checked_next_multiple_of(of).unwrap_or(of)
                )
            })
        },
    ),
    Law::warning(
        Scope::Slime,
        "batch.partial",
        "partial rollouts have groups that are left unfinished",
        &["partial-rollout", SAMPLED, GROUPS],
        |case| {
            let kept = case.samples()?.0;
            (case.flag("partial-rollout") && case.whole(SAMPLED).unwrap_or(kept) == kept).then(|| {
                format!(
                    "partial-rollout does nothing: no more groups are sampled than kept ({kept}), so none is left \
                     unfinished; write over-sampling-batch-size above {kept}"
                )
            })
        },
    ),
    Law::warning(
        Scope::Slime,
        "batch.epochs",
        "the end of the job is given once",
        &["num-epoch", "num-rollout"],
        |case| {
            (case.set("num-epoch") && case.set("num-rollout"))
                .then(|| "num-epoch does nothing beside num-rollout: keep one of them".to_owned())
        },
    ),
];

/// Whether groups without a spread of rewards are dropped.
fn filtered(case: &Case<'_>) -> bool {
    case.job.value("dynamic-sampling-filter-path").is_some_and(|path| path.ends_with(SPREAD))
}
