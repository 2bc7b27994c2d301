//! Progress bars of tqdm: `Rollout generation:  62%|██████▎   | 40/64 [04:51<02:52,  7.19s/it]`.

use std::borrow::Cow;

use super::{
    cursor::{Cursor, decimal},
    text,
};

/// A progress bar at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar<'a> {
    /// What it is about: `actor train`. Empty when the bar does not tell.
    pub about: Cow<'a, str>,
    /// So many are done.
    pub done: u64,
    /// Of so many, when the bar knows.
    pub total: Option<u64>,
    /// Seconds since it began.
    pub elapsed: u64,
    /// How many a second; absent in the beginning.
    pub rate: Option<f64>,
    /// What is counted: `it`, `microbatch`.
    pub unit: &'a str,
}

/// Longest description looked at, in bytes.
const LONGEST_ABOUT: usize = 120;
/// Longest drawing looked at: 1,000 columns of three bytes.
const LONGEST_DRAWING: usize = 3_000;

/// The bar whose `%|` stands at `at`, and where it ends.
pub(super) fn bar(line: &[u8], at: usize) -> Option<(Bar<'_>, usize)> {
    let head = &line[..at];
    let digits = head.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let about = about(head[..at - digits].trim_ascii_end());
    let drawing = &line[at + "%|".len()..];
    let mut cursor = Cursor(&drawing[..drawing.len().min(LONGEST_DRAWING)]);
    let length = cursor.0.len();
    cursor.until("| ")?;
    cursor.0 = cursor.0.trim_ascii_start();
    let done = count(cursor.until("/")?)?;
    let total = count(cursor.until(" [")?)?;
    let (elapsed, rate, unit) = clock(&mut cursor)?;
    let end = at + "%|".len() + length - cursor.0.len();
    Some((Bar { about, done, total: Some(total), elapsed, rate, unit }, end))
}

/// A bar that knows no total, `Update weights: 12it [00:03, 3.50it/s]`, whose `it [` stands at `at`; and where it ends.
pub(super) fn counter(line: &[u8], at: usize) -> Option<(Bar<'_>, usize)> {
    let head = &line[..at];
    let digits = head.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (head, done) = head.split_at(at - digits);
    let done = count(done)?;
    let behind = &line[at + "it [".len()..];
    let mut cursor = Cursor(&behind[..behind.len().min(LONGEST_ABOUT)]);
    let length = cursor.0.len();
    let (elapsed, rate, unit) = clock(&mut cursor)?;
    let end = at + "it [".len() + length - cursor.0.len();
    Some((Bar { about: about(head.trim_ascii_end()), done, total: None, elapsed, rate, unit }, end))
}

fn about(head: &[u8]) -> Cow<'_, str> {
    let head = head.strip_suffix(b":").unwrap_or(head);
    text(head[head.len().saturating_sub(LONGEST_ABOUT)..].trim_ascii())
}

/// `04:51<02:52,  7.19s/it]`, `00:03, 3.50it/s, reward=0.3]`.
fn clock<'a>(cursor: &mut Cursor<'a>) -> Option<(u64, Option<f64>, &'a str)> {
    let elapsed = seconds(cursor.while_(|byte| byte.is_ascii_digit() || byte == b':'))?;
    let mut inside = Cursor(cursor.until("]")?);
    inside.until(",")?;
    inside.0 = inside.0.trim_ascii_start();
    let number = inside.while_(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'?'));
    let scale = scale(&mut inside);
    let number = decimal(number).map(|number| number * scale);
    let unit = std::str::from_utf8(inside.while_(|byte| byte != b',')).ok()?.trim_ascii_end();
    match (unit.strip_prefix("s/"), unit.strip_suffix("/s")) {
        // A slow bar tells seconds per item.
        (Some(unit), _) => Some((elapsed, number.filter(|seconds| *seconds > 0.0).map(f64::recip), unit)),
        (None, Some(unit)) => Some((elapsed, number, unit)),
        (None, None) => None,
    }
}

/// `291` for `04:51`.
fn seconds(clock: &[u8]) -> Option<u64> {
    let mut parts = clock.split(|byte| *byte == b':').map(super::cursor::whole);
    let first = parts.next()??;
    parts.try_fold(first, |sum, part| sum.checked_mul(60)?.checked_add(part?))
}

/// `40`, `1.25k`.
fn count(bytes: &[u8]) -> Option<u64> {
    if let Some(count) = super::cursor::whole(bytes) {
        return Some(count);
    }
    let mut cursor = Cursor(bytes);
    let number = decimal(cursor.while_(|byte| byte.is_ascii_digit() || byte == b'.'))?;
    let scaled = number * scale(&mut cursor);
    (cursor.0.is_empty() && (0.0..1e15).contains(&scaled)).then_some(scaled.round() as u64)
}

fn scale(cursor: &mut Cursor<'_>) -> f64 {
    [("k", 1e3), ("M", 1e6), ("G", 1e9)]
        .into_iter()
        .find_map(|(letter, scale)| cursor.literal(letter).map(|()| scale))
        .unwrap_or(1.0)
}
