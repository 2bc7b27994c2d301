//! Going on from a checkpoint.

use super::{Case, Law, facts::Checkpoints, law::Scope};

const LOAD: &str = "load";
/// What `load` holds, when a checkpoint of a run is among it.
pub(super) fn resumed<'a>(case: &Case<'a>) -> Option<(&'a Checkpoints, u64)> {
    let load = case.facts.load.as_ref()?;
    Some((load, load.latest()?))
}

/// The first rollout, as the checkpoint has it.
fn next(case: &Case<'_>) -> Option<u64> {
    let (_, latest) = resumed(case)?;
    let step = case.whole("ckpt-step").unwrap_or(latest);
    (!case.flag("finetune")).then_some(step.saturating_add(1))
}

pub(super) const LAWS: &[Law] = &[
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
