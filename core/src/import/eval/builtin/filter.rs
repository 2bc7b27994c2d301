//! Commands that only print: `echo`, `printf`, `seq`, `tr`, `wc`.

use super::super::{
    super::{
        shell::{At, Node, Stop},
        value::{Field, Held, Text},
    },
    Flow, Shell,
};

/// More numbers than any argument has.
const MOST: i64 = 10_000;

impl Shell<'_> {
    pub(super) fn echo(&mut self, words: &[Field]) {
        let is_option = |field: &&Field| {
            field.text.known().is_ok_and(|text| matches!(text.as_str(), "-n" | "-e" | "-E" | "-ne" | "-en"))
        };
        let options: Vec<String> =
            words.iter().take_while(is_option).filter_map(|field| field.text.known().ok()).collect();
        let mut text = Text::default();
        for (number, field) in words[options.len()..].iter().enumerate() {
            if number > 0 {
                text.push_str(" ");
            }
            text.extend(field.text.clone());
        }
        if options.iter().any(|option| option.contains('e'))
            && let Ok(plain) = text.known()
        {
            text = Text::plain(unescaped(&plain));
        }
        if !options.iter().any(|option| option.contains('n')) {
            text.push_str("\n");
        }
        self.print(text);
    }

    pub(super) fn printf(&mut self, words: &[Field], at: &At) -> Result<Flow, Stop> {
        let mut words = words;
        let mut name = None;
        if words.first().is_some_and(|field| field.text.known().as_deref() == Ok("-v")) {
            name = words.get(1).and_then(|field| field.text.known().ok());
            words = words.get(2..).unwrap_or_default();
        }
        let text = match words.split_first() {
            None => return Ok(Flow::Next),
            Some((format, values)) => match format.text.known() {
                Ok(format) => self.formatted(&unescaped(&format), values, at)?,
                Err(hole) => Text::hole(hole),
            },
        };
        match name {
            Some(name) => self.assign(&name, Held::One(text), at)?,
            None => self.print(text),
        }
        Ok(Flow::Next)
    }

    /// The format, again and again until all values are used.
    fn formatted(&mut self, format: &str, mut values: &[Field], at: &At) -> Result<Text, Stop> {
        let mut out = Text::default();
        loop {
            let mut used = false;
            let mut rest = format;
            while let Some((before, after)) = rest.split_once('%') {
                out.push_str(before);
                let letter = after.chars().next();
                match letter {
                    Some('%') => out.push_str("%"),
                    Some('s' | 'd' | 'i') => {
                        let value = values.first().map(|field| field.text.clone());
                        out.extend(value.unwrap_or_else(|| Text::plain(if letter == Some('s') { "" } else { "0" })));
                        values = values.get(1..).unwrap_or_default();
                        used = true;
                    }
                    _ => return Err(self.wrong(at, "of printf only %s, %d and %% are read")),
                }
                rest = &after[1..];
            }
            out.push_str(rest);
            self.measure(&out, at)?;
            if values.is_empty() || !used {
                return Ok(out);
            }
        }
    }

    pub(super) fn seq(&mut self, words: &[Field], at: &At) -> Result<Flow, Stop> {
        let mut between = "\n".to_owned();
        let mut numbers = Vec::new();
        let mut words = words.iter();
        while let Some(field) = words.next() {
            let text = match field.text.known() {
                Ok(text) => text,
                Err(hole) => {
                    self.print(Text::hole(hole));
                    return Ok(Flow::Next);
                }
            };
            match (text.parse::<i64>(), text.strip_prefix("-s")) {
                (Ok(number), _) => numbers.push(number),
                (Err(_), Some("")) => {
                    between = words.next().and_then(|field| field.text.known().ok()).unwrap_or_default()
                }
                (Err(_), Some(sign)) => between = sign.to_owned(),
                (Err(_), None) => return Err(self.wrong(at, format!("seq {text} is not read"))),
            }
        }
        let (from, step, to) = match numbers[..] {
            [to] => (1, 1, to),
            [from, to] => (from, 1, to),
            [from, step, to] if step != 0 => (from, step, to),
            _ => return Err(self.wrong(at, "seq is given one to three numbers, the middle one not 0")),
        };
        let count = to.checked_sub(from).and_then(|span| span.checked_div(step)).unwrap_or(MOST);
        if count >= MOST {
            return Err(self.wrong(at, format!("seq gives more than {MOST} numbers here")));
        }
        let numbers: Vec<String> = (0..=count).map(|number| (from + number * step).to_string()).collect();
        let numbers = if (to - from) * step.signum() < 0 { Vec::new() } else { numbers };
        self.print(Text::plain(numbers.join(&between) + if numbers.is_empty() { "" } else { "\n" }));
        Ok(Flow::Next)
    }

    /// What comes from the command before.
    pub(super) fn filter(&mut self, name: &str, words: &[Field], node: &Node) {
        let stdin = self.stdin.take().unwrap_or_default();
        let words: Option<Vec<String>> = words.iter().map(|field| field.text.known().ok()).collect();
        let out = match (stdin.known(), name, words.as_deref()) {
            (Err(hole), ..) => Some(Text::hole(hole)),
            (Ok(_), "tee", _) => Some(stdin),
            (Ok(text), "wc", Some([option])) if option == "-l" => {
                Some(Text::plain(format!("{}\n", text.matches('\n').count())))
            }
            (Ok(text), "wc", Some([option])) if option == "-w" => {
                Some(Text::plain(format!("{}\n", text.split_whitespace().count())))
            }
            (Ok(text), "tr", Some([option, gone])) if option == "-d" => {
                let gone = letters(gone);
                Some(Text::plain(text.chars().filter(|letter| !gone.contains(letter)).collect::<String>()))
            }
            (Ok(text), "tr", Some([from, to])) => {
                let (from, to) = (letters(from), letters(to));
                let change = |letter: char| match from.iter().position(|wanted| *wanted == letter) {
                    Some(at) => to.get(at).or(to.last()).copied().unwrap_or(letter),
                    None => letter,
                };
                Some(Text::plain(text.chars().map(change).collect::<String>()))
            }
            _ => None,
        };
        let out = out.unwrap_or_else(|| Text::hole(self.hole(&node.at, format!("what `{}` prints", node.source))));
        self.print(out);
    }
}

/// The letters of an argument of `tr`.
fn letters(set: &str) -> Vec<char> {
    let set = unescaped(set).replace("[:upper:]", "A-Z").replace("[:lower:]", "a-z").replace("[:digit:]", "0-9");
    let letters: Vec<char> = set.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&from) = letters.get(at) {
        match letters.get(at + 1..at + 3) {
            Some(&['-', to]) if from.is_ascii() && to.is_ascii() => {
                out.extend(from..=to);
                at += 3;
            }
            _ => {
                out.push(from);
                at += 1;
            }
        }
    }
    out
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => match letters.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('\\') | None => out.push('\\'),
                Some(other) => out.extend(['\\', other]),
            },
            (letter, false) => out.push(letter),
        }
    }
    out
}
