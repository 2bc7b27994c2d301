//! Colours of what subcommands print: on a terminal alone.

use std::io::{self, IsTerminal};

use rldeck_core::shard::Severity;

/// Whether there are colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    /// As stdout and the operator (`NO_COLOR`) want it.
    pub(super) fn stdout() -> Paint {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Paint(io::stdout().is_terminal() && !unwanted)
    }

    /// A heading.
    pub(super) fn title(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What is beside the point.
    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// What is as good or bad as this.
    pub(super) fn severity(self, severity: Severity, text: &str) -> String {
        match severity {
            Severity::Error => self.with("1;31", text),
            Severity::Warning => self.with("33", text),
            Severity::Info => self.with("36", text),
        }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
