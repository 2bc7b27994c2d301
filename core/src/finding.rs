//! What is wrong with a job and what to write instead.

use std::fmt;

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
        Finding { severity: Severity::Error, place, text: text.into() }
    }

    /// It runs, but probably not as meant.
    pub fn warning(place: Option<Place>, text: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, place, text: text.into() }
    }
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
        write!(f, "{severity}: {}", self.text)
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
    }
}
