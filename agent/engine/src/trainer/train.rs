use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use super::{Clock, Trainer, gather::Group, metrics::mean};
use crate::{
    checkpoint::Progress,
    config::RolloutPlan,
    device::{AdamW, Device},
    grpo::{TOTALS, Trajectory, advantages, loss},
    learner::Interrupted,
    model::Packed,
    pack::pack,
};

/// A rollout in training is finished on a stop if that takes no longer (in seconds); else it is undone.
const SOON: f64 = 0.3;
/// Micro-batches come in multiples of this, so that all lanes of the learner have work.
const PARTS: usize = 4;

impl Trainer {
    /// The optimizer steps of one rollout: all of them, or none.
    pub(super) fn train(
        &mut self,
        progress: &mut Progress,
        plan: &RolloutPlan,
        groups: Vec<Group>,
        clock: &mut Clock,
    ) -> Result<(), Interrupted> {
        let mut trajectories = self.trajectories(groups);
        if trajectories.is_empty() {
            return Ok(());
        }
        self.phase("logprob", progress.rollout);
        clock.time("log_probs", || self.score(&mut trajectories, plan.temperature, progress.rollout))?;
        self.phase("train", progress.rollout);
        let before = (self.learner.params.clone(), self.learner.moments.clone());
        clock.0.insert("tokens", trajectories.iter().map(|trajectory| trajectory.tokens.len() as f64).sum());
        let result = clock.time("actor_train", || self.steps(progress, plan, &trajectories));
        if result.is_err() {
            (self.learner.params, self.learner.moments) = before;
            self.step = self.done.as_ref().map_or(0, |done| done.step);
        }
        result
    }

    fn trajectories(&self, groups: Vec<Group>) -> Vec<Trajectory> {
        let mut trajectories = Vec::new();
        for group in groups.into_iter().filter(|group| group.dropped.is_none()) {
            let prompt = self.prompts[group.prompt].tokens();
            for (response, advantage) in group.responses.into_iter().zip(advantages(&group.rewards)) {
                let mut tokens = prompt.clone();
                tokens.extend(&response.tokens);
                trajectories.push(Trajectory {
                    tokens,
                    prompt: prompt.len(),
                    advantage: advantage as f32,
                    sampled: response.log_probs,
                    old: Vec::new(),
                    reference: Vec::new(),
                });
            }
        }
        trajectories
    }

    /// Fills in the log-probabilities before the first step, and those of the reference.
    fn score(&mut self, all: &mut [Trajectory], temperature: f32, rollout: u64) -> Result<(), Interrupted> {
        for (trajectory, old) in self.log_probs(all, temperature)?.into_iter().enumerate() {
            all[trajectory].old = old;
        }
        let sample_means = |of: fn(&Trajectory) -> &[f32]| {
            let means = all.iter().map(|t| of(t).iter().map(|p| f64::from(*p)).sum::<f64>() / of(t).len() as f64);
            mean(&means.collect::<Vec<_>>())
        };
        let mut values = BTreeMap::from([
            ("rollout/log_probs".to_owned(), sample_means(|trajectory| &trajectory.old)),
            ("rollout/rollout_log_probs".to_owned(), sample_means(|trajectory| &trajectory.sampled)),
        ]);
        if let Some(mut reference) = self.reference.take() {
            // The reference is scored in the same model's memory, as slime does it.
            mem::swap(&mut self.learner.params, &mut reference);
            let scored = self.log_probs(all, temperature);
            mem::swap(&mut self.learner.params, &mut reference);
            self.reference = Some(reference);
            for (trajectory, scored) in all.iter_mut().zip(scored?) {
                trajectory.reference = scored;
            }
            let of = |t: &Trajectory| t.reference.iter().map(|p| f64::from(*p)).sum::<f64>() / t.reference.len() as f64;
            values.insert("rollout/ref_log_probs".into(), mean(&all.iter().map(of).collect::<Vec<_>>()));
        }
        self.metrics("rollout", rollout, None, values);
        Ok(())
    }

