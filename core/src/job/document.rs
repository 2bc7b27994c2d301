//! TOML to tables of keys, each with its line.

use toml::{Spanned, de::DeTable, de::DeValue};

use super::{lines::Lines, syntax};
use crate::finding::{Finding, Place};

/// A job file is a few kilobytes; what is larger is another file, given by mistake.
const LARGEST: usize = 256 * 1024;

/// More keys than any job has; with fewer, nothing here takes long.
const MOST_KEYS: usize = 5000;

/// A file.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    /// The keys above all tables.
    pub(super) top: Vec<Item>,
    /// Its tables, in the order in which they stand.
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
    /// The value of another argument, once all layers are there.
    As(&'static str),
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
            Raw::As(what) | Raw::Other(what) => (*what).to_owned(),
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
    let (table, mut errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // One mistake often makes several errors of the parser: the first of a line says it best.
        let line = |error: &toml::de::Error| lines.place(error.span().map_or(0, |span| span.start)).line;
        errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
        errors.dedup_by_key(|error| line(error));
        return Err(errors.iter().map(|error| syntax::finding(error.message(), error.span(), &lines)).collect());
    }
    let document = document(table.into_inner(), &lines);
    let keys = document.top.len() + document.tables.iter().map(|table| table.items.len() + 1).sum::<usize>();
    if keys > MOST_KEYS {
        let text = format!("{keys} keys are too many for a job file (at most {MOST_KEYS}): is this the right file?");
        return Err(vec![Finding::error(Some(Place::new(file, 1)), text)]);
    }
    Ok(document)
}

fn document(root: DeTable<'_>, lines: &Lines<'_>) -> Document {
    let mut document = Document::default();
    for (key, value) in in_order(root) {
        let place = lines.place(key.span().start);
        match value.into_inner() {
            DeValue::Table(inner) => {
                let items = in_order(inner).into_iter().map(|(key, value)| item(&key, value, lines)).collect();
                document.tables.push(Table { name: key.into_inner().into_owned(), place, items });
            }
            other => document.top.push(Item { key: key.into_inner().into_owned(), raw: raw(other), place }),
        }
    }
    document
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
