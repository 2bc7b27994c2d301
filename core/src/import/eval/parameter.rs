//! What `${...}` gives.

use super::{
    super::{
        shell::{At, Change, Index, Replace, Stop, Variable, Word},
        value::{Field, Held, Piece, Text},
    },
    Shell,
    pattern::Pattern,
};
use crate::finding::Finding;

/// The value of a variable.
pub(super) enum Found {
    One(Text),
    Many(Vec<Field>),
    /// Another word stands for it.
    Word(Word),
}

impl Shell<'_> {
    pub(super) fn variable(&mut self, variable: &Variable, at: &At) -> Result<Found, Stop> {
        self.spend(1, at)?;
        let name = variable.name.as_str();
        let held = match name {
            "@" => Some(Held::Many(
                self.state.frames.last().map(|frame| frame.arguments.clone()).unwrap_or_default().into(),
            )),
            name => self.look_up(name, at),
        };
        let found = match (&variable.index, held) {
            (Index::Each | Index::Joined, Some(Held::Many(fields))) => Some(Found::Many(fields.to_vec())),
            (Index::Each | Index::Joined, Some(Held::One(text))) => {
                let field = Field { text, place: at.place(), from: Some(name.into()) };
                Some(Found::Many(vec![field]))
            }
            (Index::First, Some(Held::One(text))) => Some(Found::One(text)),
            (Index::First, Some(Held::Many(fields))) => fields.first().map(|field| Found::One(field.text.clone())),
            (Index::At(word), Some(held)) => {
                let fields = match held {
                    Held::One(text) => vec![Field { text, place: at.place(), from: None }].into(),
                    Held::Many(fields) => fields,
                };
                match self.sum(word, false)? {
                    Ok(number) => {
                        let number = number.unwrap_or(0);
                        let number = if number < 0 { number + fields.len() as i64 } else { number };
                        let field = usize::try_from(number).ok().and_then(|number| fields.get(number));
                        field.map(|field| Found::One(field.text.clone()))
                    }
                    Err(hole) => Some(Found::One(Text::hole(hole))),
                }
            }
            (_, None) => None,
        };
        if variable.length {
            return Ok(Found::One(match found {
                Some(Found::Many(fields)) => Text::plain(fields.len().to_string()),
                Some(Found::One(text)) => match text.seen() {
                    Ok(text) => Text::plain(text.chars().count().to_string()),
                    Err(hole) => Text::hole(hole),
                },
                Some(Found::Word(_)) | None => Text::plain("0"),
            }));
        }
        match &variable.change {
            None => Ok(found.unwrap_or_else(|| self.nothing(variable, at))),
            Some(Change::Default { sign, empty, word }) => self.default(found, variable, (*sign, *empty), word, at),
            Some(change) => Ok(match found {
                Some(Found::One(text)) => Found::One(self.changed(text, change, at)?),
                Some(Found::Many(mut fields)) => {
                    if let Change::Slice { from, length } = change {
                        return self.part_of(fields, from, length.as_ref());
                    }
                    for field in &mut fields {
                        field.text = self.changed(std::mem::take(&mut field.text), change, at)?;
                    }
                    Found::Many(fields)
                }
                Some(Found::Word(_)) | None => self.nothing(variable, at),
            }),
        }
    }

    /// A variable that is not set: a list of nothing is nothing, which is said; a text is a hole.
    fn nothing(&mut self, variable: &Variable, at: &At) -> Found {
        let name = variable.name.as_str();
        if !matches!(variable.index, Index::Each | Index::Joined) {
            return Found::One(self.unset(name, at));
        }
        if name != "@" && !self.state.variables.contains_key(name) {
            let text = format!("{name} is not set: nothing is taken from it");
            self.note(Finding::warning(Some(at.place()), text));
        }
        Found::Many(Vec::new())
    }

    fn default(
        &mut self,
        found: Option<Found>,
        variable: &Variable,
        (sign, empty): (char, bool),
        word: &Word,
        at: &At,
    ) -> Result<Found, Stop> {
        let missing = match &found {
            None => true,
            Some(Found::Many(fields)) => fields.is_empty(),
            Some(Found::One(text)) => {
                let unset = |piece: &Piece| matches!(piece, Piece::Hole(hole) if hole.unset);
                empty && text.pieces().iter().all(unset)
            }
            Some(Found::Word(_)) => false,
        };
        // What is open may also be empty: then neither side can be told.
        let open = match &found {
            Some(Found::One(text)) if !missing => text.seen().err().filter(|_| empty),
            _ => None,
        };
        Ok(match (sign, missing) {
            (_, false) if open.is_some() => match open {
                Some(hole) => Found::One(Text::hole(hole)),
                None => Found::One(Text::default()),
            },
            ('+', true) => Found::One(Text::default()),
            ('+', false) => Found::Word(word.clone()),
            (_, false) => found.unwrap_or_else(|| self.nothing(variable, at)),
            ('=', true) => {
                let text = self.text(word)?;
                self.assign(&variable.name, Held::One(text.clone()), at)?;
                Found::One(text)
            }
            ('?', true) => self.nothing(variable, at),
            (_, true) => Found::Word(word.clone()),
        })
    }

    fn part_of(&mut self, fields: Vec<Field>, from: &Word, length: Option<&Word>) -> Result<Found, Stop> {
        let from = self.sum(from, false)?;
        let length = length.map(|length| self.sum(length, false)).transpose()?;
        Ok(match (from, length.transpose()) {
            (Ok(from), Ok(length)) => {
                let (start, end) = range(fields.len(), from.unwrap_or(0), length.flatten());
                Found::Many(fields[start..end].to_vec())
            }
            (Err(hole), _) | (_, Err(hole)) => Found::One(Text::hole(hole)),
        })
    }

    /// A text with something cut, replaced, or in other letters.
    fn changed(&mut self, text: Text, change: &Change, at: &At) -> Result<Text, Stop> {
        if let Some(hole) = text.first_hole() {
            return Ok(Text::hole(hole.clone()));
        }
        let text = text.seen().unwrap_or_default();
        let pattern = match change {
            Change::Cut { pattern, .. } | Change::Replace { pattern, .. } => match self.pattern(pattern)? {
                Ok(pattern) => pattern,
                Err(hole) => return Ok(Text::hole(hole)),
            },
            Change::Default { .. } | Change::Slice { .. } | Change::Case { .. } => Pattern::default(),
        };
        Ok(Text::plain(match change {
            Change::Cut { end, longest, .. } => self.cut(&text, &pattern, *end, *longest, at)?,
            Change::Replace { how, with, .. } => match self.text(with)?.known() {
                Ok(with) => self.replaced(&text, &pattern, *how, &with, at)?,
                Err(hole) => return Ok(Text::hole(hole)),
            },
            Change::Slice { from, length } => {
                let from = self.sum(from, false)?;
                let length = length.as_ref().map(|length| self.sum(length, false)).transpose()?;
                match (from, length.transpose()) {
                    (Ok(from), Ok(length)) => {
                        let letters: Vec<char> = text.chars().collect();
                        let (start, end) = range(letters.len(), from.unwrap_or(0), length.flatten());
                        letters[start..end].iter().collect()
                    }
                    (Err(hole), _) | (_, Err(hole)) => return Ok(Text::hole(hole)),
                }
            }
            Change::Case { upper, all } => {
                let change = |text: &str| if *upper { text.to_uppercase() } else { text.to_lowercase() };
                let first = text.chars().next().map_or(0, char::len_utf8);
                if *all { change(&text) } else { change(&text[..first]) + &text[first..] }
            }
            Change::Default { .. } => text,
        }))
    }

    fn cut(&mut self, text: &str, pattern: &Pattern, end: bool, longest: bool, at: &At) -> Result<String, Stop> {
        let mut cuts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        // From the smallest cut to the greatest, or the other way round.
        if end != longest {
            cuts.reverse();
        }
        for cut in cuts {
            let (before, after) = text.split_at(cut);
            let (gone, kept) = if end { (after, before) } else { (before, after) };
            if self.matches(pattern, gone, at)? {
                return Ok(kept.to_owned());
            }
        }
        Ok(text.to_owned())
    }

    fn replaced(&mut self, text: &str, pattern: &Pattern, how: Replace, with: &str, at: &At) -> Result<String, Stop> {
        let mut out = String::new();
        let mut start = 0;
        while start <= text.len() {
            let ends: Vec<usize> = (start..=text.len()).rev().filter(|end| text.is_char_boundary(*end)).collect();
            let mut found = None;
            for end in ends {
                let fits = how != Replace::End || end == text.len();
                if fits && end > start && self.matches(pattern, &text[start..end], at)? {
                    found = Some(end);
                    break;
                }
            }
            match found {
                Some(end) => {
                    out.push_str(with);
                    start = end;
                    if how != Replace::All {
                        break;
                    }
                }
                None if how == Replace::Start => break,
                None => {
                    let Some(letter) = text[start..].chars().next() else { break };
                    out.push(letter);
                    start += letter.len_utf8();
                }
            }
        }
        out.push_str(text.get(start..).unwrap_or_default());
        Ok(out)
    }
}

/// Where a slice begins and ends; what is negative counts from the end.
fn range(size: usize, from: i64, length: Option<i64>) -> (usize, usize) {
    let size = size as i64;
    let place = |number: i64| if number < 0 { number.saturating_add(size).max(0) } else { number.min(size) };
    let start = place(from);
    let end = match length {
        None => size,
        Some(length) if length < 0 => place(length),
        Some(length) => start.saturating_add(length).min(size),
    };
    (start as usize, end.max(start) as usize)
}
