//! Conditions: `[ ... ]` and `[[ ... ]]`.

use std::rc::Rc;

use super::{
    super::{
        shell::{At, Stop, Test},
        value::{Field, Hole, Text},
    },
    Shell,
};

/// Whether something holds, if that can be told.
pub(super) type Truth = Result<bool, Rc<Hole>>;

impl Shell<'_> {
    pub(super) fn test(&mut self, test: &Test) -> Result<Truth, Stop> {
        match test {
            Test::Either(tests) => self.several(tests, true),
            Test::Both(tests) => self.several(tests, false),
            Test::Not(test) => Ok(self.test(test)?.map(|holds| !holds)),
            Test::Word(word) => {
                let text = self.text(word)?;
                Ok(self.seen(&text).map(|text| !text.is_empty()))
            }
            Test::One(sign, word) => {
                let text = self.text(word)?;
                self.one(sign, &text, &word.at)
            }
            Test::Two(left, sign, right) => {
                let (left, at) = (self.text(left)?, &right.at);
                match sign.as_str() {
                    "=" | "==" | "!=" => {
                        let pattern = self.pattern(right)?;
                        match (self.seen(&left), pattern) {
                            (Ok(text), Ok(pattern)) => Ok(Ok(self.matches(&pattern, &text, at)? == (sign != "!="))),
                            (Err(hole), _) | (_, Err(hole)) => Ok(Err(hole)),
                        }
                    }
                    "=~" => Ok(Err(self.hole(at, "a regular expression, which rldeck does not read"))),
                    sign => {
                        let right = self.text(right)?;
                        self.two(&left, sign, &right, at)
                    }
                }
            }
        }
    }

    fn several(&mut self, tests: &[Test], ends: bool) -> Result<Truth, Stop> {
        let mut open = None;
        for test in tests {
            match self.test(test)? {
                Ok(holds) if holds == ends => return Ok(Ok(ends)),
                Ok(_) => {}
                Err(hole) => open = open.or(Some(hole)),
            }
        }
        Ok(open.map_or(Ok(!ends), Err))
    }

    /// `[ words ]`.
    pub(super) fn bracket(&mut self, words: &[Field], at: &At) -> Result<Truth, Stop> {
        let is = |number: usize, sign: &str| {
            words.get(number).is_some_and(|word| word.text.known().is_ok_and(|text| text == sign))
        };
        for (sign, ends) in [("-o", true), ("-a", false)] {
            // `[ -a file ]` has it in front, `[ x = -a ]` behind.
            if let Some(middle) = (1..words.len().saturating_sub(1)).find(|number| is(*number, sign)) {
                let first = self.bracket(&words[..middle], at)?;
                let second = self.bracket(&words[middle + 1..], at)?;
                return Ok(match (first, second) {
                    (Ok(holds), _) | (_, Ok(holds)) if holds == ends => Ok(ends),
                    (Ok(_), Ok(_)) => Ok(!ends),
                    (Err(hole), _) | (_, Err(hole)) => Err(hole),
                });
            }
        }
        if is(0, "!") && words.len() > 1 {
            return Ok(self.bracket(&words[1..], at)?.map(|holds| !holds));
        }
        match words {
            [] => Ok(Ok(false)),
            [word] => Ok(self.seen(&word.text).map(|text| !text.is_empty())),
            [sign, word] => match sign.text.known() {
                Ok(sign) => self.one(&sign, &word.text, at),
                Err(hole) => Ok(Err(hole)),
            },
            [left, sign, right] => match sign.text.known() {
                Ok(sign) => self.two(&left.text, &sign, &right.text, at),
                Err(hole) => Ok(Err(hole)),
            },
            _ => Err(self.wrong(at, "this condition is not read")),
        }
    }

    fn one(&mut self, sign: &str, text: &Text, at: &At) -> Result<Truth, Stop> {
        match sign {
            "-z" | "-n" => Ok(self.seen(text).map(|text| text.is_empty() == (sign == "-z"))),
            "-v" => match text.known() {
                Ok(name) => Ok(Ok(self.look_up(&name, at).is_some())),
                Err(hole) => Ok(Err(hole)),
            },
            "-a" | "-e" | "-f" | "-d" | "-r" | "-w" | "-x" | "-s" | "-L" | "-h" | "-p" | "-S" | "-b" | "-c" => {
                // What lies on this machine says nothing about the machines of the job.
                let what = text.seen().unwrap_or_else(|_| "a file".to_owned());
                Ok(Err(self.hole(at, format!("whether {what} is there"))))
            }
            "-t" => Ok(Err(self.hole(at, "whether there is a terminal"))),
            _ => Err(self.wrong(at, format!("the condition {sign} is not read"))),
        }
    }

    fn two(&mut self, left: &Text, sign: &str, right: &Text, at: &At) -> Result<Truth, Stop> {
        let (left, right) = match (self.seen(left), self.seen(right)) {
            (Ok(left), Ok(right)) => (left, right),
            (Err(hole), _) | (_, Err(hole)) => return Ok(Err(hole)),
        };
        let numbers = || Some((left.trim().parse::<i64>().ok()?, right.trim().parse::<i64>().ok()?));
        let holds = match sign {
            "=" | "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => {
                // bash calls this an error, which is as good as false.
                let Some((left, right)) = numbers() else { return Ok(Ok(false)) };
                match sign {
                    "-eq" => left == right,
                    "-ne" => left != right,
                    "-lt" => left < right,
                    "-le" => left <= right,
                    "-gt" => left > right,
                    _ => left >= right,
                }
            }
            "-nt" | "-ot" | "-ef" => return Ok(Err(self.hole(at, format!("the files {left} and {right}")))),
            _ => return Err(self.wrong(at, format!("the condition {sign} is not read"))),
        };
        Ok(Ok(holds))
    }
}
