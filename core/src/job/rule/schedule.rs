//! The schedule of the step size, in a job that goes on from a checkpoint.

use std::collections::BTreeMap;

use super::{Case, Law, law::Scope, resume::resumed};

const LOAD: &str = "load";
const KEEP: &str = "use-checkpoint-opt_param-scheduler";
const OVERRIDE: &str = "override-opt_param-scheduler";
const SCHEDULE: &[&str] = &[
    "lr",
    "min-lr",
    "weight-decay",
    "lr-decay-style",
    "lr-warmup-iters",
    "num-rollout",
    "rollout-batch-size",
    "n-samples-per-prompt",
    "num-steps-per-rollout",
    "global-batch-size",
    "lr-decay-iters",
    LOAD,
    KEEP,
    OVERRIDE,
];

/// Samples over which the step size falls, the way slime counts them.
fn decay(value: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let whole = |name: &str| value(name).and_then(|text| text.parse::<u64>().ok());
    let each = whole("n-samples-per-prompt").unwrap_or(1);
    let total = whole("rollout-batch-size")?.checked_mul(each)?;
    let global = match whole("num-steps-per-rollout") {
        Some(steps) => total.checked_div(steps)?,
        None => whole("global-batch-size")?,
    };
    let steps = match whole("lr-decay-iters") {
        Some(steps) => steps,
        None => whole("num-rollout")?.checked_mul(total)?.checked_div(global)?,
    };
    steps.checked_mul(global)
}

/// What of the schedule is other than what the checkpoint was made with.
fn changed(case: &Case<'_>) -> Option<Vec<String>> {
    let (load, _) = resumed(case)?;
    let plain = ["finetune", "no-load-optim"].into_iter().any(|name| case.flag(name));
    if plain || load.made_with.is_empty() {
        return None;
    }
    let old = |name: &str| made_with(&load.made_with, name);
    let same = |a: &str, b: &str| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    };
    let mut changed = Vec::new();
    for name in &SCHEDULE[..5] {
        if let (Some(was), Some(is)) = (old(name), case.text(name))
            && !same(&was, &is)
        {
            changed.push(format!("{name} was {was} and is {is}"));
        }
    }
    if let (Some(was), Some(is)) = (decay(old), decay(|name| case.job.value(name)))
        && was != is
    {
        let named = |name: &&&str| {
            let (was, is) = (old(name), case.job.value(name));
            was != is && !matches!(**name, LOAD | KEEP | OVERRIDE)
        };
        let names: Vec<_> = SCHEDULE[5..].iter().filter(named).copied().collect();
        changed.push(format!("the schedule ({}) had {was} samples and has {is}", names.join(", ")));
    }
    Some(changed).filter(|changed| !changed.is_empty())
}

/// What held when the checkpoint was made.
fn made_with(arguments: &BTreeMap<String, String>, name: &str) -> Option<String> {
    arguments.get(name).cloned().or_else(|| Some(crate::argument::find(name)?.default?.to_owned()))
}

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::Megatron,
        "resume.schedule",
        "a job that goes on keeps its schedule, or says which one holds",
        SCHEDULE,
        |case| {
            let changed = changed(case).filter(|_| !case.flag(KEEP) && !case.flag(OVERRIDE))?;
            Some(format!(
                "the checkpoint in load was made with another schedule: {}. Megatron refuses that: write {KEEP} = true \
                 below [checkpoint] to keep the checkpoint's, or {OVERRIDE} = true for this one",
                changed.join("; ")
            ))
        },
    ),
    Law::warning(
        Scope::Megatron,
        "resume.kept",
        "arguments that the checkpoint's schedule replaces are not changed",
        SCHEDULE,
        |case| {
            let changed = changed(case).filter(|_| case.flag(KEEP))?;
            Some(format!("{}: {KEEP} keeps what the checkpoint has", changed.join("; ")))
        },
    ),
    Law::warning(
        Scope::Megatron,
        "resume.step-size",
        "a step size that is changed with a new schedule takes effect",
        SCHEDULE,
        |case| {
            let changed = changed(case).filter(|_| case.flag(OVERRIDE) && !case.flag(KEEP))?;
            let lr = changed.into_iter().find(|text| text.starts_with("lr ") || text.starts_with("min-lr "))?;
            Some(format!(
                "{lr}, but the optimizer in the checkpoint keeps its own in spite of {OVERRIDE}: tune it once the job runs"
            ))
        },
    ),
];
