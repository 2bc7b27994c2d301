//! Patterns: `*`, `?`, `[...]`.

use std::rc::Rc;

use super::{
    super::{
        shell::{At, Part, Stop, Word},
        value::Hole,
    },
    Shell,
};

#[derive(Debug)]
enum Piece {
    Letter(char),
    Any,
    Many,
    /// Letters and ranges of letters; whether all others are meant.
    Set(Vec<(char, char)>, bool),
}

#[derive(Debug, Default)]
pub(super) struct Pattern(Vec<Piece>);

impl Shell<'_> {
    /// A word as a pattern: what is quoted in it stands for itself.
    pub(super) fn pattern(&mut self, word: &Word) -> Result<Result<Pattern, Rc<Hole>>, Stop> {
        let mut letters: Vec<(char, bool)> = Vec::new();
        for part in &word.parts {
            let quoted = matches!(part, Part::Quoted(_) | Part::Double(_));
            let text = self.text(&Word { parts: vec![part.clone()], at: word.at.clone() })?;
            match self.seen(&text) {
                Ok(text) => letters.extend(text.chars().map(|letter| (letter, quoted))),
                Err(hole) => return Ok(Err(hole)),
            }
        }
        Ok(Ok(read(&letters)))
    }

    /// Whether a pattern fits all of a text.
    pub(super) fn matches(&mut self, pattern: &Pattern, text: &str, at: &At) -> Result<bool, Stop> {
        self.spend(1 + pattern.0.len() * text.len() / 64, at)?;
        Ok(fits(&pattern.0, &text.chars().collect::<Vec<_>>()))
    }
}

fn read(letters: &[(char, bool)]) -> Pattern {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(&(letter, quoted)) = letters.get(at) {
        at += 1;
        pieces.push(match letter {
            '*' if !quoted => Piece::Many,
            '?' if !quoted => Piece::Any,
            '[' if !quoted => match set(&letters[at..]) {
                Some((piece, length)) => {
                    at += length;
                    piece
                }
                None => Piece::Letter('['),
            },
            letter => Piece::Letter(letter),
        });
    }
    Pattern(pieces)
}

/// What stands behind a bracket, and how long it is with the closing one.
fn set(letters: &[(char, bool)]) -> Option<(Piece, usize)> {
    let not = matches!(letters.first(), Some(('!' | '^', false)));
    let start = usize::from(not);
    // The first letter may be a bracket itself.
    let end = start + 1 + letters.get(start + 1..)?.iter().position(|(letter, quoted)| *letter == ']' && !quoted)?;
    let inner: Vec<char> = letters[start..end].iter().map(|(letter, _)| *letter).collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(&from) = inner.get(at) {
        match inner.get(at + 1..at + 3) {
            Some(&['-', to]) => {
                ranges.push((from, to));
                at += 3;
            }
            _ => {
                ranges.push((from, from));
                at += 1;
            }
        }
    }
    Some((Piece::Set(ranges, not), end + 1))
}

/// Goes back to the last `*` only, so that it takes the product of both lengths at most.
fn fits(pieces: &[Piece], text: &[char]) -> bool {
    let (mut piece, mut letter) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while letter < text.len() {
        let one = match pieces.get(piece) {
            Some(Piece::Many) => {
                star = Some((piece, letter));
                piece += 1;
                continue;
            }
            Some(Piece::Any) => true,
            Some(Piece::Letter(wanted)) => *wanted == text[letter],
            Some(Piece::Set(ranges, not)) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&text[letter])) != *not
            }
            None => false,
        };
        match star {
            _ if one => {
                piece += 1;
                letter += 1;
            }
            Some((at, from)) => {
                star = Some((at, from + 1));
                (piece, letter) = (at + 1, from + 1);
            }
            None => return false,
        }
    }
    pieces[piece..].iter().all(|piece| matches!(piece, Piece::Many))
}
