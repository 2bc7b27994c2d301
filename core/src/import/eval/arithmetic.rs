//! `$((...))`, `((...))` and the counting loop.

use std::rc::Rc;

use super::{
    super::{
        shell::{At, Stop, Word, is_name},
        value::{Field, Held, Hole, Text},
    },
    Shell,
};

/// Parentheses and signs inside one another.
const DEEPEST: usize = 40;

/// Why there is no number.
enum Trouble {
    Open(Rc<Hole>),
    Stop(Stop),
}

impl From<Stop> for Trouble {
    fn from(stop: Stop) -> Trouble {
        Trouble::Stop(stop)
    }
}

type Number = Result<i64, Trouble>;

struct Sum<'s, 'a> {
    shell: &'s mut Shell<'a>,
    text: String,
    pos: usize,
    at: &'s At,
    /// A condition looks at it: what is not set is 0.
    seen: bool,
    /// So many sides that do not count are around.
    idle: usize,
    depth: usize,
}

/// The signs between two numbers, those that bind less first.
const SIGNS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Shell<'_> {
    /// The value of an expression; `None` when nothing is written.
    pub(super) fn sum(&mut self, word: &Word, seen: bool) -> Result<Result<Option<i64>, Rc<Hole>>, Stop> {
        let text = self.text(word)?;
        let text = match if seen { self.seen(&text) } else { text.known() } {
            Ok(text) => text,
            Err(hole) => return Ok(Err(hole)),
        };
        if text.trim().is_empty() {
            return Ok(Ok(None));
        }
        self.spend(1 + text.len() / 16, &word.at)?;
        let mut sum = Sum { shell: self, text, pos: 0, at: &word.at, seen, idle: 0, depth: 0 };
        match sum.all() {
            Ok(number) => Ok(Ok(Some(number))),
            Err(Trouble::Open(hole)) => Ok(Err(hole)),
            Err(Trouble::Stop(stop)) => Err(stop),
        }
    }
}

impl Sum<'_, '_> {
    fn all(&mut self) -> Number {
        let mut number = self.choice()?;
        while self.eat(",") {
            number = self.choice()?;
        }
        if self.rest().is_empty() { Ok(number) } else { Err(self.wrong()) }
    }

    fn wrong(&self) -> Trouble {
        let text = format!("the expression {} is not read", crate::argument::quoted(self.text.trim()));
        Trouble::Stop(self.shell.wrong(self.at, text))
    }

