//! A job to the argument list of its processes, with the operator's changes.

use std::collections::BTreeMap;

use super::{
    Engine, Facts, Job, Set, Value,
    rule::{self, Written},
};
use crate::{
    argument::{self, Argument, Group, Kind},
    finding::Finding,
};

impl Job {
    /// `--name value ...` in the order of the groups, a flag bare, an array as several values. `overrides` (argument
    /// name to text, a flag `true` or `false`, several values separated by spaces) replace or add.
    ///
    /// What follows from `[cluster]` comes first: the nodes and GPUs of training for slime, `--rollout-shards` for the
    /// built-in engine, which is given what it reads and no more.
    pub fn argv(&self, overrides: &BTreeMap<String, String>) -> Vec<String> {
        self.argv_on(overrides, self.cluster.node_count())
    }

    /// [`Job::argv`] for so many nodes, whatever the file says.
    pub(crate) fn argv_on(&self, overrides: &BTreeMap<String, String>, nodes: usize) -> Vec<String> {
        let job = self.with(overrides);
        let mut argv = match self.engine {
            Engine::Embedded => vec!["--rollout-shards".to_owned(), self.cluster.rollout_shards.to_string()],
            Engine::Slime => job.training_gpus(nodes as u64),
        };
        for set in job.arguments {
            let read = |argument: &Argument| argument.read_by(Engine::Embedded);
            if self.engine == Engine::Embedded && !argument::find(&set.name).is_some_and(read) {
                continue;
            }
            argv.push(format!("--{}", set.name));
            match set.value {
                Value::Flag => {}
                Value::One(text) => argv.push(text),
                Value::Many(texts) => argv.extend(texts),
            }
        }
        argv
    }

    /// Which nodes and GPUs train. Without colocate the engines have GPUs of their own; the rest trains.
    fn training_gpus(&self, nodes: u64) -> Vec<String> {
        let each = u64::from(self.cluster.gpus_per_node);
        let elsewhere = self.cluster.colocate || self.value("rollout-external-engine-addrs").is_some();
        let engines = if elsewhere { 0 } else { self.whole("rollout-num-gpus").unwrap_or(0) };
        let left = (nodes * each).saturating_sub(engines).max(1);
        let (nodes, each) = match left {
            left if left % each == 0 => (left / each, each),
            left if left < each => (1, left),
            left if left % nodes == 0 => (nodes, left / nodes),
            left => (left / each, each),
        };
        let counts = [("actor-num-nodes", nodes), ("actor-num-gpus-per-node", each)];
        let mut argv: Vec<String> =
            counts.iter().flat_map(|(name, count)| [format!("--{name}"), count.to_string()]).collect();
        argv.extend(self.cluster.colocate.then(|| "--colocate".to_owned()));
        argv
    }

    /// This job with changes, as for [`Job::argv`].
    pub fn with(&self, overrides: &BTreeMap<String, String>) -> Job {
        let mut job = self.clone();
        for (name, text) in overrides {
            job.change(name, text);
        }
        job
    }

    /// What is wrong with changes, as for [`Job::argv`]: each by itself, and all of them together with the rest.
    pub fn check(&self, overrides: &BTreeMap<String, String>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut written = Written::default();
        for (name, text) in overrides {
            if let Some(text) = argument::find(name).and_then(|argument| argument.check(text).err()) {
                findings.push(Finding::error(None, text));
                written.unclear.insert(name.clone());
            }
        }
        let before = rule::check(self, &Written::default(), &Facts::default());
        let after = rule::check(&self.with(overrides), &written, &Facts::default());
        findings.extend(after.into_iter().filter(|finding| !before.contains(finding)));
        findings
    }

    fn change(&mut self, name: &str, text: &str) {
        let known = argument::find(name);
        let last = self.arguments.iter().rposition(|set| set.name == name);
        let flag = match known {
            Some(argument) => argument.kind == Kind::Flag,
            None => last.map_or(matches!(text, "true" | "false"), |at| self.arguments[at].value == Value::Flag),
        };
        if flag && text == "false" {
            self.arguments.retain(|set| set.name != name);
            return;
        }
        let several = match (known, last) {
            (Some(argument), _) => argument.kind == Kind::List,
            (None, Some(at)) => matches!(self.arguments[at].value, Value::Many(_)),
            (None, None) => false,
        };
        let value = match (flag, several) {
            (true, _) => Value::Flag,
            (_, true) => Value::Many(text.split_whitespace().map(str::to_owned).collect()),
            _ => Value::One(text.to_owned()),
        };
        match last {
            Some(at) => self.arguments[at].value = value,
            None => {
                let group = known.map_or(Group::Misc, |argument| argument.group);
                let at = self.arguments.partition_point(|set| set.group <= group);
                self.arguments.insert(at, Set { group, name: name.to_owned(), value });
            }
        }
    }
}
