//! What is not TOML, in the operator's words.

use std::ops::Range;

use super::lines::Lines;
use crate::{argument::quoted, finding::Finding};

/// An error of the parser, with what to write instead.
pub(super) fn finding(message: &str, span: Option<Range<usize>>, lines: &Lines<'_>) -> Finding {
    let span = span.unwrap_or(0..0);
    let at = span.start.min(lines.text.len());
    let found = lines.text.get(span).unwrap_or_default();
    let line = lines.line(at);
    let advice = if line == "[model]" && lines.text.lines().any(|line| line.trim_start().starts_with("model =")) {
        "model = \"...\" and [model] cannot both be there: write preset = \"...\" below [model]".to_owned()
    } else {
        advice(message, found, line)
    };
    let mut text = format!("not TOML at column {}: {advice}", lines.column(at));
    if !line.is_empty() {
        text.push_str(&format!(" (here: {})", visible(line)));
    }
    Finding::error(Some(lines.place(at)), text)
}

/// A line as it is, control characters made visible, cut when it is long.
fn visible(line: &str) -> String {
    const LONGEST: usize = 60;
    let mut out = String::new();
    for letter in line.chars().take(LONGEST) {
        match letter.is_control() {
            true => out.extend(letter.escape_default()),
            false => out.push(letter),
        }
    }
    if line.chars().nth(LONGEST).is_some() {
        out.push_str("...");
    }
    out
}

/// What to write instead of `found` in `line`.
fn advice(message: &str, found: &str, line: &str) -> String {
    let has = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    if has(&["string values must be quoted", "missing value", "invalid boolean"]) {
        return unquoted(found, line);
    }
    let advice = if has(&["duplicate key"]) {
        match line.starts_with('[') {
            true => "this table is there twice: put its keys together",
            false => "this key is there twice: keep one of them",
        }
    } else if has(&["key with no value", "missing assignment", "invalid key-value pair"]) {
        "a line is key = value; a flag is written key = true"
    } else if has(&["unclosed table", "unclosed array table", "missing table open"]) {
        "a table is written [name], alone on its line"
    } else if has(&["unquoted key", "keys cannot be"]) {
        "a key has only letters, digits, - and _"
    } else if has(&["inline table", "key-value pairs"]) {
        "no table in braces is needed here: write [name] alone on a line and its keys below"
    } else if has(&["array"]) {
        "several values are written [\"one\", \"two\"]"
    } else if has(&["escape", "unicode"]) {
        "a backslash in a text is written twice, or the text stands in single quotes"
    } else if has(&["multi-line"]) {
        "a text that begins with three quotes ends with three"
    } else if has(&["visible characters", "control"]) {
        "there is a control character here: remove it"
    } else if has(&["string", "quote"]) {
        "a text ends with the quote that it began with, on the same line"
    } else if has(&["recurs"]) {
        "too many tables or arrays inside one another"
    } else if has(&["carriage return"]) {
        "a carriage return stands alone: save the file with ordinary line ends"
    } else if has(&["unexpected key or value", "extra `=`", "unexpected content"]) {
        "each key = value and each [table] has a line of its own"
    } else if has(&["zero", "sign", "digit", "number", "float", "integer", "mantissa", "fraction", "exponent", "radix"])
    {
        "this is not a number; a text stands in quotes"
    } else {
        message
    };
    advice.to_owned()
}

/// A value that is no number, no flag and has no quotes.
fn unquoted(found: &str, line: &str) -> String {
    let found = found.trim();
    match found.to_ascii_lowercase().as_str() {
        "" if line.ends_with('=') => "nothing stands after the =".to_owned(),
        "" => "a value is missing".to_owned(),
        "true" | "yes" | "on" => "a flag is written true".to_owned(),
        "false" | "no" | "off" | "none" | "null" => "what is left out is written false".to_owned(),
        _ if found.contains("//") => "a comment begins with #".to_owned(),
        _ if line.contains('[') => "several values are written [\"one\", \"two\"], texts in quotes".to_owned(),
        _ => format!("a text stands in quotes: write {}", quoted(found)),
    }
}