    fn rest(&mut self) -> &str {
        self.pos = self.text.len() - self.text[self.pos..].trim_start().len();
        &self.text[self.pos..]
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.pos += sign.len();
        }
        found
    }

    fn choice(&mut self) -> Number {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong());
        }
        let condition = self.level(0)?;
        let number = if self.eat("?") {
            self.idle += usize::from(condition == 0);
            let yes = self.choice()?;
            self.idle -= usize::from(condition == 0);
            if !self.eat(":") {
                return Err(self.wrong());
            }
            self.idle += usize::from(condition != 0);
            let no = self.choice()?;
            self.idle -= usize::from(condition != 0);
            if condition != 0 { yes } else { no }
        } else {
            condition
        };
        self.depth -= 1;
        Ok(number)
    }

    fn level(&mut self, level: usize) -> Number {
        let Some(signs) = SIGNS.get(level) else { return self.power() };
        let mut left = self.level(level + 1)?;
        loop {
            let rest = self.rest();
            let Some(sign) = signs.iter().find(|sign| rest.starts_with(**sign)) else { return Ok(left) };
            // `a < b` is not the beginning of `a << b`, nor `a | b` of `a || b`, and `+=` is an assignment.
            let after = &rest[sign.len()..];
            let longer = match *sign {
                "<" | ">" | "|" | "&" => after.starts_with(*sign),
                "*" => after.starts_with('*'),
                _ => false,
            };
            let assigns = after.starts_with('=') && !matches!(*sign, "==" | "!=" | "<=" | ">=" | "<" | ">");
            if longer || assigns {
                return Ok(left);
            }
            self.pos += sign.len();
            let settled = match *sign {
                "||" => left != 0,
                "&&" => left == 0,
                _ => false,
            };
            self.idle += usize::from(settled);
            let right = self.level(level + 1);
            self.idle -= usize::from(settled);
            left = self.apply(left, sign, right?)?;
        }
    }

    fn apply(&self, left: i64, sign: &str, right: i64) -> Number {
        let zero = || {
            let text = format!("{} divides by 0", crate::argument::quoted(self.text.trim()));
            Trouble::Stop(self.shell.wrong(self.at, text))
        };
        Ok(match sign {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(right as u32),
            ">>" => left.wrapping_shr(right as u32),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" | "%" if right == 0 && self.idle > 0 => 0,
            "/" => left.checked_div(right).ok_or_else(zero)?,
            "%" => left.checked_rem(right).ok_or_else(zero)?,
            _ => left.checked_pow(u32::try_from(right).map_err(|_| self.wrong())?).ok_or_else(|| self.wrong())?,
        })
    }

    fn power(&mut self) -> Number {
        let base = self.unary()?;
        if self.eat("**") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(self.wrong());
            }
            let exponent = self.power()?;
            self.depth -= 1;
            return self.apply(base, "**", exponent);
        }
        Ok(base)
    }

    fn unary(&mut self) -> Number {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong());
        }
        let number = if self.eat("++") {
            self.step(1)
        } else if self.eat("--") {
            self.step(-1)
        } else if self.eat("!") {
            self.unary().map(|number| i64::from(number == 0))
        } else if self.eat("~") {
            self.unary().map(|number| !number)
        } else if self.eat("-") {
            self.unary().map(i64::wrapping_neg)
        } else if self.eat("+") {
            self.unary()
        } else if self.eat("(") {
            let number = self.choice()?;
            if self.eat(")") { Ok(number) } else { Err(self.wrong()) }
        } else {
            self.primary()
        };
        self.depth -= 1;
        number
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        is_name(&name).then(|| {
            self.pos += end;
            name
        })
    }

    fn primary(&mut self) -> Number {
        let Some(name) = self.name() else {
            let rest = self.rest();
            let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let digits = rest[..end].to_owned();
            self.pos += end;
            return number(&digits).ok_or_else(|| self.wrong());
        };
        if self.eat("[") {
            let index = self.choice()?;
            if !self.eat("]") {
                return Err(self.wrong());
            }
            return self.element(&name, index);
        }
        if self.eat("++") {
            self.pos -= 2;
            return self.behind(&name, 1);
        }
        if self.eat("--") {
            self.pos -= 2;
            return self.behind(&name, -1);
        }
        for sign in ["+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", ""] {
            let whole = format!("{sign}=");
            let rest = self.rest();
            if rest.starts_with(&whole) && !rest.starts_with("==") {
                self.pos += whole.len();
                let right = self.choice()?;
                let number = if sign.is_empty() {
                    right
                } else {
                    let left = self.value(&name)?;
                    self.apply(left, sign, right)?
                };
                return self.give(&name, number);
            }
        }
        self.value(&name)
    }

    fn behind(&mut self, name: &str, by: i64) -> Number {
        self.pos += 2;
        let before = self.value(name)?;
        self.give(name, before.wrapping_add(by))?;
        Ok(before)
    }

    fn step(&mut self, by: i64) -> Number {
        let name = self.name().ok_or_else(|| self.wrong())?;
        let number = self.value(&name)?.wrapping_add(by);
        self.give(&name, number)
    }

    fn give(&mut self, name: &str, number: i64) -> Number {
        if self.idle == 0 {
            self.shell.assign(name, Held::One(Text::plain(number.to_string())), self.at)?;
        }
        Ok(number)
    }

    fn value(&mut self, name: &str) -> Number {
        let text = match self.shell.look_up(name, self.at) {
            Some(Held::One(text)) => text,
            Some(Held::Many(fields)) => fields.first().map(|field| field.text.clone()).unwrap_or_default(),
            None => self.shell.unset(name, self.at),
        };
        self.read(&text)
    }

    fn element(&mut self, name: &str, index: i64) -> Number {
        let field = match self.shell.look_up(name, self.at) {
            Some(Held::Many(fields)) => usize::try_from(index).ok().and_then(|index| fields.get(index).cloned()),
            Some(Held::One(text)) if index == 0 => Some(Field { text, place: self.at.place(), from: None }),
            Some(Held::One(_)) | None => None,
        };
        let text = field.map_or_else(|| self.shell.unset(name, self.at), |field| field.text);
        self.read(&text)
    }

    fn read(&mut self, text: &Text) -> Number {
        if self.idle > 0 {
            return Ok(0);
        }
        let text = if self.seen { self.shell.seen(text) } else { text.known() }.map_err(Trouble::Open)?;
        match text.trim() {
            "" => Ok(0),
            digits => match digits.strip_prefix('-') {
                Some(digits) => number(digits).map(i64::wrapping_neg),
                None => number(digits),
            }
            .ok_or_else(|| self.wrong()),
        }
    }
}

/// Digits as bash reads them: hexadecimal after `0x`, octal after `0`.
fn number(digits: &str) -> Option<i64> {
    if let Some(digits) = digits.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok();
    }
    match digits.strip_prefix('0') {
        Some("") => Some(0),
        Some(octal) => i64::from_str_radix(octal, 8).ok(),
        None => digits.parse().ok(),
    }
}
