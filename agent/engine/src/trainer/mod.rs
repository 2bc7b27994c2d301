//! The trainer: owns the master weights, the data order, the sampling of every rollout and every optimizer step.

mod evaluate;
mod gather;
mod generate;
mod metrics;
mod save;
mod start;
mod train;
mod tune;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use rldeck_core::shard::Report;

use crate::{
    checkpoint::Progress,
    config::Config,
    device::{Cpu, Device},
    exchange::Hub,
    fp8,
    learner::{Interrupted, Learner},
    report::{Reporter, dictionary, say},
    say,
    task::{Order, Prompt},
};

/// Everything that a trainer holds.
pub(crate) struct Trainer {
    config: Config,
    tuning: tune::Tuning,
    report: Reporter,
    stop: Arc<AtomicBool>,
    hub: Hub,
    learner: Learner<Cpu>,
    /// Weights that the KL is measured against; none unless `--use-kl-loss`.
    reference: Option<Vec<f32>>,
    prompts: Vec<Prompt>,
    order: Order,
    eval_prompts: Vec<Prompt>,
    /// The last rollout that is wholly trained; none before the first.
    done: Option<Progress>,
    /// The last rollout that is on disk.
    saved: Option<u64>,
    next_job: u64,
    /// The next optimizer step.
    step: u64,
    /// Seconds of the last optimizer step.
    step_time: f64,
    cut_short: bool,
}

impl Trainer {
    /// Trains to the end, or until it is told to stop.
    pub(crate) fn run(&mut self) {
        self.report.report(Report::Ready);
        let first = self.next_rollout();
        let _ = self.train_from(first);
        if self.stop.load(Ordering::Relaxed) {
            say!("told to stop after rollout {}", self.done.as_ref().map_or("none".into(), |d| d.rollout.to_string()));
        }
        self.save_if_newer();
        self.hub.abandon();
        self.phase("", self.next_rollout().saturating_sub(1));
        if !self.stop.load(Ordering::Relaxed) {
            let rollout = self.next_rollout().saturating_sub(1);
            self.report.report(Report::Finished { rollout });
            say!("finished after rollout {rollout}");
        }
    }

    fn next_rollout(&self) -> u64 {
        self.done.as_ref().map_or(0, |done| done.rollout + 1)
    }

    fn train_from(&mut self, first: u64) -> Result<(), Interrupted> {
        self.tune(0);
        if first == 0 && self.config.num_rollout > 0 && self.config.step.eval_interval.is_some() {
            self.evaluate(0)?;
        }
        for rollout in first..self.config.num_rollout {
            self.rollout(rollout)?;
            let next = rollout + 1;
            if self.config.step.eval_interval.is_some_and(|interval| next.is_multiple_of(interval)) {
                self.evaluate(rollout)?;
            }
        }
        Ok(())
    }

    /// One rollout from its prompts to the new weights at the rollout shards.
    fn rollout(&mut self, rollout: u64) -> Result<(), Interrupted> {
        let mut clock = Clock::default();
        self.tune(0);
        // The plan is fixed for the whole rollout; what is tuned meanwhile is for the next.
        let plan = self.config.rollout;
        let gathered = clock.time("rollout", || self.generate(rollout, &plan))?;
        self.phase("filter", rollout);
        self.report_rollout(rollout, &gathered, clock.of("rollout"));
        let mut progress = Progress { rollout, ..self.done.clone().unwrap_or_default() };
        progress.position = gathered.position;
        self.train(&mut progress, &plan, gathered.groups, &mut clock)?;
        self.done = Some(progress);
        if (rollout + 1).is_multiple_of(self.config.step.save_interval) || rollout + 1 == self.config.num_rollout {
            self.phase("save", rollout);
            clock.time("save_model", || self.save_if_newer());
        }
        self.phase("sync", rollout);
        clock.time("update_weights", || self.sync());
        self.report_perf(rollout, &clock);
        if self.stop.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }

    /// Sends the weights, quantised, to all rollout shards.
    fn sync(&mut self) {
        let weights = self.learner.device.download(&self.learner.params);
        self.hub.set_weights(fp8::pack(&self.learner.model, &weights));
    }

    fn phase(&mut self, name: &str, rollout: u64) {
        self.report.report(Report::Phase { name: name.into(), rollout });
    }

    /// As an event, and as the line that slime would print.
    fn metrics(&mut self, line: &str, rollout: u64, step: Option<u64>, values: BTreeMap<String, f64>) {
        let number = step.unwrap_or(rollout);
        say(file!(), line!(), &format!("{line} {number}: {}", dictionary(&values)));
        self.report.report(Report::Metrics { rollout, step, values });
    }
}

/// Seconds by activity.
#[derive(Default)]
struct Clock(BTreeMap<&'static str, f64>);

impl Clock {
    fn time<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        *self.0.entry(name).or_default() += start.elapsed().as_secs_f64();
        result
    }

    fn of(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}
