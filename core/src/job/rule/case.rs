//! A job before its judges: the numbers that several rules look at.

use super::{Facts, law::Scope};
use crate::{
    job::{Engine, Job},
    layout::{EngineSizes, Gpus, Sizes, count},
};

/// A job with what is known about its nodes.
pub(super) struct Case<'a> {
    pub(super) job: &'a Job,
    pub(super) facts: &'a Facts,
    /// How training is cut.
    pub(super) sizes: Sizes,
    /// How an engine is cut.
    pub(super) engine: EngineSizes,
    /// The GPUs; not known when a hostfile names the nodes and nobody has read it.
    pub(super) gpus: Option<Gpus>,
}

impl<'a> Case<'a> {
    pub(super) fn new(job: &'a Job, facts: &'a Facts) -> Case<'a> {
        let hosts = job.cluster.hosts.len() as u64;
        let nodes = match (facts.nodes, &job.cluster.hostfile) {
            (Some(nodes), _) => Some(u64::from(nodes)),
            (None, Some(_)) => None,
            (None, None) => Some(hosts.max(1)),
        };
        let gpus = nodes.map(|nodes| Gpus::of(job, nodes));
        Case { job, facts, sizes: Sizes::of(job), engine: EngineSizes::of(job), gpus }
    }

    /// Whether a rule of this scope is about this job. A slime job that does not describe a model ends before
    /// anything else could go wrong: all that is said about it is what reading it says.
    pub(super) fn is(&self, scope: Scope) -> bool {
        let slime = self.job.engine == Engine::Slime && self.job.value("num-layers").is_some();
        match scope {
            Scope::Any => true,
            Scope::BuiltIn => self.job.engine == Engine::Embedded,
            Scope::Slime => slime,
            Scope::Megatron => slime && !self.flag("debug-rollout-only"),
            Scope::Sglang => {
                let none = self.flag("debug-train-only") || self.set("load-debug-rollout-data");
                slime
                    && !none
                    && !self.set("rollout-external-engine-addrs")
                    && self.whole("rollout-num-gpus") != Some(0)
            }
        }
    }

    pub(super) fn slime(&self) -> bool {
        self.job.engine == Engine::Slime
    }

    /// Whether an argument is set.
    pub(super) fn set(&self, name: &str) -> bool {
        self.job.value(name).is_some()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.job.flag(name)
    }

    /// What is set.
    pub(super) fn whole(&self, name: &str) -> Option<u64> {
        self.job.whole(name)
    }

    /// What holds, set or by default, above 0.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        count(self.job, name)
    }

    /// What holds, set or by default.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.job.effective(name)
    }

    /// Whether this text holds, set or by default.
    pub(super) fn holds(&self, name: &str, text: &str) -> bool {
        self.text(name).as_deref() == Some(text)
    }

    /// What is set, when it is not 0.
    pub(super) fn weight(&self, name: &str) -> Option<f64> {
        self.job.number(name).filter(|weight| *weight != 0.0)
    }

    /// Replicas of training, when they come out even.
    pub(super) fn replicas(&self) -> Option<u64> {
        let (train, dense) = (self.gpus?.train, self.sizes.dense());
        (train > 0 && train.is_multiple_of(dense)).then(|| train / dense)
    }

    /// Groups of a rollout, samples of a group, and their product.
    pub(super) fn samples(&self) -> Option<(u64, u64, u64)> {
        let groups = self.whole("rollout-batch-size").filter(|groups| *groups > 0)?;
        let each = self.whole("n-samples-per-prompt").unwrap_or(1);
        Some((groups, each, groups.checked_mul(each)?))
    }

    /// Samples of an optimizer step.
    pub(super) fn global(&self) -> Option<u64> {
        let (.., total) = self.samples()?;
        match self.count("num-steps-per-rollout") {
            Some(steps) => Some(total / steps).filter(|global| *global > 0),
            None => self.count("global-batch-size"),
        }
    }

    /// The names of the hosts.
    pub(super) fn hosts(&self) -> &[String] {
        if self.job.cluster.hosts.is_empty() { &self.facts.hosts } else { &self.job.cluster.hosts }
    }

    /// How many nodes there are.
    pub(super) fn nodes(&self) -> Option<u64> {
        self.gpus.map(|gpus| gpus.all / gpus.per_node).filter(|nodes| *nodes > 0)
    }
}

/// `what` is `number` and not a multiple of `of`.
pub(super) fn uneven(number: u64, of: u64) -> bool {
    of == 0 || !number.is_multiple_of(of)
}
