//! A physical line may hold several: progress bars are redrawn behind `\r`, and colours stand anywhere.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

const ESCAPE: u8 = 0x1b;

/// The parts of a line between `\r`, empty ones left out.
pub(super) fn pieces(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut left = Some(line);
    std::iter::from_fn(move || {
        let rest = left?;
        match memchr(b'\r', rest) {
            Some(at) => {
                left = Some(&rest[at + 1..]);
                Some(&rest[..at])
            }
            None => left.take(),
        }
    })
    .filter(|piece| !piece.is_empty())
}

/// Whether a line is one piece without terminal codes, as nearly all are.
pub(super) fn is_plain(line: &[u8]) -> bool {
    memchr2(b'\r', ESCAPE, line).is_none()
}

/// The text without the terminal codes at its start.
pub(super) fn behind_codes(mut text: &[u8]) -> &[u8] {
    while let [ESCAPE, ..] = text {
        text = &text[code(text)..];
    }
    text
}

/// The text without terminal codes. Ray's `[repeated 7x across cluster]` goes with its colour.
pub(super) fn without_codes(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr(ESCAPE, text) else { return Cow::Borrowed(text) };
    if behind_codes(&text[first..]).starts_with(b" [repeated ") {
        return Cow::Borrowed(&text[..first]);
    }
    let mut clean = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(ESCAPE, rest) {
        clean.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[code(rest)..];
    }
    clean.extend_from_slice(rest);
    Cow::Owned(clean)
}

/// Length of the terminal code at the start of `text`, at least 1. A code that does not end is only its introducer:
/// what was to be its inside is shown rather than lost.
fn code(text: &[u8]) -> usize {
    /// No code in use is longer.
    const LONGEST: usize = 256;
    let inside = text.get(2..text.len().min(LONGEST)).unwrap_or_default();
    let length = match text.get(1) {
        Some(b'[') => inside.iter().position(|byte| (0x40..=0x7e).contains(byte)).map(|at| at + 3),
        Some(b']') => memchr2(0x07, ESCAPE, inside).map(|at| match inside[at..] {
            [ESCAPE, b'\\', ..] => at + 4,
            [ESCAPE, ..] => at + 2,
            _ => at + 3,
        }),
        Some(0x40..=0x7e | b'(' | b')') => return 2,
        _ => return 1,
    };
    length.unwrap_or(2)
}
