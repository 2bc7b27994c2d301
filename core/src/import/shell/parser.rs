//! Where the parser stands, and what all its parts need.

use std::{cell::OnceCell, rc::Rc};

use super::{At, Item, List, Pipeline, Stop, Word};
use crate::finding::{Finding, Place};

/// Nobody writes commands further inside one another; the parser calls itself for each.
const DEEPEST: usize = 40;

/// A here-document whose body follows the line.
pub(super) struct Pending {
    pub(super) end: String,
    pub(super) quoted: bool,
    pub(super) tabs: bool,
    pub(super) body: Rc<OnceCell<Word>>,
    pub(super) at: At,
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) pos: usize,
    pub(super) line: u32,
    pub(super) file: &'a Rc<str>,
    pub(super) pending: Vec<Pending>,
    pub(super) depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, file: &'a Rc<str>, line: u32) -> Parser<'a> {
        Parser { text, pos: 0, line, file, pending: Vec::new(), depth: 0 }
    }

    /// All of it.
    pub(super) fn script(mut self) -> Result<List, Stop> {
        let list = self.list()?;
        match self.peek() {
            None => {
                if let Some(pending) = self.pending.first() {
                    let at = pending.at.clone();
                    return Err(self.wrong(&at, format!("the text after <<{} does not end", pending.end)));
                }
                Ok(list)
            }
            Some(_) => Err(self.unexpected()),
        }
    }

    pub(super) fn at(&self) -> At {
        At { file: self.file.clone(), line: self.line }
    }

    pub(super) fn wrong(&self, at: &At, text: impl Into<String>) -> Stop {
        Box::new(Finding::error(Some(at.place()), text))
    }

    /// What stands here stands wrong.
    pub(super) fn unexpected(&self) -> Stop {
        let word: String = self.rest().chars().take_while(|letter| !letter.is_whitespace()).take(20).collect();
        let text = match word.as_str() {
            "" => "this command is not complete where the line or the script ends".to_owned(),
            word => format!("{} makes no sense here", crate::argument::quoted(word)),
        };
        Box::new(Finding::error(Some(Place::new(&**self.file, self.line)), text))
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.pos..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn sees(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.pos += letter.len_utf8();
        if letter == '\n' {
            self.line += 1;
        }
        Some(letter)
    }

    /// Steps over `text` when it stands here; it has no line ends.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.sees(text);
        if found {
            self.pos += text.len();
        }
        found
    }

    /// One level further in; [`Parser::leave`] comes back.
    pub(super) fn enter(&mut self) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(&self.at(), "too many commands inside one another: this is not read"));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Over blanks, continued lines and a comment.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => _ = self.bump(),
                Some('\r') if self.sees("\r\n") => _ = self.bump(),
                Some('\\') if self.sees("\\\n") || self.sees("\\\r\n") => while self.bump() != Some('\n') {},
                Some('#') => {
                    let length = self.rest().find('\n').unwrap_or(self.rest().len());
                    self.pos += length;
                }
                _ => return,
            }
        }
    }

    /// Over a line end, and the here-documents that begin behind it.
    pub(super) fn newline(&mut self) -> Result<(), Stop> {
        self.bump();
        for pending in std::mem::take(&mut self.pending) {
            self.here(pending)?;
        }
        Ok(())
    }

    /// Over blanks and line ends.
    pub(super) fn lines(&mut self) -> Result<(), Stop> {
        loop {
            self.blanks();
            if self.peek() != Some('\n') {
                return Ok(());
            }
            self.newline()?;
        }
    }

    /// The word that stands here, when it is all plain letters; nothing is stepped over.
    pub(super) fn plain(&self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|letter: char| letter.is_whitespace() || ";&|<>()\"'`$\\".contains(letter));
        &rest[..end.unwrap_or(rest.len())]
    }

    /// Steps over a word like `then`.
    pub(super) fn keyword(&mut self, word: &str) -> Result<(), Stop> {
        self.lines()?;
        if self.plain() == word {
            self.pos += word.len();
            return Ok(());
        }
        let found = self.unexpected();
        Err(Box::new(Finding { text: format!("{}: `{word}` is missing before it", found.text), ..*found }))
    }

    /// Commands up to what ends them.
    pub(super) fn list(&mut self) -> Result<List, Stop> {
        const ENDS: [&str; 8] = ["then", "else", "elif", "fi", "do", "done", "esac", "}"];
        let mut items = Vec::new();
        loop {
            self.lines()?;
            let ended = self.sees(";;") || self.sees(";&") || matches!(self.peek(), None | Some(')'));
            if ended || ENDS.contains(&self.plain()) {
                return Ok(List(items));
            }
            let mut item = self.item()?;
            self.blanks();
            if self.sees("&") && !self.sees("&&") {
                self.bump();
                item.background = true;
            } else if self.sees(";") && !self.sees(";;") && !self.sees(";&") {
                self.bump();
            } else if !matches!(self.peek(), None | Some('\n' | ')')) && !self.sees(";") {
                return Err(self.unexpected());
            }
            items.push(item);
        }
    }

    fn item(&mut self) -> Result<Item, Stop> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.blanks();
            let both = self.eat("&&");
            if !both && !self.eat("||") {
                return Ok(Item { first, rest, background: false });
            }
            self.lines()?;
            rest.push((both, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, Stop> {
        let mut negated = false;
        while matches!(self.plain(), "!" | "time") {
            negated ^= self.plain() == "!";
            self.pos += self.plain().len();
            self.blanks();
        }
        let mut nodes = Vec::new();
        loop {
            nodes.push(self.node()?);
            self.blanks();
            if self.sees("||") || !self.eat("|") {
                return Ok(Pipeline { negated, nodes });
            }
            self.eat("&");
            self.lines()?;
        }
    }
}
