//! A word, piece by piece.

use super::{At, Part, Stop, Word, parser::Parser};

/// Where pieces end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// At a blank, or a sign of the language.
    Word,
    /// At the double quote.
    Quote,
    /// At the brace; whether double quotes are around.
    Brace(bool),
    /// At the slash or the brace.
    Slash(bool),
    /// Nowhere before the end of the text.
    Text,
    /// A regular expression: at a blank.
    Blank,
}

impl Ends {
    fn quoted(self) -> bool {
        matches!(self, Ends::Quote | Ends::Text | Ends::Brace(true) | Ends::Slash(true))
    }

    fn here(self, letter: char) -> bool {
        match self {
            Ends::Word => letter.is_whitespace() || ";&|<>()".contains(letter),
            Ends::Quote => letter == '"',
            Ends::Brace(_) => letter == '}',
            Ends::Slash(_) => letter == '}' || letter == '/',
            Ends::Blank => letter.is_whitespace(),
            Ends::Text => false,
        }
    }
}

impl<'a> Parser<'a> {
    /// The word that begins here, if one does.
    pub(super) fn word(&mut self) -> Result<Option<Word>, Stop> {
        let at = self.at();
        if self.eat("<(") || self.eat(">(") {
            self.substitution(&at)?;
            return Ok(Some(Word { parts: vec![Part::Unread("a process substitution")], at }));
        }
        let start = self.pos;
        let parts = self.parts(Ends::Word)?;
        Ok((self.pos > start).then_some(Word { parts, at }))
    }

    /// A text inside a word, like an index; it has no ends of its own.
    pub(super) fn inner(&self, text: &str, at: &At) -> Result<Word, Stop> {
        let mut inner = Parser { depth: self.depth + 1, ..Parser::new(text, self.file, at.line) };
        if inner.depth > 40 {
            return Err(self.wrong(at, "too much inside one another: this is not read"));
        }
        Ok(Word { parts: vec![Part::Double(inner.parts(Ends::Text)?)], at: at.clone() })
    }

    /// Pieces up to where they end, which is not stepped over.
    pub(super) fn parts(&mut self, ends: Ends) -> Result<Vec<Part>, Stop> {
        let begin = self.at();
        let mut parts = Vec::new();
        let mut text = String::new();
        loop {
            let Some(letter) = self.peek() else {
                if matches!(ends, Ends::Word | Ends::Text | Ends::Blank) {
                    break;
                }
                let what = if ends == Ends::Quote { "the double quote" } else { "the ${" };
                return Err(self.wrong(&begin, format!("{what} that opens here is not closed")));
            };
            if ends.here(letter) {
                break;
            }
            let part = match letter {
                '\\' => {
                    self.bump();
                    match self.peek() {
                        Some('\n') => _ = self.bump(),
                        Some(next) if !ends.quoted() || "$`\"\\".contains(next) => {
                            self.bump();
                            flush(&mut text, &mut parts);
                            parts.push(Part::Quoted(next.to_string()));
                        }
                        _ => text.push('\\'),
                    }
                    continue;
                }
                '\'' if !ends.quoted() => self.single()?,
                '"' if ends != Ends::Text => {
                    self.bump();
                    let inner = self.nested(Ends::Quote)?;
                    self.bump();
                    Part::Double(inner)
                }
                '`' => self.backticks()?,
                '$' => match self.dollar(ends.quoted())? {
                    Some(part) => part,
                    None => {
                        text.push('$');
                        continue;
                    }
                },
                _ => {
                    self.bump();
                    text.push(letter);
                    continue;
                }
            };
            flush(&mut text, &mut parts);
            parts.push(part);
        }
        flush(&mut text, &mut parts);
        Ok(parts)
    }

    pub(super) fn nested(&mut self, ends: Ends) -> Result<Vec<Part>, Stop> {
        self.enter()?;
        let parts = self.parts(ends)?;
        self.leave();
        Ok(parts)
    }

    fn single(&mut self) -> Result<Part, Stop> {
        let begin = self.at();
        self.bump();
        let start = self.pos;
        loop {
            match self.bump() {
                Some('\'') => return Ok(Part::Quoted(self.text[start..self.pos - 1].to_owned())),
                Some(_) => {}
                None => return Err(self.wrong(&begin, "the single quote that opens here is not closed")),
            }
        }
    }

    /// `$'...'`.
    fn escaped(&mut self) -> Result<Part, Stop> {
        let begin = self.at();
        self.pos += 2;
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('\'') => return Ok(Part::Quoted(text)),
                Some('\\') => match self.bump() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(letter @ ('\\' | '\'' | '"')) => text.push(letter),
                    _ => return Err(self.wrong(&begin, "of $'...' only \\n, \\t, \\r, \\\\ and quotes are read")),
                },
                Some(letter) => text.push(letter),
                None => return Err(self.wrong(&begin, "the single quote that opens here is not closed")),
            }
        }
    }

    fn backticks(&mut self) -> Result<Part, Stop> {
        let begin = self.at();
        self.bump();
        let mut inner = String::new();
        loop {
            match self.bump() {
                Some('`') => break,
                Some('\\') => match self.bump() {
                    Some(letter @ ('`' | '$' | '\\')) => inner.push(letter),
                    Some(letter) => inner.extend(['\\', letter]),
                    None => {}
                },
                Some(letter) => inner.push(letter),
                None => return Err(self.wrong(&begin, "the backtick that opens here is not closed")),
            }
        }
        self.enter()?;
        let list = Parser { depth: self.depth, ..Parser::new(&inner, self.file, begin.line) }.script()?;
        self.leave();
        let source = inner.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Part::Command(list.into(), source.chars().take(60).collect::<String>().into()))
    }

    /// What a dollar sign begins; `None` for the sign itself, which is stepped over.
    fn dollar(&mut self, quoted: bool) -> Result<Option<Part>, Stop> {
        let at = self.at();
        if !quoted && self.sees("$'") {
            return self.escaped().map(Some);
        }
        if self.eat("$((") {
            return Ok(Some(Part::Arithmetic(self.arithmetic(&at)?)));
        }
        if self.eat("$(") {
            let (list, source) = self.substitution(&at)?;
            return Ok(Some(Part::Command(list, source)));
        }
        if self.eat("${") {
            self.enter()?;
            let part = self.parameter(quoted, &at)?;
            self.leave();
            return Ok(Some(part));
        }
        self.bump();
        if !quoted && self.sees("\"") {
            // $"..." is an ordinary text here.
            self.bump();
            let inner = self.nested(Ends::Quote)?;
            self.bump();
            return Ok(Some(Part::Double(inner)));
        }
        Ok(self.bare())
    }

    /// An expression up to `))`, with its variables.
    pub(super) fn arithmetic(&mut self, at: &At) -> Result<Word, Stop> {
        let text = self.until_closed(at)?;
        self.inner(text, at)
    }

    /// Steps over an expression and the `))` behind it.
    pub(super) fn until_closed(&mut self, at: &At) -> Result<&'a str, Stop> {
        let start = self.pos;
        let mut open = 0usize;
        loop {
            match self.peek() {
                Some(')') if open == 0 && self.sees("))") => {
                    self.pos += 2;
                    return Ok(&self.text[start..self.pos - 2]);
                }
                Some(')') if open == 0 => return Err(self.unexpected()),
                Some(')') => open -= 1,
                Some('(') => open += 1,
                Some(_) => {}
                None => return Err(self.wrong(at, "the (( that opens here is not closed")),
            }
            self.bump();
        }
    }
}

fn flush(text: &mut String, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(std::mem::take(text)));
    }
}
