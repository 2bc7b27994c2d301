//! Lines as they were really printed (their sources are public issues of slime, SGLang and others), and what they mean.

mod fault;
mod hostile;
mod line;
mod metric;
mod reader;

use std::collections::BTreeMap;

use super::{Record, Values, parse};

/// What a line says, as debug text: easy to compare and to read when it differs.
fn said(line: &str) -> Vec<String> {
    said_bytes(line.as_bytes())
}

fn said_bytes(line: &[u8]) -> Vec<String> {
    let mut said = Vec::new();
    parse(line, &mut |record| {
        said.push(match record {
            Record::Metrics { kind, number, values } => format!("{kind:?} {number} {:?}", map(values)),
            Record::Memory { when, rank, values } => format!("Memory {when} {rank:?} {:?}", map(values)),
            Record::Batch(batch) => {
                let numbers: Vec<String> = batch
                    .numbers()
                    .map(|(name, number)| format!("{}={number}", String::from_utf8_lossy(name)))
                    .collect();
                format!("{:?} {}", batch.kind, numbers.join(" "))
            }
            Record::Fault { fault, text } => format!("Fault {}: {text}", fault.id),
            Record::Source(source) => format!("Source {source}"),
            record => format!("{record:?}"),
        })
    });
    said
}

fn map(values: Values<'_>) -> BTreeMap<String, f64> {
    values.map(|(name, value)| (name.into_owned(), value)).collect()
}

/// The values of the one metric line in `line`, and what is said before it.
fn metrics(line: &str) -> (Option<(super::Kind, u64)>, BTreeMap<String, f64>) {
    let mut found = (None, BTreeMap::new());
    parse(line.as_bytes(), &mut |record| {
        if let Record::Metrics { kind, number, values } = record {
            assert!(found.0.is_none(), "two metric lines in one");
            found = (Some((kind, number)), map(values));
        }
    });
    found
}
