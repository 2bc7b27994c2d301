use std::{
    collections::HashMap,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use rldeck_core::shard::{Report, Severity};

use super::{
    Trainer,
    gather::{Gathering, Group},
};
use crate::{
    config::RolloutPlan,
    exchange::{Job, News, Response},
    learner::Interrupted,
    random::{Purpose, Random},
    task::{decode, reward},
};

/// How long a wait for news lasts at most: a stop is noticed this soon.
const BEAT: Duration = Duration::from_millis(20);
/// No rollout shard for so long is worth a warning.
const LONELY: Duration = Duration::from_secs(2);
/// Progress is told at most this often.
const TELL: Duration = Duration::from_millis(100);

/// The groups of one rollout.
pub(super) struct Gathered {
    pub(super) groups: Vec<Group>,
    /// Where the data stands after it.
    pub(super) position: u64,
}

/// What to sample, and how.
pub(super) struct Request {
    pub(super) rollout: u64,
    pub(super) purpose: Purpose,
    pub(super) samples: usize,
    pub(super) temperature: f32,
    pub(super) max_len: usize,
}

impl Trainer {
    /// Samples until the batch is full.
    pub(super) fn generate(&mut self, rollout: u64, plan: &RolloutPlan) -> Result<Gathered, Interrupted> {
        self.phase("generate", rollout);
        let begin = self.done.as_ref().map_or(0, |done| done.position);
        let (samples, total) = (plan.samples, (plan.batch * plan.samples) as u64);
        let (temperature, max_len) = (plan.temperature, plan.max_len);
        let request = Request { rollout, purpose: Purpose::Sampling, samples, temperature, max_len };
        let mut gathering = Gathering::new(plan, self.config.filter);
        let mut out = HashMap::new();
        let mut wait = Wait::new();
        while !gathering.complete() {
            let ask = gathering.ask();
            let prompts: Vec<_> = ask.map(|index| (index, self.order.at(begin + index as u64))).collect();
            self.ask(&request, &prompts, &mut out, |trainer, prompt| trainer.prompts[prompt].tokens());
            if let Some((index, prompt, responses)) = self.receive(&mut out, &mut wait)? {
                let rewards =
                    responses.iter().map(|r| reward(&decode(&r.tokens), &self.prompts[prompt].label)).collect();
                gathering.take(Group { index, prompt, responses, rewards, dropped: None });
                wait.progress(self, (gathering.kept * plan.samples) as u64, total);
            }
        }
        self.hub.abandon();
        self.warn_if_cut_short(rollout, gathering.kept, plan.batch);
        Ok(Gathered { position: begin + gathering.asked() as u64, groups: gathering.groups })
    }

    /// Hands (index, prompt) pairs to the exchange; `out` remembers them by job.
    pub(super) fn ask(
        &mut self,
        request: &Request,
        prompts: &[(usize, usize)],
        out: &mut HashMap<u64, (usize, usize)>,
        tokens: impl Fn(&Trainer, usize) -> Vec<u32>,
    ) {
        let mut jobs = Vec::with_capacity(prompts.len());
        for (index, prompt) in prompts {
            let name = [self.config.seed, self.config.rollout_seed, request.rollout, *index as u64];
            out.insert(self.next_job, (*index, *prompt));
            jobs.push(Job {
                id: self.next_job,
                rollout: request.rollout,
                prompt: tokens(self, *prompt),
                samples: request.samples,
                seed: Random::new(request.purpose, &name).next(),
                temperature: request.temperature,
                max_len: request.max_len,
            });
            self.next_job += 1;
        }
        if !jobs.is_empty() {
            self.hub.submit(jobs);
        }
    }

    /// Waits a beat for one group.
    pub(super) fn receive(
        &mut self,
        out: &mut HashMap<u64, (usize, usize)>,
        wait: &mut Wait,
    ) -> Result<Option<(usize, usize, Vec<Response>)>, Interrupted> {
        let news = self.hub.next(BEAT);
        if self.stop.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        match news {
            Some(News::Done(job, responses)) => {
                return Ok(out.remove(&job).map(|(index, prompt)| (index, prompt, responses)));
            }
            Some(News::Joined(rank)) => {
                self.report
                    .notice(Severity::Info, format!("rollout shard {rank} joined; {} at work", self.hub.present()));
            }
            Some(News::Left { rank, returned }) => {
                let left = self.hub.present();
                let text = format!("rollout shard {rank} is gone; its {returned} groups go to the {left} left");
                self.report.notice(Severity::Warning, text);
            }
            Some(News::Refused(rank)) => {
                let text = format!("rollout shard {rank} has a model of another shape and was turned away");
                self.report.notice(Severity::Error, text);
            }
            None => wait.lonely(self),
        }
        Ok(None)
    }

    /// Says once, until a full batch comes again, that a rollout trains on less than a batch.
    fn warn_if_cut_short(&mut self, rollout: u64, kept: usize, batch: usize) {
        let short = kept < batch;
        if short && !self.cut_short {
            let text =
                format!("rollout {rollout}: only {kept} of {batch} groups have unequal rewards; training on these");
            self.report.notice(Severity::Info, text);
        }
        self.cut_short = short;
    }
}

/// A wait for samples: tells how far it is, and warns when nobody is there to sample.
pub(super) struct Wait {
    told: Option<Instant>,
    alone: Option<Instant>,
}

impl Wait {
    pub(super) fn new() -> Wait {
        Wait { told: None, alone: None }
    }

    pub(super) fn progress(&mut self, trainer: &mut Trainer, done: u64, total: u64) {
        if done == total || self.told.is_none_or(|told| told.elapsed() >= TELL) {
            self.told = Some(Instant::now());
            trainer.report.report(Report::Progress { unit: "samples".into(), done, total });
        }
    }

    fn lonely(&mut self, trainer: &mut Trainer) {
        if trainer.hub.present() > 0 {
            self.alone = None;
            return;
        }
        let alone = self.alone.get_or_insert_with(Instant::now);
        if alone.elapsed() >= LONELY {
            // Not again for an hour.
            *alone = Instant::now() + Duration::from_secs(3600);
            let text = "no rollout shard is connected: training waits for one".to_owned();
            trainer.report.notice(Severity::Warning, text);
        }
    }
}
