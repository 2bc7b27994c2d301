//! Assignments, words and redirections.

use std::{cell::OnceCell, rc::Rc};

use super::{
    Argument, Assign, Assigned, At, Command, Redirect, Stop, To, Word, is_name,
    parser::{Parser, Pending},
    word::Ends,
};

/// After these, an argument may be an assignment.
const DECLARE: [&str; 5] = ["export", "local", "declare", "typeset", "readonly"];

impl Parser<'_> {
    pub(super) fn simple(&mut self) -> Result<(Command, Vec<Redirect>), Stop> {
        let (mut assigns, mut words, mut redirects) = (Vec::new(), Vec::<Argument>::new(), Vec::new());
        loop {
            self.blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            let first = words.first().and_then(Argument::word).and_then(Word::literal);
            let declares = first.is_some_and(|name| DECLARE.contains(&name));
            if (words.is_empty() || declares)
                && let Some(assign) = self.assign()?
            {
                if declares {
                    words.push(Argument::Assign(assign))
                } else {
                    assigns.push(assign)
                }
                continue;
            }
            match self.word()? {
                Some(word) => words.push(Argument::Word(word)),
                None => break,
            }
        }
        if self.sees("(") || (assigns.is_empty() && words.is_empty() && redirects.is_empty()) {
            return Err(self.unexpected());
        }
        Ok((Command::Simple { assigns, words }, redirects))
    }

    fn assign(&mut self) -> Result<Option<Assign>, Stop> {
        let (rest, at) = (self.rest(), self.at());
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        let name = &rest[..end];
        if !is_name(name) {
            return Ok(None);
        }
        let mut after = &rest[end..];
        let mut index = None;
        if let Some(inner) = after.strip_prefix('[') {
            let Some((text, behind)) = inner.split_once(']').filter(|(text, _)| !text.contains(['\n', ' '])) else {
                return Ok(None);
            };
            index = Some(text);
            after = behind;
        }
        let append = after.starts_with("+=");
        let Some(value) = after.strip_prefix(if append { "+=" } else { "=" }) else { return Ok(None) };
        let index = index.map(|text| self.inner(text, &at)).transpose()?;
        self.pos = self.text.len() - value.len();
        let value = if index.is_none() && self.eat("(") {
            Assigned::Many(self.elements(&at)?)
        } else {
            Assigned::One(self.word()?.unwrap_or(Word { parts: Vec::new(), at: at.clone() }))
        };
        Ok(Some(Assign { name: name.to_owned(), index, append, value, at }))
    }

    fn elements(&mut self, at: &At) -> Result<Vec<Word>, Stop> {
        let mut words = Vec::new();
        loop {
            self.lines()?;
            if self.eat(")") {
                return Ok(words);
            }
            match self.word()? {
                Some(word) => words.push(word),
                None if self.peek().is_none() => {
                    return Err(self.wrong(at, "the array that begins here does not end: `)` is missing"));
                }
                None => return Err(self.unexpected()),
            }
        }
    }

    pub(super) fn redirect(&mut self) -> Result<Option<Redirect>, Stop> {
        let rest = self.rest();
        let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let sign = &rest[digits..];
        if digits == 0 && (sign.starts_with("<(") || sign.starts_with(">(")) {
            return Ok(None);
        }
        let both = digits == 0 && sign.starts_with("&>");
        if digits > 4 || !(both || sign.starts_with(['<', '>'])) {
            return Ok(None);
        }
        let from = rest[..digits].parse().ok();
        self.pos += digits;
        let at = self.at();
        if self.sees("<<") && !self.sees("<<<") {
            return self.here_begins(from, &at).map(Some);
        }
        let signs = ["<<<", "&>>", "&>", ">>", ">&", "<&", "<>", ">|", "<", ">"];
        let sign = signs.into_iter().find(|sign| self.sees(sign)).unwrap_or(">");
        self.pos += sign.len();
        self.blanks();
        let word = self.word()?.ok_or_else(|| self.unexpected())?;
        let to = match sign {
            "<<<" => To::Text(word),
            "<" | "<>" => To::Input(word),
            ">&" | "<&" => To::Copy(word),
            _ => To::File(word),
        };
        let from = from.or(Some(u32::from(!matches!(sign, "<<<" | "<" | "<>" | "<&"))));
        Ok(Some(Redirect { from, to }))
    }

    fn here_begins(&mut self, from: Option<u32>, at: &At) -> Result<Redirect, Stop> {
        self.pos += 2;
        let tabs = self.eat("-");
        self.blanks();
        let start = self.pos;
        if self.word()?.is_none() {
            return Err(self.unexpected());
        }
        let written = &self.text[start..self.pos];
        let end: String = written.chars().filter(|letter| !"'\"\\".contains(*letter)).collect();
        let body = Rc::new(OnceCell::new());
        let quoted = end.len() != written.len();
        self.pending.push(Pending { end, quoted, tabs, body: body.clone(), at: at.clone() });
        Ok(Redirect { from: from.or(Some(0)), to: To::Here(body) })
    }

    /// The body of a here-document; it begins on this line.
    pub(super) fn here(&mut self, pending: Pending) -> Result<(), Stop> {
        let at = self.at();
        let mut text = String::new();
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                return Err(self.wrong(&pending.at, format!("the text after <<{} does not end", pending.end)));
            }
            let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
            let line = &rest[..length];
            self.pos += length;
            self.line += u32::from(line.ends_with('\n'));
            let line = if pending.tabs { line.trim_start_matches('\t') } else { line };
            if line.trim_end_matches(['\n', '\r']) == pending.end {
                break;
            }
            text.push_str(line);
        }
        let parts = if pending.quoted {
            vec![super::Part::Quoted(text)]
        } else {
            let mut inner = Parser { depth: self.depth, ..Parser::new(&text, self.file, at.line) };
            inner.parts(Ends::Text)?
        };
        // Set once, here.
        let _ = pending.body.set(Word { parts: vec![super::Part::Double(parts)], at });
        Ok(())
    }
}
