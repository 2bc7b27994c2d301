//! Commands with others inside.

use std::rc::Rc;

use super::{Argument, Arm, At, Command, List, Node, Stop, Word, parser::Parser};

/// As much of a command is kept for what is said about it.
const SHOWN: usize = 60;

impl Parser<'_> {
    /// A command with its redirections.
    pub(super) fn node(&mut self) -> Result<Node, Stop> {
        self.enter()?;
        let at = self.at();
        let start = self.pos;
        let (command, mut redirects) = self.command(&at)?;
        loop {
            self.blanks();
            match self.redirect()? {
                Some(redirect) => redirects.push(redirect),
                None => break,
            }
        }
        let source = shown(&self.text[start..self.pos]);
        self.leave();
        Ok(Node { command, redirects, at, source })
    }

    fn command(&mut self, at: &At) -> Result<(Command, Vec<super::Redirect>), Stop> {
        let command = if self.sees("((") {
            self.pos += 2;
            Command::Arithmetic(self.arithmetic(at)?)
        } else if self.eat("(") {
            let list = self.list()?;
            self.close(")", at)?;
            Command::Subshell(list)
        } else {
            let word = self.plain();
            match word {
                "{" | "if" | "for" | "while" | "until" | "case" | "function" | "[[" => {
                    self.pos += word.len();
                    match word {
                        "{" => {
                            let list = self.list()?;
                            self.keyword("}")?;
                            Command::Group(list)
                        }
                        "if" => self.condition()?,
                        "for" => self.for_loop(at)?,
                        "case" => self.case()?,
                        "function" => self.function()?,
                        "[[" => Command::Test(self.test()?),
                        _ => {
                            let condition = self.list()?;
                            Command::While { until: word == "until", condition, body: self.body()? }
                        }
                    }
                }
                "select" | "coproc" => return Err(self.wrong(at, format!("`{word}` is not read"))),
                _ if self.is_function() => self.function()?,
                _ => return self.simple(),
            }
        };
        Ok((command, Vec::new()))
    }

    fn close(&mut self, end: &str, at: &At) -> Result<(), Stop> {
        self.lines()?;
        if self.eat(end) {
            return Ok(());
        }
        match self.peek() {
            None => Err(self.wrong(at, format!("what begins here does not end: `{end}` is missing"))),
            Some(_) => Err(self.unexpected()),
        }
    }

    /// What stands in `$(...)`, up to its end.
    pub(super) fn substitution(&mut self, at: &At) -> Result<(Rc<List>, Rc<str>), Stop> {
        self.enter()?;
        let start = self.pos;
        let list = self.list()?;
        let source = shown(&self.text[start..self.pos]);
        self.close(")", at)?;
        self.leave();
        Ok((Rc::new(list), source))
    }

    fn condition(&mut self) -> Result<Command, Stop> {
        let mut arms = Vec::new();
        loop {
            let condition = self.list()?;
            self.keyword("then")?;
            arms.push((condition, self.list()?));
            match self.plain() {
                "elif" => self.pos += 4,
                "else" => {
                    self.pos += 4;
                    let other = self.list()?;
                    self.keyword("fi")?;
                    return Ok(Command::If { arms, other });
                }
                _ => {
                    self.keyword("fi")?;
                    return Ok(Command::If { arms, other: List::default() });
                }
            }
        }
    }

    fn body(&mut self) -> Result<List, Stop> {
        self.keyword("do")?;
        let body = self.list()?;
        self.keyword("done")?;
        Ok(body)
    }

    fn for_loop(&mut self, at: &At) -> Result<Command, Stop> {
        self.blanks();
        if self.eat("((") {
            let text = self.until_closed(at)?;
            let parts: Vec<&str> = text.split(';').collect();
            let [first, condition, step] = parts[..] else {
                return Err(self.wrong(at, "a counting loop is written for ((first; condition; step))"));
            };
            let [first, condition, step] = [first, condition, step].map(|text| self.inner(text, at));
            self.separator()?;
            return Ok(Command::Count { first: first?, condition: condition?, step: step?, body: self.body()? });
        }
        let name = self.plain().to_owned();
        if !is_name(&name) {
            return Err(self.unexpected());
        }
        self.pos += name.len();
        self.lines()?;
        let mut words = None;
        if self.plain() == "in" {
            self.pos += 2;
            let mut found = Vec::new();
            loop {
                self.blanks();
                match self.word()? {
                    Some(word) => found.push(word),
                    None => break,
                }
            }
            words = Some(found);
        }
        self.separator()?;
        Ok(Command::For { name, words, body: self.body()? })
    }

    fn separator(&mut self) -> Result<(), Stop> {
        self.blanks();
        self.eat(";");
        self.lines()
    }

    fn case(&mut self) -> Result<Command, Stop> {
        self.blanks();
        let word = self.word()?.ok_or_else(|| self.unexpected())?;
        self.keyword("in")?;
        let mut arms = Vec::new();
        loop {
            self.lines()?;
            if self.plain() == "esac" {
                self.pos += 4;
                return Ok(Command::Case { word, arms });
            }
            self.eat("(");
            let mut patterns: Vec<Word> = Vec::new();
            loop {
                self.blanks();
                patterns.push(self.word()?.ok_or_else(|| self.unexpected())?);
                self.blanks();
                if !self.eat("|") {
                    break;
                }
            }
            if !self.eat(")") {
                return Err(self.unexpected());
            }
            let body = self.list()?;
            let falls = self.eat(";;&") || self.eat(";&");
            if !falls && !self.eat(";;") && self.plain() != "esac" {
                return Err(self.unexpected());
            }
            arms.push(Arm { patterns, body, falls });
        }
    }

    /// Whether `name ()` stands here.
    fn is_function(&self) -> bool {
        let name = self.plain();
        let after = self.rest()[name.len()..].trim_start_matches([' ', '\t']);
        is_function_name(name) && after.strip_prefix('(').is_some_and(|after| after.trim_start().starts_with(')'))
    }

    fn function(&mut self) -> Result<Command, Stop> {
        self.blanks();
        let name = self.plain().to_owned();
        if !is_function_name(&name) {
            return Err(self.unexpected());
        }
        self.pos += name.len();
        self.blanks();
        if self.eat("(") {
            self.blanks();
            if !self.eat(")") {
                return Err(self.unexpected());
            }
        }
        self.lines()?;
        let body = self.node()?;
        if let Command::Simple { .. } | Command::Function { .. } = body.command {
            return Err(self.wrong(&body.at, format!("the body of {name} stands in {{ ... }}")));
        }
        Ok(Command::Function { name, body: Rc::new(body) })
    }
}

impl Argument {
    /// The word, when it is no assignment.
    pub(in crate::import) fn word(&self) -> Option<&Word> {
        match self {
            Argument::Word(word) => Some(word),
            Argument::Assign(_) => None,
        }
    }
}

/// Whether a variable can be called so.
pub(in crate::import) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn is_function_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.:".contains(letter))
}

/// A command in one line, cut when it is long.
fn shown(text: &str) -> Rc<str> {
    let mut words = String::new();
    for word in text.split_whitespace().filter(|word| *word != "\\") {
        if !words.is_empty() {
            words.push(' ');
        }
        if words.chars().count() + word.chars().count() > SHOWN {
            words.extend(word.chars().take(SHOWN.saturating_sub(words.chars().count())));
            words.push_str("...");
            break;
        }
        words.push_str(word);
    }
    words.into()
}
