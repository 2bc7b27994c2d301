//! What a trainer needs before its first rollout: weights from a checkpoint or the cold start, data, an open exchange.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use rldeck_core::shard::Severity;

use super::{Trainer, tune::Tuning};
use crate::{
    argument::Given,
    checkpoint,
    config::Config,
    device::Cpu,
    exchange::{Hub, listen},
    fp8,
    learner::Learner,
    model::Layout,
    report::Reporter,
    say,
    task::{Order, read},
};

impl Trainer {
    pub(crate) fn new(given: Given, stop: Arc<AtomicBool>) -> Result<Trainer, String> {
        let config = Config::new(&given)?;
        let mut report = Reporter::new();
        let layout = Layout::new(&config.shape);
        let mut learner = Learner::new(Cpu, layout.clone(), &layout.birth(config.seed));
        let resumed = resume(&config, &layout, &mut report)?;
        let begin = if resumed.is_none() || config.use_kl { Some(beginning(&config, &layout)?) } else { None };
        let mut done = None;
        if let Some((found, path)) = resumed {
            say!("resuming from {} at rollout {}", path.display(), found.progress.rollout + 1);
            (learner.params, learner.moments) = (found.weights, found.moments);
            done = Some(found.progress);
        } else if let Some((weights, path)) = &begin {
            if let Some(load) = &config.load {
                say!("nothing to resume in {}; beginning from {}", load.display(), path.display());
            }
            learner.params.clone_from(weights);
        }
        let data = config.prompt_data.as_deref().ok_or("--prompt-data is required")?;
        let prompts = read(data, &config.input_key, &config.label_key)?;
        let eval_prompts = match &config.eval {
            Some(eval) => read(&eval.data, &config.input_key, &config.label_key)?,
            None => Vec::new(),
        };
        say!("{} prompts from {}, {} to evaluate on", prompts.len(), data.display(), eval_prompts.len());
        let at = config.exchange.display();
        let listener = listen(&config.exchange).map_err(|error| format!("cannot listen at {at}: {error}"))?;
        say!("{} parameters; rollout shards are awaited at {at}", layout.len);
        let hub = Hub::new(listener, layout.len, fp8::pack(&layout, &learner.params));
        let done_steps = done.as_ref().map_or(0, |progress| progress.step);
        Ok(Trainer {
            reference: begin.filter(|_| config.use_kl).map(|(weights, _)| weights),
            order: Order::new(config.seed, prompts.len()),
            saved: done.as_ref().map(|progress| progress.rollout),
            tuning: Tuning::new(given),
            config,
            report,
            stop,
            hub,
            learner,
            prompts,
            eval_prompts,
            done,
            next_job: 0,
            step: done_steps,
            step_time: 0.0,
            cut_short: false,
        })
    }
}

fn resume(
    config: &Config,
    layout: &Layout,
    report: &mut Reporter,
) -> Result<Option<(checkpoint::Checkpoint, PathBuf)>, String> {
    let Some(load) = &config.load else { return Ok(None) };
    checkpoint::load(load, layout, |complaint| report.notice(Severity::Error, complaint))
}

/// The weights of a job that has no checkpoint yet.
fn beginning(config: &Config, layout: &Layout) -> Result<(Vec<f32>, PathBuf), String> {
    let from = |dir: &Path| checkpoint::read_model(dir, layout).map(|weights| (weights, dir.to_owned()));
    match (&config.ref_load, config.cold_dir()) {
        (Some(dir), _) => from(dir),
        (None, Some(dir)) => {
            from(&dir).map_err(|error| format!("{error}; run `prepare` with the same arguments first"))
        }
        (None, None) => Err("nothing to begin from: give --ref-load or --cold-start".into()),
    }
}
