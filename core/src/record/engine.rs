//! What SGLang's schedulers say of their load.

use memchr::memmem;

use super::{
    Record,
    cursor::{Cursor, decimal},
};

/// What a batch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchKind {
    /// Writes tokens.
    Decode,
    /// Reads prompts.
    Prefill,
}

/// How busy a scheduler is: `#running-req: 6, #token: 42414, token usage: 0.04, ...`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// What it does.
    pub kind: BatchKind,
    fields: &'a [u8],
}

impl<'a> Batch<'a> {
    /// The numbers by SGLang's names, in the order printed: `#running-req`, `gen throughput (token/s)`.
    pub fn numbers(&self) -> impl Iterator<Item = (&'a [u8], f64)> + use<'a> {
        self.fields().filter_map(|(name, value)| Some((name, decimal(value)?)))
    }

    /// The same, as printed.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.fields.split(|byte| *byte == b',').filter_map(|field| {
            let colon = memchr::memchr(b':', field)?;
            Some((field[..colon].trim_ascii_start(), field[colon + 1..].trim_ascii()))
        })
    }
}

/// Behind `Decode batch` or `Prefill batch`: `, #running-req: 6, ...`.
pub(super) fn batch(kind: BatchKind, rest: &[u8]) -> Option<Record<'_>> {
    let fields = rest.strip_prefix(b",").or_else(|| rest.strip_prefix(b"."))?;
    memmem::find(fields, b"#running-req:")?;
    Some(Record::Batch(Batch { kind, fields }))
}

/// Behind `KV cache pool is full.`: ` Retract requests. #retracted_reqs: 1, ...`.
pub(super) fn cache_full(rest: &[u8]) -> Option<Record<'_>> {
    let mut cursor = Cursor(rest);
    cursor.until("#retracted_reqs:")?;
    Some(Record::CacheFull { retracted: cursor.number()? })
}
