use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
};

use rldeck_core::shard::{EVENTS, Event, Report, Severity};

use crate::now;

/// Appends what a shard reports to its `events.jsonl`, a line a time; says it in its log too.
#[derive(Debug)]
pub(super) struct Events(File);

impl Events {
    pub(super) fn open(dir: &Path) -> std::io::Result<Events> {
        Ok(Events(OpenOptions::new().append(true).create(true).open(dir.join(EVENTS))?))
    }

    /// A full disk must not end a shard that has work to do.
    pub(super) fn report(&mut self, report: Report) {
        if let Ok(mut line) = serde_json::to_vec(&Event { at: now(), report }) {
            line.push(b'\n');
            let _ = self.0.write_all(&line);
        }
    }

    pub(super) fn notice(&mut self, severity: Severity, text: impl Into<String>) {
        let text = text.into();
        println!("{text}");
        self.report(Report::Notice { severity, text });
    }
}
