//! The catalogue: every argument that rldeck knows of slime, Megatron and SGLang, and when a change of it applies.
//!
//! The built-in engine reads the same names, so one job file and one tune view serve both engines.

use std::{collections::HashMap, sync::LazyLock};

use crate::job::Engine;

mod group;
mod kind;
mod old;
mod table;

pub use group::Group;
pub use kind::Kind;
pub use old::{Old, Stands, old};

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applies {
    /// At the next optimizer step.
    Live,
    /// With the next rollout (or the next evaluation).
    NextRollout,
    /// With the next checkpoint.
    NextSave,
    /// With the next start of the job.
    Restart,
}

impl Applies {
    /// How the console writes it.
    pub fn label(self) -> &'static str {
        match self {
            Applies::Live => "live",
            Applies::NextRollout => "next rollout",
            Applies::NextSave => "next save",
            Applies::Restart => "restart",
        }
    }
}

/// One argument of a launch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Argument {
    /// Its name without `--`; SGLang's begin with `sglang-`.
    pub name: &'static str,
    /// The group it belongs to.
    pub group: Group,
    /// What may stand after it.
    pub kind: Kind,
    /// slime's value when it is not given.
    pub default: Option<&'static str>,
    /// One line.
    pub help: &'static str,
    /// The built-in engine reads it.
    pub embedded: bool,
    /// The tune view shows it even where a change needs a restart.
    pub tunable: bool,
    /// Only the built-in engine knows it.
    pub built_in_only: bool,
    /// The only values that the built-in engine takes, where it takes fewer than slime.
    pub built_in_words: Option<&'static [&'static str]>,
    slime: Applies,
    built_in: Applies,
}

impl Argument {
    /// An argument of slime alone that needs a restart; an empty default stands for none.
    const fn new(group: Group, name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
        let default = if default.is_empty() { None } else { Some(default) };
        let (slime, built_in) = (Applies::Restart, Applies::Restart);
        Argument {
            name,
            group,
            kind,
            default,
            help,
            embedded: false,
            tunable: false,
            built_in_only: false,
            built_in_words: None,
            slime,
            built_in,
        }
    }

    /// With slime, a change applies then.
    const fn slime(self, slime: Applies) -> Argument {
        Argument { slime, ..self }
    }

    /// The built-in engine reads it too, and a change applies then.
    const fn built_in(self, built_in: Applies) -> Argument {
        Argument { embedded: true, built_in, ..self }
    }

    /// Only the built-in engine reads it.
    const fn only_built_in(self) -> Argument {
        Argument { embedded: true, built_in_only: true, ..self }
    }

    /// Of the values, the built-in engine takes only these.
    const fn words(self, words: &'static [&'static str]) -> Argument {
        Argument { built_in_words: Some(words), ..self }
    }

    /// The tune view shows it, whenever a change of it applies.
    const fn tunable(self) -> Argument {
        Argument { tunable: true, ..self }
    }

    /// With slime, sampling and training must change it for the same rollout: log probabilities are taken with it.
    pub fn on_both_sides(&self) -> bool {
        self.name == "rollout-temperature"
    }

    /// When a change of it takes effect with this engine.
    pub fn applies(&self, engine: Engine) -> Applies {
        match engine {
            Engine::Embedded => self.built_in,
            Engine::Slime => self.slime,
        }
    }

    /// Whether this engine reads it at all.
    pub fn read_by(&self, engine: Engine) -> bool {
        match engine {
            Engine::Embedded => self.embedded,
            Engine::Slime => !self.built_in_only,
        }
    }

    /// Whether the tune view shows it with this engine. slime has hundreds: there it shows those that are commonly
    /// changed, and every one that need not wait for a restart.
    pub fn shown(&self, engine: Engine) -> bool {
        let soon = engine == Engine::Slime && self.slime != Applies::Restart;
        self.read_by(engine) && (self.tunable || soon)
    }

    /// Whether `value` may be given to it, as it would stand in `argv` (a flag: `true` or `false`).
    /// An `Err` is one line for the operator: what is wrong and what is allowed.
    pub fn check(&self, value: &str) -> Result<(), String> {
        self.kind.check(value).map_err(|allowed| format!("{} is {}: {allowed}", self.name, shown(value)))
    }
}

/// All arguments, group by group in the order of a launch script.
pub fn catalogue() -> &'static [Argument] {
    static ALL: LazyLock<Vec<Argument>> = LazyLock::new(|| table::GROUPS.concat());
    &ALL
}

/// The argument of this name (without `--`, SGLang's with `sglang-`).
pub fn find(name: &str) -> Option<&'static Argument> {
    static NAMED: LazyLock<HashMap<&str, &Argument>> =
        LazyLock::new(|| catalogue().iter().map(|argument| (argument.name, argument)).collect());
    NAMED.get(name).copied()
}

/// The known name nearest to an unknown one.
pub fn nearest(name: &str) -> Option<&'static str> {
    crate::nearest::nearest(name, catalogue().iter().map(|argument| argument.name))
}

/// A number as it is, everything else in quotes.
pub(crate) fn shown(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() && value.len() <= 40 => value.to_owned(),
        _ => quoted(value),
    }
}

/// A value in quotes, control characters made visible, cut when it is long.
pub(crate) fn quoted(value: &str) -> String {
    const LONGEST: usize = 60;
    if value.chars().count() <= LONGEST {
        return format!("{value:?}");
    }
    format!("{:?}...", value.chars().take(LONGEST).collect::<String>())
}

#[cfg(test)]
mod tests;
