use std::collections::BTreeMap;

use super::{
    Bundle, Checkpoint, Fault, Identity, JobState, Kind, Load, Record, Scheduler, Values, Waiting, head, parse,
    phase::Phases,
    progress::{Progressing, meaning},
    steps::Steps,
};
use crate::shard::{Funnel, Millis, Report, Severity};

/// The same notice comes again after this at the earliest.
const QUIET: Millis = 60_000;
/// A wait for GPUs is worth a notice after so many seconds: nodes need a while to join.
const PATIENCE: u64 = 60;

/// What the caller knows of the job. Zero where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The rollout that this attempt begins with.
    pub rollout: u64,
    /// Optimizer steps that each rollout is trained with.
    pub steps_per_rollout: u64,
    /// Groups that each rollout is to have.
    pub groups_per_rollout: u64,
}

/// Where the engines of the job listen, as the rollout manager says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Engine number to `host:port`.
    pub engines: BTreeMap<u32, String>,
    /// The router's `host:port`.
    pub router: Option<String>,
    /// Port of the router's own metrics.
    pub router_metrics: Option<u16>,
}

/// Follows one log file of one process: takes its lines in order and gives what the process would have reported
/// itself. It reads no clock: every call is told the time.
#[derive(Debug)]
pub struct Reader {
    identity: Identity,
    phases: Phases,
    progress: Progressing,
    steps: Steps,
    groups: u64,
    /// Dynamic sampling was seen to drop groups.
    filters: bool,
    /// The last rollout trained.
    trained: Option<u64>,
    /// Directory and iteration of the last checkpoint that was begun.
    saving: Option<(u64, String)>,
    saved: Option<u64>,
    /// When each notice was last given, and how often it was held back since.
    given: BTreeMap<&'static str, (Millis, u64)>,
    faults: Vec<(&'static Fault, Millis)>,
    addresses: Addresses,
    bundles: Vec<Bundle<'static>>,
    loads: BTreeMap<Scheduler, Load>,
    /// Lines are printed again that were printed before.
    echo: bool,
}

impl Reader {
    /// A reader at the beginning of a file, or anywhere in it.
    pub fn new(context: Context) -> Reader {
        Reader {
            identity: Identity::default(),
            phases: Phases::new(context.rollout),
            progress: Progressing::default(),
            steps: Steps::new(context.steps_per_rollout),
            groups: context.groups_per_rollout,
            filters: false,
            trained: None,
            saving: None,
            saved: None,
            given: BTreeMap::new(),
            faults: Vec::new(),
            addresses: Addresses::default(),
            bundles: Vec::new(),
            loads: BTreeMap::new(),
            echo: false,
        }
    }

    /// Takes the next physical line, given without its `\n`.
    pub fn line(&mut self, line: &[u8], now: Millis, out: &mut impl FnMut(Report)) {
        let mut tag = Scheduler::default();
        parse(line, &mut |record| self.record(record, line, &mut tag, now, out));
    }

    /// To be called after each read, whether lines came or not: gives progress that was held back, when it is time.
    pub fn settle(&mut self, now: Millis, out: &mut impl FnMut(Report)) {
        self.progress.settle(now, out);
    }

    /// Who writes this file.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Tells the number of the engine that writes this file.
    pub fn set_engine(&mut self, engine: u32) {
        self.identity.engine = Some(engine);
    }

    /// The rollout at work, as far as this file tells.
    pub fn rollout(&self) -> u64 {
        self.phases.rollout()
    }

    /// Tells the rollout at work, when another file knew it first.
    pub fn set_rollout(&mut self, rollout: u64) {
        self.phases.work_on(rollout);
    }

