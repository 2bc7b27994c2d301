//! Dictionaries as Python prints them. JSON they are not: single quotes, `nan`, `None`, `np.float64(0.25)`.

use std::borrow::Cow;

use super::{cursor::decimal, text};

/// A value of a dictionary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A number, a truth value, or a number in the clothes of numpy or torch.
    Number(f64),
    /// A string, escapes left as they are.
    Text(&'a [u8]),
    /// Anything else: `None`, a list, an object.
    Other,
}

/// The entries of a dictionary, in the order printed. A dictionary that is cut off gives the entries that are whole.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Items<'a> {
    /// Reads on from behind the opening brace.
    pub fn new(behind_brace: &'a [u8]) -> Items<'a> {
        Items { rest: behind_brace }
    }

    /// The first key, when it is a string. Its value is not looked at.
    pub(super) fn first_key(&self) -> Option<&'a [u8]> {
        let mut ahead = self.clone();
        ahead.rest = ahead.rest.trim_ascii_start();
        matches!(ahead.rest.first()?, b'\'' | b'"').then(|| ahead.quoted()).flatten()
    }

    /// The entry here; `None` where the dictionary ends or stops being one.
    fn entry(&mut self) -> Option<(&'a [u8], Value<'a>)> {
        let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        let start = self.rest.iter().position(|byte| !blank(byte))?;
        self.rest = &self.rest[start..];
        let key = match self.rest.first()? {
            b'}' => return None,
            b'\'' | b'"' => self.quoted()?,
            _ => self.skip(b':')?,
        };
        self.rest = self.rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        Some((key, self.value()?))
    }

    fn value(&mut self) -> Option<Value<'a>> {
        if matches!(self.rest.first()?, b'\'' | b'"') {
            return self.quoted().map(Value::Text);
        }
        let word = self.word();
        let value = match self.rest.trim_ascii_start().first()? {
            b',' | b'}' => number(word),
            // The wrapper's name does not matter: the first thing in it is the number, or it is none.
            b'(' if !word.is_empty() => {
                let mut inside = Items { rest: self.rest.trim_ascii_start()[1..].trim_ascii_start() };
                let inner = inside.word();
                matches!(inside.rest.trim_ascii_start().first()?, b',' | b')').then(|| number(inner)).flatten()
            }
            _ => None,
        };
        self.skip(b',')?;
        Some(value.map_or(Value::Other, Value::Number))
    }

    fn word(&mut self) -> &'a [u8] {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-');
        let end = self.rest.iter().position(|byte| !is_word(byte)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// The inside of the quotes that begin here.
    fn quoted(&mut self) -> Option<&'a [u8]> {
        let (quote, inside) = self.rest.split_first()?;
        let mut escaped = false;
        let end = inside.iter().position(|byte| {
            let ends = byte == quote && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        })?;
        self.rest = &inside[end + 1..];
        Some(&inside[..end])
    }

    /// Goes to the next `stop` or closing bracket that is not inside of something.
    fn skip(&mut self, stop: u8) -> Option<&'a [u8]> {
        let from = self.rest;
        let mut depth = 0usize;
        loop {
            match *self.rest.first()? {
                b'\'' | b'"' => {
                    self.quoted()?;
                    continue;
                }
                byte if depth == 0 && (byte == stop || matches!(byte, b',' | b'}')) => break,
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.rest = &self.rest[1..];
        }
        Some(&from[..from.len() - self.rest.len()])
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entry();
        if entry.is_none() {
            self.rest = &[];
        }
        entry
    }
}

fn number(word: &[u8]) -> Option<f64> {
    match word {
        b"True" => Some(1.0),
        b"False" => Some(0.0),
        _ => decimal(word),
    }
}

/// The numbers of a dictionary by name.
#[derive(Clone, Debug)]
pub struct Values<'a>(pub(super) Items<'a>);

impl<'a> Iterator for Values<'a> {
    type Item = (Cow<'a, str>, f64);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.find_map(|(key, value)| match value {
            Value::Number(number) => Some((text(key), number)),
            Value::Text(_) | Value::Other => None,
        })
    }
}
