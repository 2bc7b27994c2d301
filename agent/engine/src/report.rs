//! What a shard tells the world: events for its agent, lines for people. Neither ever stops the work.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use rldeck_core::{
    date::Date,
    shard::{EVENTS, Event, Report, Severity},
};

/// So many bytes of events wait for room on a full disk.
const MOST_WAITING: usize = 8 << 20;

/// Appends to `events.jsonl` in the working directory.
pub(crate) struct Reporter {
    file: Option<File>,
    /// What could not be written yet; may begin within a line, of which the beginning is in the file.
    waiting: Vec<u8>,
    /// Events for which there was no room even here.
    lost: u64,
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl Reporter {
    pub(crate) fn new() -> Reporter {
        Reporter { file: None, waiting: Vec::new(), lost: 0 }
    }

    pub(crate) fn report(&mut self, report: Report) {
        self.flush();
        if self.lost > 0 && self.waiting.is_empty() {
            let text = format!("{} events could not be written to {EVENTS} and are lost", self.lost);
            self.lost = 0;
            self.add(Report::Notice { severity: Severity::Warning, text });
        }
        self.add(report);
        self.flush();
    }

    pub(crate) fn notice(&mut self, severity: Severity, text: String) {
        crate::report::say(file!(), line!(), &text);
        self.report(Report::Notice { severity, text });
    }

    fn add(&mut self, report: Report) {
        match serde_json::to_vec(&Event { at: now_ms(), report }) {
            Ok(line) if self.waiting.len() + line.len() < MOST_WAITING => {
                self.waiting.extend(line);
                self.waiting.push(b'\n');
            }
            _ => self.lost += 1,
        }
    }

    /// One write for all that waits. What a full disk did not take is written when it takes more: readers wait for the line's end.
    fn flush(&mut self) {
        if self.file.is_none() {
            self.file = OpenOptions::new().create(true).append(true).open(EVENTS).ok();
        }
        if let Some(file) = &mut self.file
            && !self.waiting.is_empty()
        {
            let written = file.write(&self.waiting).unwrap_or(0);
            self.waiting.drain(..written);
        }
    }
}

/// Prints a line as slime does: `[time] file:line - message`.
#[macro_export]
#[doc(hidden)]
macro_rules! say {
    ($($text:tt)*) => { $crate::report::say(file!(), line!(), &format!($($text)*)) };
}

pub(crate) fn say(file: &str, line: u32, text: &str) {
    let file = file.rsplit('/').next().unwrap_or(file);
    // A closed or full stdout is no reason to stop.
    let _ = writeln!(std::io::stdout().lock(), "[{}] {file}:{line} - {text}", Date::utc(now_ms()).text());
}

/// A dictionary as Python prints it, which is how slime prints metrics.
pub(crate) fn dictionary(values: &BTreeMap<String, f64>) -> String {
    let entries: Vec<String> = values.iter().map(|(name, value)| format!("'{name}': {}", python(*value))).collect();
    format!("{{{}}}", entries.join(", "))
}

fn python(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    if value.is_nan() {
        return "nan".into();
    }
    let text = format!("{value:?}");
    match text.split_once("e-") {
        Some((digits, exponent)) => format!("{digits}e-{exponent:0>2}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_print_as_in_python() {
        let values = [("a", 1e-6), ("b", 0.5), ("c", f64::NAN), ("d", -6.05e-9), ("e", 12.0)];
        let values = values.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(dictionary(&values), "{'a': 1e-06, 'b': 0.5, 'c': nan, 'd': -6.05e-09, 'e': 12.0}");
    }
}
