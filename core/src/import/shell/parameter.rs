//! `$NAME` and `${...}`.

use super::{At, Change, Index, Part, Replace, Stop, Variable, Word, is_name, parser::Parser, word::Ends};

impl Parser<'_> {
    /// The name after a dollar sign without a brace.
    pub(super) fn bare(&mut self) -> Option<Part> {
        let name = self.name(false)?;
        let (index, name) = star(name);
        Some(Part::Variable(Box::new(Variable { name, index, length: false, change: None })))
    }

    fn name(&mut self, braces: bool) -> Option<String> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        let length = match first {
            '@' | '*' | '#' | '?' | '-' | '$' | '!' => 1,
            '0'..='9' if braces => rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len()),
            '0'..='9' => 1,
            _ => {
                let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
                let end = end.unwrap_or(rest.len());
                if !is_name(&rest[..end]) {
                    return None;
                }
                end
            }
        };
        self.pos += length;
        Some(rest[..length].to_owned())
    }

    /// What stands in braces; the opening one is stepped over already, the closing one will be.
    pub(super) fn parameter(&mut self, quoted: bool, at: &At) -> Result<Part, Stop> {
        if self.sees("!") && !self.sees("!}") {
            self.parts(Ends::Brace(quoted))?;
            self.bump();
            return Ok(Part::Unread("a variable named by another"));
        }
        let length = self.sees("#") && !self.sees("#}");
        if length {
            self.bump();
        }
        let Some(name) = self.name(true) else {
            return Err(self.wrong(at, "this ${ names no variable"));
        };
        let (mut index, name) = star(name);
        if self.eat("[") {
            index = self.index(at)?;
        }
        let change = match self.peek() {
            Some('}') => None,
            Some('@') => {
                self.parts(Ends::Brace(quoted))?;
                self.bump();
                return Ok(Part::Unread("a ${...@...}"));
            }
            Some(_) if length => return Err(self.unexpected()),
            _ => Some(self.change(quoted, at)?),
        };
        if !self.eat("}") {
            return Err(match self.peek() {
                None => self.wrong(at, "the ${ that opens here is not closed"),
                Some(_) => self.unexpected(),
            });
        }
        Ok(Part::Variable(Box::new(Variable { name, index, length, change })))
    }

    fn index(&mut self, at: &At) -> Result<Index, Stop> {
        let rest = self.rest();
        let mut open = 0usize;
        for (end, letter) in rest.char_indices() {
            match letter {
                '[' => open += 1,
                ']' if open > 0 => open -= 1,
                ']' => {
                    self.pos += end + 1;
                    return Ok(match &rest[..end] {
                        "@" => Index::Each,
                        "*" => Index::Joined,
                        text => Index::At(self.inner(text, at)?),
                    });
                }
                '\n' => break,
                _ => {}
            }
        }
        Err(self.wrong(at, "the [ that opens here is not closed"))
    }

    fn change(&mut self, quoted: bool, at: &At) -> Result<Change, Stop> {
        let empty = self.eat(":");
        if let Some(sign) = self.peek().filter(|sign| "-=?+".contains(*sign)) {
            // `${x: -1}` is a slice: the blank is what tells.
            self.bump();
            return Ok(Change::Default { sign, empty, word: self.inside(Ends::Brace(quoted))? });
        }
        if empty {
            let text = self.inside(Ends::Brace(true))?;
            return self.slice(text, at);
        }
        let change = if self.eat("##") {
            Change::Cut { end: false, longest: true, pattern: self.inside(Ends::Brace(false))? }
        } else if self.eat("#") {
            Change::Cut { end: false, longest: false, pattern: self.inside(Ends::Brace(false))? }
        } else if self.eat("%%") {
            Change::Cut { end: true, longest: true, pattern: self.inside(Ends::Brace(false))? }
        } else if self.eat("%") {
            Change::Cut { end: true, longest: false, pattern: self.inside(Ends::Brace(false))? }
        } else if self.eat("/") {
            let how = match self.peek() {
                Some('/') => Replace::All,
                Some('#') => Replace::Start,
                Some('%') => Replace::End,
                _ => Replace::First,
            };
            if how != Replace::First {
                self.bump();
            }
            let pattern = self.inside(Ends::Slash(false))?;
            let with = if self.eat("/") { self.inside(Ends::Brace(quoted))? } else { self.inside(Ends::Slash(false))? };
            Change::Replace { how, pattern, with }
        } else if let Some(sign) = self.peek().filter(|sign| "^,".contains(*sign)) {
            self.bump();
            let all = self.eat(if sign == '^' { "^" } else { "," });
            Change::Case { upper: sign == '^', all }
        } else {
            return Err(self.unexpected());
        };
        Ok(change)
    }

    fn slice(&mut self, text: Word, at: &At) -> Result<Change, Stop> {
        // The parts are an expression each; a colon inside of a further ${...} is not between them.
        let mut halves: [Vec<Part>; 2] = Default::default();
        let mut half = 0;
        for part in text.parts {
            match part {
                Part::Text(text) if half == 0 && text.contains(':') => {
                    let (before, after) = text.split_once(':').unwrap_or((&text, ""));
                    halves[0].push(Part::Text(before.to_owned()));
                    halves[1].push(Part::Text(after.to_owned()));
                    half = 1;
                }
                part => halves[half].push(part),
            }
        }
        let [from, length] = halves.map(|parts| Word { parts: vec![Part::Double(parts)], at: at.clone() });
        Ok(Change::Slice { from, length: (half == 1).then_some(length) })
    }

    fn inside(&mut self, ends: Ends) -> Result<Word, Stop> {
        let at = self.at();
        Ok(Word { parts: self.nested(ends)?, at })
    }
}

/// `$@` and `$*` are an array without a name.
fn star(name: String) -> (Index, String) {
    match name.as_str() {
        "@" => (Index::Each, name),
        "*" => (Index::Joined, "@".to_owned()),
        _ => (Index::First, name),
    }
}
