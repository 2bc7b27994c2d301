//! What must hold between arguments.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, Job, document::Document};
use crate::{
    argument,
    finding::{Finding, Place},
    shard::Severity,
};

/// Where things are written, for findings.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The file itself; absent when there is none.
    file: Option<Place>,
    /// Its table headers.
    tables: BTreeMap<String, Place>,
    /// Arguments, and keys of other tables as `table.key`.
    pub(super) places: BTreeMap<String, Place>,
    /// Arguments whose value could not be read: nothing is said about them.
    pub(super) unclear: BTreeSet<String>,
    /// Keys of the file are missing from the job, which is reported: nothing is said about what is missing.
    pub(super) partial: bool,
}

impl Written {
    /// Knows the tables; arguments are added as they are read.
    pub(super) fn new(file: &str, document: &Document) -> Written {
        let tables = document.tables.iter().map(|table| (table.name.clone(), table.place.clone())).collect();
        Written { file: Some(Place::new(file, 1)), tables, ..Written::default() }
    }

    /// Whether a place is in the file itself and not in its recipe.
    pub(super) fn is_own(&self, place: &Place) -> bool {
        self.file.as_ref().is_some_and(|file| file.file == place.file)
    }
}

/// Checks a job.
pub(super) fn check(job: &Job, written: &Written) -> Vec<Finding> {
    let mut rules = Rules { job, written, findings: Vec::new() };
    rules.required();
    rules.engine();
    rules.batches();
    rules.loss();
    rules.saving();
    rules.model();
    rules.findings
}

struct Rules<'a> {
    job: &'a Job,
    written: &'a Written,
    findings: Vec<Finding>,
}

