//! What a variable of a script holds: text, pieces that came from the environment, and holes where only running
//! something could tell.

use std::rc::Rc;

use crate::finding::Place;

/// What is not known, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) place: Place,
    /// To stand after "uses": `BASE_DIR, which is not set`.
    pub(super) why: String,
    /// The variable whose value, when it is given, fills the hole.
    pub(super) give: Option<String>,
    /// It is a variable that is not set: empty for a condition, never a value by itself.
    pub(super) unset: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Plain(String),
    /// A variable that the caller gave.
    Given {
        name: Rc<str>,
        value: Rc<str>,
    },
    Hole(Rc<Hole>),
}

/// A text. Pieces are not empty, and no two plain ones stand together: texts that say the same are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pieces: Vec<Piece>,
}

impl Text {
    pub(super) fn plain(text: impl Into<String>) -> Text {
        let mut out = Text::default();
        out.push_str(&text.into());
        out
    }

    pub(super) fn hole(hole: Rc<Hole>) -> Text {
        Text { pieces: vec![Piece::Hole(hole)] }
    }

    pub(super) fn given(name: &str, value: &str) -> Text {
        let mut out = Text::default();
        out.push(Piece::Given { name: name.into(), value: value.into() });
        out
    }

    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    pub(super) fn push_str(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Plain(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.pieces.push(Piece::Plain(text.to_owned())),
        }
    }

    pub(super) fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Plain(text) => self.push_str(&text),
            Piece::Given { value, .. } if value.is_empty() => {}
            piece => self.pieces.push(piece),
        }
    }

    pub(super) fn extend(&mut self, text: Text) {
        text.pieces.into_iter().for_each(|piece| self.push(piece));
    }

    /// The whole of it as a value.
    pub(super) fn known(&self) -> Result<String, Rc<Hole>> {
        self.resolve(false)
    }

    /// The whole of it as a condition sees it: what is not set is empty.
    pub(super) fn seen(&self) -> Result<String, Rc<Hole>> {
        self.resolve(true)
    }

    fn resolve(&self, seen: bool) -> Result<String, Rc<Hole>> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(text) => out.push_str(text),
                Piece::Given { value, .. } => out.push_str(value),
                Piece::Hole(hole) if seen && hole.unset => {}
                Piece::Hole(hole) => return Err(hole.clone()),
            }
        }
        Ok(out)
    }

    /// The first hole.
    pub(super) fn first_hole(&self) -> Option<&Rc<Hole>> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Hole(hole) => Some(hole),
            _ => None,
        })
    }

    /// A measure of its size, in bytes.
    pub(super) fn size(&self) -> usize {
        let sizes = self.pieces.iter().map(|piece| match piece {
            Piece::Plain(text) => text.len(),
            Piece::Given { value, .. } => value.len(),
            Piece::Hole(_) => 16,
        });
        sizes.sum()
    }

    /// Without the line ends at its end, as `$(...)` gives it.
    pub(super) fn without_line_ends(mut self) -> Text {
        if let Some(Piece::Plain(text)) = self.pieces.last_mut() {
            text.truncate(text.trim_end_matches('\n').len());
            if text.is_empty() {
                self.pieces.pop();
            }
        }
        self
    }

    /// Its fields, as the shell splits what is not quoted. A given variable stays one where nothing in it splits.
    pub(super) fn split(&self, separators: &str) -> Vec<Text> {
        let mut fields = Vec::new();
        let mut field: Option<Text> = None;
        let is_separator = |letter: char| separators.contains(letter);
        for piece in &self.pieces {
            let text = match piece {
                Piece::Plain(text) => text.as_str(),
                Piece::Given { value, .. } if value.contains(is_separator) => value,
                whole => {
                    field.get_or_insert_default().push(whole.clone());
                    continue;
                }
            };
            for (at, part) in text.split(is_separator).enumerate() {
                if at > 0 {
                    fields.extend(field.take());
                }
                if !part.is_empty() {
                    field.get_or_insert_default().push_str(part);
                }
            }
        }
        fields.extend(field);
        fields
    }
}

/// A text that stands by itself: an element of an array, an argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) text: Text,
    /// Where it is written.
    pub(super) place: Place,
    /// The array through which it came last.
    pub(super) from: Option<Rc<str>>,
}

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    One(Text),
    Many(Rc<Vec<Field>>),
}
