//! What must hold between arguments.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, Job, Set, document::Document, layer::short};
use crate::{
    argument::{self, Group},
    finding::{Finding, Place},
    nearest::nearest,
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

/// Looking for the nearest name takes its time: it is done for so many unknown ones.
const LOOKED_UP: usize = 50;

/// What is said about a name that is not in the catalogue.
fn unknown_argument(engine: Engine, group: Group, name: &str, look: bool) -> String {
    let fate = match engine {
        Engine::Embedded => "left out",
        Engine::Slime => "passed on as it is",
    };
    let text = format!("{} is unknown and {fate}", short(group, name));
    let near = || {
        let same = argument::catalogue().iter().filter(|argument| argument.group == group);
        nearest(name, same.map(|argument| argument.name)).or_else(|| argument::nearest(name))
    };
    match look.then(near).flatten() {
        Some(meant) => format!("{text}: did you mean {}?", short(group, meant)),
        None => text,
    }
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

    /// Each argument by itself: does the engine know it?
    fn engine(&mut self) {
        let (job, mut unknown) = (self.job, 0);
        for Set { group, name, .. } in &job.arguments {
            let names = [name.as_str(), "engine"];
            let key = short(*group, name);
            let Some(argument) = argument::find(name) else {
                unknown += 1;
                self.warning(&names, unknown_argument(job.engine, *group, name, unknown <= LOOKED_UP));
                continue;
            };
            match job.engine {
                Engine::Slime if argument.built_in_only => {
                    self.error(&names, format!("{key} is only for engine = \"embedded\": leave it out"));
                }
                Engine::Embedded if !argument.embedded => {
                    self.warning(&names, format!("{key} does nothing here: the built-in engine does not read it"));
                }
                Engine::Embedded => {
                    let value = job.value(name).unwrap_or_default();
                    if let Some(words) = argument.built_in_words.filter(|words| !words.contains(&value.as_str())) {
                        let (value, words) = (argument::quoted(&value), words.join(", "));
                        self.error(&names, format!("{key} is {value}, but the built-in engine has only {words}"));
                    }
                }
                Engine::Slime => {}
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
        let (experts, groups) = (job.whole("num-experts"), job.whole("moe-router-num-groups"));
        if let (Some(experts), Some(groups)) = (experts, groups.filter(|groups| *groups > 0))
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
        if job.engine == Engine::Embedded {
            self.built_in();
        }
    }

    /// What the built-in engine cannot do.
    fn built_in(&mut self) {
        let job = self.job;
        if let Some(clip) = job.number("eps-clip").filter(|clip| *clip > 1.0) {
            self.error(
                &["eps-clip", "engine"],
                format!("eps-clip ({clip}) is more than 1: no probability falls further"),
            );
        }
        let sets = job.list("eval-prompt-data").len();
        if sets > 2 && sets % 2 == 0 {
            let text = "the built-in engine evaluates one set: write eval-prompt-data = [\"NAME\", \"FILE\"]";
            self.error(&["eval-prompt-data", "engine"], text);
        }
        if job.whole("qk-pos-emb-head-dim").is_some_and(|width| width % 2 == 1) {
            self.error(&["qk-pos-emb-head-dim", "engine"], "qk-pos-emb-head-dim must be even: positions turn pairs");
        }
        let experts = job.whole("num-experts").zip(job.whole("moe-router-num-groups"));
        if let Some(each) = experts.and_then(|(experts, groups)| experts.checked_div(groups)) {
            let names = ["moe-router-num-groups", "num-experts", "moe-router-topk", "moe-router-group-topk", "engine"];
            if each < 2 {
                self.error(&names, "a group of experts must have at least 2: write fewer moe-router-num-groups");
            } else if let (Some(chosen), Some(of)) = (job.whole("moe-router-topk"), job.whole("moe-router-group-topk"))
                && chosen > of.saturating_mul(each)
            {
                let text = format!(
                    "moe-router-topk ({chosen}) is more than the experts of moe-router-group-topk ({of}) groups of {each}"
                );
                self.error(&names[2..], text);
            }
        }
        let shared = job.whole("moe-shared-expert-intermediate-size").zip(job.whole("moe-ffn-hidden-size"));
        if let Some((shared, width)) =
            shared.filter(|(shared, width)| shared.checked_rem(*width).is_some_and(|rest| rest > 0))
        {
            let text = format!(
                "moe-shared-expert-intermediate-size ({shared}) is not a multiple of moe-ffn-hidden-size ({width})"
            );
            self.error(&["moe-shared-expert-intermediate-size", "moe-ffn-hidden-size", "engine"], text);
        }
        self.dense_layers();
    }

    /// The built-in engine has DeepSeek's order: dense layers first, then mixtures.
    fn dense_layers(&mut self) {
        let job = self.job;
        let (Some(pattern), Some(layers)) = (job.value("moe-layer-freq"), job.whole("num-layers")) else { return };
        let inner = pattern.trim().trim_start_matches('[').trim_end_matches(']');
        let marks: Vec<&str> = inner.split(',').map(str::trim).collect();
        let mixtures = marks.iter().skip_while(|mark| **mark == "0");
        if marks.len() as u64 != layers || mixtures.into_iter().any(|mark| *mark != "1") {
            let text = format!(
                "moe-layer-freq is {}: it must be {layers} marks (num-layers), 0 for dense layers first, then 1 for mixtures, like \"[0,1,1]\"",
                argument::quoted(&pattern)
            );
            self.error(&["moe-layer-freq", "num-layers", "engine"], text);
        }
    }
}
