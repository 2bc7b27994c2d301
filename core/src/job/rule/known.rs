//! What is missing, and each argument by itself: does the engine know it?

use super::Written;
use crate::{
    argument::{self, Group},
    finding::Finding,
    job::{Engine, Job, Set, layer::short},
    nearest::nearest,
};

/// Looking for the nearest name takes its time: it is done for so many unknown ones.
const LOOKED_UP: usize = 50;

/// Checks a job.
pub(super) fn check(job: &Job, written: &Written) -> Vec<Finding> {
    let mut known = Known { job, written, findings: Vec::new() };
    known.required();
    known.arguments();
    known.findings
}

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

struct Known<'a> {
    job: &'a Job,
    written: &'a Written,
    findings: Vec<Finding>,
}

impl Known<'_> {
    fn error(&mut self, names: &[&str], text: impl Into<String>) {
        if self.written.clear(names) {
            self.findings.push(Finding::error(self.written.first(names), text));
        }
    }

    fn warning(&mut self, names: &[&str], text: impl Into<String>) {
        if self.written.clear(names) {
            self.findings.push(Finding::warning(self.written.first(names), text));
        }
    }

    /// An argument that is not there.
    fn missing(&mut self, table: &str, names: &[&str], text: &str) {
        let looked = !self.written.partial;
        if looked && names.iter().all(|name| self.job.value(name).is_none()) && self.written.clear(names) {
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

    fn arguments(&mut self) {
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