    fn log_probs(&mut self, all: &[Trajectory], temperature: f32) -> Result<Vec<Vec<f32>>, Interrupted> {
        let bins = self.pack(&all.iter().collect::<Vec<_>>());
        let packed: Vec<Packed> =
            bins.iter().map(|bin| packed(&bin.iter().map(|i| &all[*i]).collect::<Vec<_>>())).collect();
        let stop = Arc::clone(&self.stop);
        let scores = self.learner.score(&packed, temperature, &stop)?;
        let mut found = vec![Vec::new(); all.len()];
        for (bin, scores) in bins.iter().zip(scores) {
            let mut start = 0;
            for index in bin {
                let rows = all[*index].rows();
                found[*index] = scores.log_prob[start + rows.start..start + rows.end].to_vec();
                start += all[*index].tokens.len();
            }
        }
        Ok(found)
    }

    fn pack(&self, trajectories: &[&Trajectory]) -> Vec<Vec<usize>> {
        let lengths: Vec<usize> = trajectories.iter().map(|trajectory| trajectory.tokens.len()).collect();
        pack(&lengths, self.config.max_tokens, PARTS)
    }

    fn steps(&mut self, progress: &mut Progress, plan: &RolloutPlan, all: &[Trajectory]) -> Result<(), Interrupted> {
        let steps = plan.steps.min(all.len());
        for step in 0..steps {
            self.tune(progress.step + (steps - step) as u64);
            let start = Instant::now();
            let part: Vec<&Trajectory> = all[all.len() * step / steps..all.len() * (step + 1) / steps].iter().collect();
            let soon = self.step_time > 0.0 && self.step_time * ((steps - step) as f64) < SOON;
            let stop = if soon { Arc::new(AtomicBool::new(false)) } else { Arc::clone(&self.stop) };
            self.step(progress, plan.temperature, &part, &stop)?;
            self.step_time = start.elapsed().as_secs_f64();
        }
        Ok(())
    }

    fn step(
        &mut self,
        progress: &mut Progress,
        temperature: f32,
        part: &[&Trajectory],
        stop: &AtomicBool,
    ) -> Result<(), Interrupted> {
        let rates = self.config.step;
        let bins: Vec<Vec<&Trajectory>> =
            self.pack(part).into_iter().map(|bin| bin.into_iter().map(|index| part[index]).collect()).collect();
        let batches: Vec<Packed> = bins.iter().map(|bin| packed(bin)).collect();
        let gradient = self
            .learner
            .gradient(&batches, temperature, stop, &|index, scores| loss(&bins[index], scores, &rates, part.len()))?;
        let (lr, decay, beta1, beta2) = (rates.lr, rates.decay, rates.beta1, rates.beta2);
        let step = AdamW { lr, beta1, beta2, decay, step: progress.step + 1, grad_scale: 1.0 };
        self.learner.update(step, gradient.norm, rates.clip_grad);
        if lr > 0.0 {
            self.learner.balance(&gradient.loads, self.config.bias_rate);
        }
        let mut values: BTreeMap<String, f64> =
            TOTALS.iter().map(|name| (*name).to_owned()).zip(gradient.totals).collect();
        if self.reference.is_none() {
            values.remove("train/kl_loss");
        }
        values.insert("train/grad_norm".into(), gradient.norm);
        values.insert("train/weight_norm".into(), self.learner.device.sum_of_squares(&self.learner.params).sqrt());
        values.insert("train/lr-pg_0".into(), f64::from(lr));
        values.insert("train/global_batch_size".into(), part.len() as f64);
        values.insert("train/step".into(), progress.step as f64);
        self.metrics("step", progress.rollout, Some(progress.step), values);
        progress.step += 1;
        self.step = progress.step;
        Ok(())
    }
}

fn packed(trajectories: &[&Trajectory]) -> Packed {
    let mut packed = Packed::default();
    trajectories.iter().for_each(|trajectory| packed.push(&trajectory.tokens));
    packed
}