    /// The faults seen in this file and when each was first seen, in that order: the first is nearest to the cause.
    pub fn faults(&self) -> &[(&'static Fault, Millis)] {
        &self.faults
    }

    /// Where the engines listen, as far as this file tells.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Where the logical GPUs of the job lie, in their order, as far as this file tells.
    pub fn bundles(&self) -> &[Bundle<'static>] {
        &self.bundles
    }

    /// How busy the schedulers that write into this file are.
    pub fn loads(&self) -> &BTreeMap<Scheduler, Load> {
        &self.loads
    }

    fn record(
        &mut self,
        record: Record<'_>,
        line: &[u8],
        tag: &mut Scheduler,
        now: Millis,
        out: &mut impl FnMut(Report),
    ) {
        if self.echo && !matches!(record, Record::Job { state: JobState::Submitted, .. }) {
            return;
        }
        match record {
            Record::Source(source) => self.identity.forwarded(&source),
            Record::JobId(id) => self.identity.job = Some(id.into_owned()),
            Record::Actor(class) => self.identity.actor = Some(class.into_owned()),
            Record::Rank(rank) => self.identity.rank(rank),
            Record::Scheduler(seen) => {
                *tag = seen;
                self.identity.scheduler(seen);
            }
            Record::Metrics { kind, number, values } => self.metrics(kind, number, values, out),
            Record::Timer { name, ended } => {
                self.progress.forget();
                match ended {
                    None => self.phases.start(name, out),
                    Some(_) => self.phases.end(name, out),
                }
            }
            Record::Bar(bar) => {
                if let Some((phase, unit)) = meaning(&bar.about) {
                    self.phases.bar(phase, out);
                    self.progress.bar(&bar, unit, now, out);
                    // Generation and evaluation go on behind a full bar until their values are printed.
                    if bar.total == Some(bar.done) && !matches!(phase, "generate" | "eval") {
                        self.phases.bar_ended(phase, out);
                    }
                }
            }
            Record::Waiting(waiting) => self.waiting(waiting, now, out),
            Record::Bundle(bundle) => self.bundle(bundle),
            Record::Checkpoint(checkpoint) => self.checkpoint(checkpoint, now, out),
            Record::EnginePort { engine, host, port } => {
                self.addresses.engines.insert(engine, format!("{host}:{port}"));
            }
            Record::EngineAt(address) => self.identity.address = Some(address.into_owned()),
            Record::EngineReady => out(Report::Ready),
            Record::Router { address, prometheus } => {
                self.addresses.router = Some(address.into_owned());
                self.addresses.router_metrics = prometheus;
            }
            Record::Batch(batch) => {
                self.loads.entry(*tag).or_default().take(batch, now);
            }
            Record::CacheFull { retracted } => self.notice("cache-full", Severity::Info, now, out, || {
                format!(
                    "the KV cache of an engine is full: {retracted} requests wait again; \
                     lower sglang max-running-requests or raise mem-fraction-static if this goes on"
                )
            }),
            Record::Fault { fault, text } => self.fault(fault, &text, line, now, out),
            Record::Job { name, state } => self.job(&name, state, now, out),
            Record::Dump => self.echo = true,
            Record::Memory { .. } | Record::Data => {}
        }
    }

    fn metrics(&mut self, kind: Kind, number: u64, values: Values<'_>, out: &mut impl FnMut(Report)) {
        let values: BTreeMap<String, f64> = values.map(|(name, value)| (name.into_owned(), value)).collect();
        let (rollout, step) = match kind {
            Kind::Step | Kind::CriticStep => {
                let rollout = self.steps.rollout_of(number);
                self.trained = self.trained.max(Some(rollout));
                (rollout, Some(number))
            }
            _ => (number, None),
        };
        match kind {
            Kind::Step => {
                self.phases.work_on_if_later(rollout);
                self.phases.stepped(out);
            }
            Kind::Rollout | Kind::PassRate | Kind::MultiTurn => {
                self.steps.begins(number);
                self.phases.work_on(number);
            }
            Kind::TrainerPerf => {
                self.steps.ended(number);
                self.phases.trained(number);
                self.trained = self.trained.max(Some(number));
            }
            Kind::RolloutPerf => {
                self.progress.forget();
                self.phases.bar_ended("generate", out);
                if !self.identity.driver {
                    self.phases.work_on(number + 1);
                }
            }
            Kind::Eval => self.phases.bar_ended("eval", out),
            Kind::CriticStep => {}
        }
        let funnel = (kind == Kind::RolloutPerf).then(|| self.funnel(number, &values)).flatten();
        if !values.is_empty() {
            out(Report::Metrics { rollout, step, values });
        }
        if let Some(funnel) = funnel {
            out(Report::Funnel(funnel));
        }
    }

    /// What was dropped stands in the line; what was kept is as many as the job asks for.
    fn funnel(&mut self, rollout: u64, values: &BTreeMap<String, f64>) -> Option<Funnel> {
        const DROPPED: &str = "rollout/dynamic_filter/drop_";
        let dropped: BTreeMap<String, u64> = values
            .iter()
            .filter_map(|(name, groups)| Some((name.strip_prefix(DROPPED)?.to_owned(), *groups as u64)))
            .collect();
        self.filters |= !dropped.is_empty();
        let kept = self.groups;
        let sampled = kept.saturating_add(dropped.values().fold(0, |sum, groups| sum.saturating_add(*groups)));
        (self.filters && kept > 0).then_some(Funnel { rollout, sampled, dropped, kept })
    }

    fn waiting(&mut self, waiting: Waiting, now: Millis, out: &mut impl FnMut(Report)) {
        let Waiting { wanted, elapsed, registered } = waiting;
        out(Report::Progress { unit: "GPUs".to_owned(), done: registered, total: wanted });
        if elapsed >= PATIENCE {
            self.notice("waiting", Severity::Warning, now, out, || {
                format!(
                    "the job has waited {elapsed} s for GPUs: {registered} of {wanted} are there; \
                     look for nodes of the hostfile that have not joined Ray"
                )
            });
        }
    }

    /// The list is printed once, in order; when it comes again it is a new one.
    fn bundle(&mut self, bundle: Bundle<'_>) {
        if bundle.index == 0 {
            self.bundles.clear();
        }
        if bundle.index as usize == self.bundles.len() {
            self.bundles.push(Bundle { node: bundle.node.into_owned().into(), ..bundle });
        }
    }

    fn checkpoint(&mut self, checkpoint: Checkpoint<'_>, now: Millis, out: &mut impl FnMut(Report)) {
        match checkpoint {
            Checkpoint::Saving { iteration, dir } => {
                self.saving = Some((iteration, dir.into_owned()));
                // Going back to an earlier checkpoint writes the same ones again.
                self.saved = self.saved.filter(|saved| *saved < iteration);
            }
            Checkpoint::Saved { iteration, .. } if self.saved == Some(iteration) => {}
            Checkpoint::Saved { iteration, dir } => {
                let dir = match self.saving.take() {
                    Some((begun, dir)) if begun == iteration => dir,
                    _ => dir.into_owned(),
                };
                self.saved = Some(iteration);
                let path = format!("{}/iter_{iteration:07}", dir.trim_end_matches('/'));
                out(Report::Checkpoint { rollout: iteration, path, bytes: 0 });
            }
            Checkpoint::Loaded { iteration: Some(iteration), dir } => {
                self.phases.work_on(iteration + 1);
                self.notice("loaded", Severity::Info, now, out, || {
                    format!("goes on after rollout {iteration} of {dir}")
                });
            }
            Checkpoint::Loaded { iteration: None, dir } => {
                self.notice("loaded", Severity::Info, now, out, || format!("begins with the weights of {dir}"));
            }
            Checkpoint::Missing { tracker } => self.notice("no-checkpoint", Severity::Warning, now, out, || {
                format!(
                    "no checkpoint to go on from: {tracker} does not exist; \
                     if one was meant, stop the job and check `load`"
                )
            }),
        }
    }

    fn fault(&mut self, fault: &'static Fault, text: &str, line: &[u8], now: Millis, out: &mut impl FnMut(Report)) {
        if self.faults.iter().all(|(seen, _)| seen.id != fault.id) {
            self.faults.push((fault, now));
        }
        self.notice(fault.id, fault.severity, now, out, || {
            let who = head::source(line).map(|(source, _)| format!("{source}: ")).unwrap_or_default();
            // One line, whatever stands in it.
            let text: String =
                text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
            format!("{who}{}; {} ({text})", fault.what, fault.remedy)
        });
    }

    fn job(&mut self, name: &str, state: JobState, now: Millis, out: &mut impl FnMut(Report)) {
        match (state, self.trained) {
            (JobState::Submitted, _) => self.echo = false,
            (JobState::Succeeded, Some(rollout)) => out(Report::Finished { rollout }),
            (JobState::Succeeded, None) => {
                self.notice("ended", Severity::Info, now, out, || format!("Ray says that job {name} succeeded"))
            }
            (JobState::Failed, _) => self.notice("ended", Severity::Error, now, out, || {
                format!("Ray says that job {name} failed; the first error above it tells why")
            }),
            (JobState::Stopped, _) => {
                self.notice("ended", Severity::Warning, now, out, || format!("Ray says that job {name} was stopped"))
            }
        }
    }

    fn notice(
        &mut self,
        id: &'static str,
        severity: Severity,
        now: Millis,
        out: &mut impl FnMut(Report),
        text: impl FnOnce() -> String,
    ) {
        let mut text = match self.given.get_mut(id) {
            Some((at, held_back)) if now.saturating_sub(*at) < QUIET => {
                *held_back += 1;
                return;
            }
            Some((_, held_back)) if *held_back > 0 => format!("{} [{held_back} more since]", text()),
            _ => text(),
        };
        text.truncate(text.floor_char_boundary(800));
        self.given.insert(id, (now, 0));
        out(Report::Notice { severity, text });
    }
}
