//! TOML files that a person may write beside the ones built in: what is wrong with them, line by line.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Something in a file that cannot be used; the rest of the file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

/// One file while it is read.
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl<'a> File<'a> {
    /// All of it as a table.
    pub(super) fn table(&self) -> Result<DeTable<'a>, Problem> {
        DeTable::parse(self.text)
            .map(|table| table.into_inner())
            .map_err(|error| self.problem(&error.span().unwrap_or(0..0), error.message().to_owned()))
    }

    /// What is wrong at a place.
    pub(super) fn problem(&self, at: &Range<usize>, text: String) -> Problem {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        Problem { file: self.name.to_owned(), line: before.matches('\n').count() + 1, text }
    }

    /// A name that is none of the known ones.
    pub(super) fn unknown<'k>(
        &self,
        at: &Range<usize>,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'k str> + Clone,
    ) -> Problem {
        let near = rldeck_core::nearest::nearest(name, known);
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        self.problem(at, format!("there is no {what} `{name}`{near}"))
    }
}

/// The string in a value.
pub(super) fn string<'v>(value: &'v DeValue<'_>) -> Option<&'v str> {
    match value {
        DeValue::String(text) => Some(text),
        _ => None,
    }
}
