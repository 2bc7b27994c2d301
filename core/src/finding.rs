//! What is wrong with a job and what to write instead.

use std::{fmt, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::shard::Severity;

/// A line of a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file as the operator named it; a recipe is `recipe r1-mini`.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

impl Place {
    /// A line of a file.
    pub fn new(file: impl Into<String>, line: u32) -> Place {
        Place { file: file.into(), line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something the operator should know before the job runs; one of severity error keeps it from running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule that says so, like `layout.world`; none where the job file itself cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// Where it is written, when it is written anywhere.
    pub place: Option<Place>,
    /// One line: what is wrong and what to write instead.
    pub text: String,
}

impl Finding {
    /// The job cannot run so.
    pub fn error(place: Option<Place>, text: impl Into<String>) -> Finding {
        Finding { id: None, severity: Severity::Error, place, text: text.into() }
    }

    /// It runs, but probably not as meant.
    pub fn warning(place: Option<Place>, text: impl Into<String>) -> Finding {
        Finding { id: None, severity: Severity::Warning, place, text: text.into() }
    }

    /// The same, said by this rule.
    #[must_use]
    pub fn of(mut self, id: impl Into<String>) -> Finding {
        self.id = Some(id.into());
        self
    }

    /// Whether the job must not be launched with it.
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A rule that a job must keep, by the id that findings carry and that `allow` in a job file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its id: what it is about, a dot, and the rule.
    pub id: &'static str,
    /// How bad it is to break it.
    pub severity: Severity,
    /// What it asks for, one line.
    pub about: &'static str,
}

/// All rules, in the order in which they are judged.
pub fn rules() -> &'static [Rule] {
    static ALL: LazyLock<Vec<Rule>> = LazyLock::new(crate::job::rules);
    &ALL
}

/// The rule with this id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().iter().find(|rule| rule.id == id)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        let severity = match self.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        match &self.id {
            Some(id) => write!(f, "{severity}[{id}]: {}", self.text),
            None => write!(f, "{severity}: {}", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_prints_the_way_compilers_do() {
        let finding = Finding::warning(Some(Place::new("job.toml", 12)), "gamma is unknown");
        assert_eq!(finding.to_string(), "job.toml:12: warning: gamma is unknown");
        assert_eq!(Finding::error(None, "nothing to run").to_string(), "error: nothing to run");
        let world = Finding::error(Some(Place::new("job.toml", 3)), "120 GPUs").of("layout.world");
        assert_eq!(world.to_string(), "job.toml:3: error[layout.world]: 120 GPUs");
    }

    #[test]
    fn what_was_written_before_there_were_ids_reads_back() {
        let old = r#"{"severity":"warning","place":null,"text":"x"}"#;
        let finding: Finding = serde_json::from_str(old).unwrap();
        assert_eq!(finding, Finding::warning(None, "x"));
        assert_eq!(serde_json::to_string(&finding).unwrap(), old);
        let ours = finding.of("loss.dropout");
        assert_eq!(serde_json::from_str::<Finding>(&serde_json::to_string(&ours).unwrap()).unwrap(), ours);
    }

    #[test]
    fn each_rule_has_an_id_of_its_own_and_says_what_it_asks_for() {
        let mut seen = std::collections::BTreeSet::new();
        for Rule { id, about, .. } in rules() {
            assert!(seen.insert(id), "{id} is there twice");
            let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter);
            assert!(id.matches('.').count() == 1 && id.chars().all(plain), "{id}");
            assert!(about.len() > 10 && about.len() < 110 && !about.ends_with('.'), "{id}: {about}");
        }
        assert_eq!(rule("layout.world").map(|rule| rule.severity), Some(Severity::Error));
    }
}
