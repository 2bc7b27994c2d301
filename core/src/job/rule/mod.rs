//! What must hold between arguments.

mod model;
mod training;

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
        let names = ["num-rollout", "engine", "num-epoch"];
        self.missing("rollout", if self.job.engine == Engine::Embedded { &names[..2] } else { &names }, text);
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
}
