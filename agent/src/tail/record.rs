use rldeck_core::{
    record,
    shard::{Event, Millis},
};
use rldeck_proto::wire::{self, record::Line};

use super::RawLine;

/// A line that is longer goes over the wire cut off; the file holds it whole, in bytes.
const LONGEST_SENT: usize = 16 << 10;

pub(crate) fn event_record(RawLine { offset, next, bytes, .. }: RawLine) -> wire::Record {
    let line = match serde_json::from_slice::<Event>(&bytes) {
        Ok(event) => Line::Event(event.into()),
        Err(error) => Line::Corrupt(format!("{error}: {}", cut(&bytes[..bytes.len().min(80)]))),
    };
    wire::Record { offset, next, line: Some(line), meant: Vec::new() }
}

pub(crate) fn log_record(RawLine { offset, next, bytes, .. }: RawLine, at: Millis) -> wire::Record {
    let text = cut(&bytes);
    let severity = wire::Severity::from(record::severity(&text)).into();
    let line = Some(Line::Log(wire::Line { at, severity, text }));
    wire::Record { offset, next, line, meant: Vec::new() }
}

fn cut(bytes: &[u8]) -> String {
    match bytes.len() {
        0..=LONGEST_SENT => String::from_utf8_lossy(bytes).into_owned(),
        long => format!("{} … ({long} bytes in all)", String::from_utf8_lossy(&bytes[..LONGEST_SENT])),
    }
}
