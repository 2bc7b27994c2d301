//! The job file: one TOML that says what to launch.
//!
//! A recipe is the base and the file holds only what differs. Its tables are the argument groups of a slime launch
//! script and its keys slime's own argument names without `--` (SGLang's also without `sglang-`). All of `[model]` has a
//! name, `model = "deepseek-v3"`; where the file has that table, it is `preset = "deepseek-v3"` in it.
//!
//! ```toml
//! recipe = "r1-mini"
//! [env]
//! DATA = "${HOME}/data"                # strings may use variables: of [env] first, then of the caller
//! [optimizer]
//! lr = 2e-3                            # --lr 2e-3
//! [grpo]
//! use-kl-loss = true                   # --use-kl-loss; false leaves an argument out
//! [eval]
//! eval-prompt-data = ["mine", "${DATA}/mine.jsonl"]
//! ```
//!
//! What breaks a rule is told with the rule's id. `allow = ["layout.world"]` above all tables lets it be: an error is
//! then a warning, and a warning is not told again.
//! An argument that the catalogue does not know is a warning: slime is given it as it is, the built-in engine is not.
//! Everything else that cannot be right is an error, and all errors are told at once.

use std::collections::BTreeMap;

mod argv;
mod document;
mod layer;
mod lines;
mod mismatch;
mod preset;
mod read;
mod recipe;
mod resolve;
mod rule;
mod secret;
mod settings;
mod syntax;
mod variable;
mod write;

use crate::argument::Group;

pub use mismatch::model_mismatches;
pub use preset::{preset, presets};
pub use read::Read;
pub use recipe::{recipe, recipes};
pub(crate) use rule::rules;
pub use rule::{Checkpoints, Facts};
pub use secret::is_secret;
pub use settings::{Alert, Cluster, Paths, RestartPolicy, Ssh};
// For a job file that is written with its variables.
pub(crate) use layer::short;
pub(crate) use write::{is_number, line, quote};

/// What does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// The built-in engine, on one machine.
    Embedded,
    /// slime on Ray, on a cluster.
    Slime,
}

impl Engine {
    /// How the job file writes it.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Embedded => "embedded",
            Engine::Slime => "slime",
        }
    }

    /// The engine with this [`Engine::name`].
    pub fn from_name(name: &str) -> Option<Engine> {
        [Engine::Embedded, Engine::Slime].into_iter().find(|engine| engine.name() == name)
    }
}

/// What stands after an argument. Numbers are kept as they were written (`1e-6`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Nothing: a bare flag.
    Flag,
    /// One value.
    One(String),
    /// Several values, in order; at least one.
    Many(Vec<String>),
}

/// One argument of the launch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Set {
    /// The table it stands in.
    pub group: Group,
    /// Its name without `--`; SGLang's begin with `sglang-`.
    pub name: String,
    /// What stands after it.
    pub value: Value,
}

/// A job, resolved: the recipe is laid under the file and no variable is left.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Names its runs: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The recipe it was made from.
    pub recipe: Option<String>,
    /// What does the work.
    pub engine: Engine,
    /// Rules that it may break, by id: see [`crate::finding::rules`].
    pub allow: Vec<String>,
    /// The arguments, group by group in the order of a launch script. Where one stands twice, the later holds.
    pub arguments: Vec<Set>,
    /// The machines.
    pub cluster: Cluster,
    /// Environment of every shard.
    pub env: BTreeMap<String, String>,
    /// Where slime and its parts lie.
    pub slime: Paths,
    /// What to do when something dies.
    pub restart: RestartPolicy,
    /// When to call the operator.
    pub alerts: Vec<Alert>,
}

impl Job {
    /// What is set for an argument, several values separated by a space, a flag as `true`; not its default.
    pub fn value(&self, name: &str) -> Option<String> {
        Some(match &self.set(name)?.value {
            Value::Flag => "true".to_owned(),
            Value::One(text) => text.clone(),
            Value::Many(texts) => texts.join(" "),
        })
    }

    /// What is set for an argument, or else the catalogue's default.
    pub fn effective(&self, name: &str) -> Option<String> {
        self.value(name).or_else(|| Some(crate::argument::find(name)?.default?.to_owned()))
    }

    /// [`Job::value`] as a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.value(name)?.parse().ok()
    }

    /// [`Job::value`] as a whole number.
    pub fn whole(&self, name: &str) -> Option<u64> {
        self.value(name)?.parse().ok()
    }

    /// Whether a flag is set.
    pub fn flag(&self, name: &str) -> bool {
        self.set(name).is_some()
    }

    /// What is set for an argument that takes several values; empty when it is not set.
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.set(name).map(|set| &set.value) {
            Some(Value::Many(texts)) => texts.clone(),
            Some(Value::One(text)) => vec![text.clone()],
            Some(Value::Flag) | None => Vec::new(),
        }
    }

    /// The setting that holds.
    fn set(&self, name: &str) -> Option<&Set> {
        self.arguments.iter().rev().find(|set| set.name == name)
    }
}

#[cfg(test)]
pub(crate) mod tests;
