//! Going on from a checkpoint.

use std::collections::BTreeMap;

use super::{Case, Law, facts::Checkpoints, law::Scope};

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

/// What `load` holds, when a checkpoint of a run is among it.
fn resumed<'a>(case: &Case<'a>) -> Option<(&'a Checkpoints, u64)> {
    let load = case.facts.load.as_ref()?;
    Some((load, load.latest()?))
}

/// The first rollout, as the checkpoint has it.
fn next(case: &Case<'_>) -> Option<u64> {
    let (_, latest) = resumed(case)?;
    let step = case.whole("ckpt-step").unwrap_or(latest);
    (!case.flag("finetune")).then_some(step.saturating_add(1))
}

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
    Law::error(
        Scope::Megatron,
        "resume.finished",
        "there are rollouts left to make",
        &["num-rollout", LOAD, "start-rollout-id"],
        |case| {
            let end = case.count("num-rollout")?;
            let start = case.whole("start-rollout-id").or_else(|| next(case))?;
            (start >= end).then(|| {
                format!(
                    "num-rollout is {end}, which counts from the very first rollout, and the job would go on with rollout \
                     {start}: it would end at once; write more than {start}"
                )
            })
        },
    ),
    Law::warning(
        Scope::Megatron,
        "resume.start",
        "the first rollout is the one after the checkpoint",
        &["start-rollout-id", LOAD],
        |case| {
            let (said, next) = (case.whole("start-rollout-id")?, next(case)?);
            (said != next).then(|| {
                format!(
                    "start-rollout-id is {said}, but the checkpoint in load was made after rollout {}: leave it out for {next}",
                    next - 1
                )
            })
        },
    ),
    Law::warning(
        Scope::Megatron,
        "resume.fallback",
        "a directory with checkpoints says which is the latest",
        &[LOAD, "ref-load"],
        |case| {
            let load = case.facts.load.as_ref().filter(|load| load.tracker.is_none() && !load.config)?;
            let last = load.iterations.iter().max()?;
            Some(format!(
                "load has the checkpoint of rollout {last}, but no latest_checkpointed_iteration.txt: the job would begin \
                 again at rollout 0 without a word; write {last} into that file if the checkpoint is complete"
            ))
        },
    ),
    Law::warning(
        Scope::Megatron,
        "resume.stray-config",
        "a directory of checkpoints is not taken for one of Hugging Face",
        &[LOAD],
        |case| {
            let load = case.facts.load.as_ref().filter(|load| load.tracker.is_none() && load.config)?;
            (!load.iterations.is_empty()).then(|| {
                "load has a config.json beside its checkpoints and no latest_checkpointed_iteration.txt: it would be \
                 taken for a Hugging Face directory; remove config.json"
                    .to_owned()
            })
        },
    ),
    Law::info(
        Scope::Megatron,
        "resume.fresh",
        "a job that has nothing to go on from begins with the weights of ref-load",
        &[LOAD, "ref-load"],
        |case| {
            let load = case.facts.load.as_ref().filter(|load| load.tracker.is_none() && !load.config)?;
            let base = case.job.value("ref-load").unwrap_or_else(|| "nothing".to_owned());
            load.iterations.is_empty().then(|| {
                format!("load has no checkpoint: the job begins at rollout 0 with the weights of ref-load ({base})")
            })
        },
    ),
    Law::error(
        Scope::Slime,
        "resume.files",
        "the files and directories that the job reads are there on every node",
        &["hf-checkpoint", "ref-load", "prompt-data", "eval-prompt-data"],
        |case| {
            let mut paths: Vec<(&str, String)> = ["hf-checkpoint", "ref-load", "prompt-data"]
                .into_iter()
                .filter_map(|name| Some((name, case.job.value(name)?)))
                .collect();
            let sets = case.job.list("eval-prompt-data");
            let files = if sets.len() == 1 { sets } else { sets.into_iter().skip(1).step_by(2).collect() };
            paths.extend(files.into_iter().map(|file| ("eval-prompt-data", file)));
            let gone: Vec<_> = paths
                .into_iter()
                .filter(|(_, path)| case.facts.files.get(path) == Some(&false))
                .map(|(name, path)| format!("{name} ({path})"))
                .collect();
            (!gone.is_empty()).then(|| format!("not there, or not on every node: {}", gone.join(", ")))
        },
    ),
];