impl Rules<'_> {
    /// At the first of `names` that is written, in the file rather than in its recipe; they are all that the rule
    /// looks at.
    fn error(&mut self, names: &[&str], text: impl Into<String>) {
        self.find(Severity::Error, names, text.into());
    }

    fn warning(&mut self, names: &[&str], text: impl Into<String>) {
        self.find(Severity::Warning, names, text.into());
    }

    fn find(&mut self, severity: Severity, names: &[&str], text: String) {
        if names.iter().all(|name| !self.written.unclear.contains(*name)) {
            let mut places = names.iter().filter_map(|name| self.written.places.get(*name));
            let own = places.clone().find(|place| self.written.is_own(place));
            let place = own.or_else(|| places.next()).cloned();
            self.findings.push(Finding { severity, place, text });
        }
    }

    /// An argument that is not there.
    fn missing(&mut self, table: &str, names: &[&str], text: &str) {
        let looked = !self.written.partial;
        if looked && names.iter().all(|name| self.job.value(name).is_none() && !self.written.unclear.contains(*name)) {
            let place = self.written.tables.get(table).or(self.written.file.as_ref()).cloned();
            self.findings.push(Finding::error(place, text));
        }
    }

    fn required(&mut self) {
        let text = "num-rollout is missing: write below [rollout] after how many rollouts the job ends";
        self.missing("rollout", &["num-rollout", "num-epoch"], text);
        let text = "rollout-batch-size is missing: write below [rollout] how many groups a rollout has";
        self.missing("rollout", &["rollout-batch-size"], text);
        match self.job.engine {
            Engine::Embedded => {
                let text = "prompt-data is missing: write below [rollout] the file of the prompts";
                self.missing("rollout", &["prompt-data", "engine"], text);
            }
            Engine::Slime => {
                let text = "hf-checkpoint is missing: write below [checkpoint] the directory of the model";
                self.missing("checkpoint", &["hf-checkpoint", "engine"], text);
            }
        }
        if !self.job.cluster.hosts.is_empty() && self.job.cluster.hostfile.is_some() {
            self.error(&["cluster.hosts"], "there are hosts and a hostfile: keep one of them");
        }
    }

    fn engine(&mut self) {
        let engine = self.job.engine;
        for name in self.job.arguments.iter().map(|set| set.name.as_str()) {
            let Some(argument) = argument::find(name) else { continue };
            if engine == Engine::Embedded && !argument.embedded {
                self.warning(
                    &[name, "engine"],
                    format!("{name} does nothing here: the built-in engine does not read it"),
                );
            } else if engine == Engine::Slime && argument.built_in_only {
                self.error(&[name, "engine"], format!("{name} is only for engine = \"embedded\": leave it out"));
            }
        }
    }

    fn batches(&mut self) {
        let job = self.job;
        let Some(kept) = job.whole("rollout-batch-size").filter(|kept| *kept > 0) else { return };
        if let Some(sampled) = job.whole("over-sampling-batch-size").filter(|sampled| *sampled < kept) {
            let text =
                format!("over-sampling-batch-size is {sampled}, less than rollout-batch-size: write at least {kept}");
            self.error(&["over-sampling-batch-size", "rollout-batch-size"], text);
        }
        let samples = job.whole("n-samples-per-prompt").unwrap_or(1);
        if samples == 1 && job.effective("advantage-estimator").as_deref() == Some("grpo") {
            let text =
                "n-samples-per-prompt is 1: a group of one has no spread of rewards to learn from; write at least 2";
            self.warning(&["n-samples-per-prompt", "advantage-estimator"], text);
        }
        let (Some(total), Some(steps)) = (kept.checked_mul(samples), job.whole("num-steps-per-rollout")) else {
            return;
        };
        let Some((each, rest)) = total.checked_div(steps).zip(total.checked_rem(steps)) else { return };
        let names = ["num-steps-per-rollout", "rollout-batch-size", "n-samples-per-prompt"];
        let product = format!("rollout-batch-size x n-samples-per-prompt = {kept} x {samples} = {total}");
        if each == 0 {
            let text = format!("num-steps-per-rollout is {steps}, more than the samples of a rollout ({product})");
            return self.error(&names, text);
        }
        if rest != 0 {
            let text = format!(
                "{total} samples a rollout ({product}) are not a multiple of num-steps-per-rollout ({steps}): {rest} of them are not trained on"
            );
            self.warning(&names, text);
        }
        if let Some(global) = job.whole("global-batch-size").filter(|global| *global != each) {
            let text = format!(
                "global-batch-size is {global}, but {product}, and / num-steps-per-rollout ({steps}) = {each}: write {each}, or leave it out"
            );
            self.error(&["global-batch-size", names[0], names[1], names[2]], text);
        }
    }

    fn loss(&mut self) {
        let job = self.job;
        let weight = |name: &str| job.number(name).filter(|weight| *weight != 0.0);
        if let Some(weight) = weight("kl-loss-coef").filter(|_| !job.flag("use-kl-loss")) {
            let text = format!(
                "kl-loss-coef is {weight}, but no reference model is loaded: write use-kl-loss = true below [grpo]"
            );
            self.warning(&["kl-loss-coef", "use-kl-loss"], text);
        }
        if weight("kl-coef").is_some() && weight("kl-loss-coef").is_some() {
            self.error(&["kl-coef", "kl-loss-coef"], "only one of kl-coef and kl-loss-coef can be other than 0");
        }
        let reference = job.flag("use-kl-loss") || weight("kl-coef").is_some();
        if reference && job.engine == Engine::Slime && job.value("ref-load").is_none() {
            let text = "the reference model has no weights: write ref-load = \"DIRECTORY\" below [checkpoint]";
            self.error(&["use-kl-loss", "kl-coef", "ref-load", "engine"], text);
        }
        if let (Some(low), Some(high)) = (job.number("eps-clip"), job.number("eps-clip-high"))
            && high < low
        {
            let text = format!(
                "eps-clip-high ({high}) is less than eps-clip ({low}): probabilities may fall further than rise"
            );
            self.warning(&["eps-clip-high", "eps-clip"], text);
        }
        if let (Some(low), Some(high)) = (job.number("min-lr"), job.number("lr"))
            && high < low
        {
            self.error(&["min-lr", "lr"], format!("min-lr ({low}) is greater than lr ({high})"));
        }
    }

    fn saving(&mut self) {
        let job = self.job;
        let (set, missing) = (|name: &str| job.value(name).is_some(), |name: &str| job.value(name).is_none());
        if set("save-interval") && missing("save") {
            let text = "save-interval has no place for its checkpoints: write save = \"DIRECTORY\" below [checkpoint]";
            self.error(&["save-interval", "save"], text);
        }
        if set("eval-interval") && missing("eval-prompt-data") && missing("eval-config") {
            let text =
                "eval-interval has nothing to evaluate: write eval-prompt-data = [\"NAME\", \"FILE\"] below [eval]";
            self.error(&["eval-interval", "eval-prompt-data", "eval-config"], text);
        }
        // slime takes a single value too, for the file of a set named aime.
        let sets = job.list("eval-prompt-data").len();
        if sets % 2 == 1 && !(sets == 1 && job.engine == Engine::Slime) {
            let text = "eval-prompt-data must be pairs of a name and a file, like [\"NAME\", \"FILE\"]";
            self.error(&["eval-prompt-data", "engine"], text);
        }
        if job.flag("use-dynamic-batch-size") && missing("max-tokens-per-gpu") {
            let text = "use-dynamic-batch-size needs a limit: write max-tokens-per-gpu below [perf]";
            self.error(&["use-dynamic-batch-size", "max-tokens-per-gpu"], text);
        }
    }

    fn model(&mut self) {
        let job = self.job;
        let experts = job.whole("num-experts");
        let groups = job.whole("moe-router-num-groups").filter(|groups| *groups > 0);
        if let (Some(experts), Some(groups)) = (experts, groups)
            && experts % groups != 0
        {
            let text = format!("num-experts ({experts}) is not a multiple of moe-router-num-groups ({groups})");
            self.error(&["num-experts", "moe-router-num-groups"], text);
        }
        let mut at_most = |name: &str, limit: Option<u64>, of: &str| {
            if let (Some(value), Some(limit)) = (job.whole(name), limit)
                && value > limit
            {
                self.error(&[name, of], format!("{name} ({value}) is more than {of} ({limit})"));
            }
        };
        at_most("moe-router-topk", experts, "num-experts");
        at_most("moe-router-group-topk", groups, "moe-router-num-groups");
    }
}
