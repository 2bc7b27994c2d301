//! TOML to tables of keys, each with its line; what is not TOML is told in the operator's words.

use std::ops::Range;

use toml::{Spanned, de::DeTable, de::DeValue};

use crate::finding::{Finding, Place};

/// A job file is a few kilobytes; what is larger is another file, given by mistake.
const LARGEST: usize = 256 * 1024;

/// A file: its tables in the order in which they stand. The first is the part above all tables; its name is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub(super) tables: Vec<Table>,
}

/// A table of a file.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) items: Vec<Item>,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) key: String,
    pub(super) raw: Raw,
    pub(super) place: Place,
}

/// A value as it is written, variables not looked up.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Raw {
    Bool(bool),
    /// Its text, without underscores and plus signs.
    Number(String),
    Text(String),
    List(Vec<Raw>),
    /// Something that no key takes; what it is.
    Other(&'static str),
}

impl Raw {
    /// As an operator would say it: `"fast"`, `-1`, `true`, `a table`.
    pub(super) fn described(&self) -> String {
        match self {
            Raw::Bool(value) => value.to_string(),
            Raw::Number(text) => text.clone(),
            Raw::Text(text) => crate::argument::quoted(text),
            Raw::List(_) => "an array".to_owned(),
            Raw::Other(what) => (*what).to_owned(),
        }
    }
}

/// Reads the text of a file.
pub(super) fn parse(text: &str, file: &str) -> Result<Document, Vec<Finding>> {
    if text.len() > LARGEST {
        let text = format!(
            "{} KB are too much for a job file (at most {} KB): is this the right file?",
            text.len() / 1024,
            LARGEST / 1024
        );
        return Err(vec![Finding::error(Some(Place::new(file, 1)), text)]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = Lines::new(text, file);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(document(table.into_inner(), &lines));
    }
    let mut findings: Vec<Finding> = errors.iter().map(|error| syntax(error.message(), error.span(), &lines)).collect();
    // One mistake often makes several errors of the parser: the first of a line says it best.
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    findings.dedup_by(|a, b| a.place == b.place);
    Err(findings)
}

fn document(root: DeTable<'_>, lines: &Lines<'_>) -> Document {
    let mut top = Table { name: String::new(), place: lines.place(0), items: Vec::new() };
    let mut tables = Vec::new();
    for (key, value) in in_order(root) {
        let place = lines.place(key.span().start);
        match value.into_inner() {
            DeValue::Table(inner) => {
                let items = in_order(inner).into_iter().map(|(key, value)| item(&key, value, lines)).collect();
                tables.push(Table { name: key.into_inner().into_owned(), place, items });
            }
            other => top.items.push(Item { key: key.into_inner().into_owned(), raw: raw(other), place }),
        }
    }
    tables.insert(0, top);
    Document { tables }
}

type Entry<'i> = (Spanned<std::borrow::Cow<'i, str>>, Spanned<DeValue<'i>>);

/// The parser sorts keys by name: back to the order in which they stand.
fn in_order(table: DeTable<'_>) -> Vec<Entry<'_>> {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn item(key: &Spanned<std::borrow::Cow<'_, str>>, value: Spanned<DeValue<'_>>, lines: &Lines<'_>) -> Item {
    let place = lines.place(key.span().start);
    Item { key: key.get_ref().clone().into_owned(), raw: raw(value.into_inner()), place }
}

fn raw(value: DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.into_owned()),
        DeValue::Boolean(value) => Raw::Bool(value),
        DeValue::Float(float) => Raw::Number(plain(float.as_str())),
        DeValue::Integer(integer) => match integer.radix() {
            10 => Raw::Number(plain(integer.as_str())),
            radix => match i64::from_str_radix(&plain(integer.as_str()), radix) {
                Ok(number) => Raw::Number(number.to_string()),
                Err(_) => Raw::Other("a number with more than 64 bits"),
            },
        },
        DeValue::Array(array) => Raw::List(array.into_iter().map(|value| raw(value.into_inner())).collect()),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

fn plain(number: &str) -> String {
    number.trim_start_matches('+').replace('_', "")
}

/// An error of the parser, with what to write instead.
fn syntax(message: &str, span: Option<Range<usize>>, lines: &Lines<'_>) -> Finding {
    let at = span.map_or(0, |span| span.start).min(lines.text.len());
    let (place, column) = (lines.place(at), lines.column(at));
    let has = |part: &str| message.contains(part);
    let advice = if has("duplicate key") {
        "this key is there twice: keep one of them"
    } else if has("string values must be quoted") {
        "a text stands in quotes: key = \"value\""
    } else if has("key with no value") || has("missing assignment") {
        "a line is key = value; a flag is written key = true"
    } else if has("missing value") {
        "nothing stands after the ="
    } else if has("invalid unquoted key") || has("unquoted keys cannot be empty") {
        "a key has only letters, digits, - and _"
    } else if has("unclosed table") || has("unclosed array table") || has("missing table open") {
        "a table is written [name], alone on its line"
    } else if has("unclosed array") || has("array") {
        "an array is written [\"one\", \"two\"]"
    } else if has("basic string") || has("literal string") || has("quote") {
        "a text ends with the quote that it began with, on the same line"
    } else if has("escape") {
        "a backslash in a text is written twice, or the text stands in single quotes"
    } else if has("recurs") {
        "too many tables or arrays inside one another"
    } else if has("carriage return") {
        "a carriage return stands alone: save the file with ordinary line ends"
    } else if has("unexpected key or value") || has("extra `=`") {
        "one key = value on a line"
    } else if has("leading zero") || has("sign") || has("digit") || has("number") || has("float") || has("integer") {
        "this is not a number; a text stands in quotes"
    } else {
        message
    };
    let mut text = format!("not TOML at column {column}: {advice}");
    if let Some(line) = lines.line(at).filter(|line| !line.is_empty()) {
        text.push_str(&format!(" (here: {})", crate::argument::quoted(line)));
    }
    Finding::error(Some(place), text)
}

/// Offsets to lines.
struct Lines<'a> {
    text: &'a str,
    file: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, file: &'a str) -> Lines<'a> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, file, starts }
    }

    /// Which line, from 0.
    fn index(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    fn place(&self, at: usize) -> Place {
        Place::new(self.file, u32::try_from(self.index(at) + 1).unwrap_or(u32::MAX))
    }

    fn column(&self, at: usize) -> usize {
        let start = self.starts.get(self.index(at)).copied().unwrap_or(0);
        self.text.get(start..at).map_or(1, |before| before.chars().count() + 1)
    }

    fn line(&self, at: usize) -> Option<&'a str> {
        let start = self.starts.get(self.index(at)).copied()?;
        self.text.get(start..)?.lines().next().map(str::trim)
    }
}
