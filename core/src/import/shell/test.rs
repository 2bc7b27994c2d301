//! `[[ ... ]]`.

use super::{Stop, Test, Word, parser::Parser, word::Ends};

const TWO: [&str; 13] = ["==", "=~", "!=", "=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-ef"];

impl Parser<'_> {
    /// A test up to its `]]`, which is stepped over.
    pub(super) fn test(&mut self) -> Result<Test, Stop> {
        let test = self.either()?;
        self.keyword("]]")?;
        Ok(test)
    }

    fn either(&mut self) -> Result<Test, Stop> {
        self.enter()?;
        let mut tests = vec![self.both()?];
        loop {
            self.lines()?;
            if !self.eat("||") {
                self.leave();
                return Ok(Test::Either(tests));
            }
            tests.push(self.both()?);
        }
    }

    fn both(&mut self) -> Result<Test, Stop> {
        let mut tests = vec![self.one()?];
        loop {
            self.lines()?;
            if !self.eat("&&") {
                return Ok(Test::Both(tests));
            }
            tests.push(self.one()?);
        }
    }

    fn one(&mut self) -> Result<Test, Stop> {
        self.lines()?;
        if self.plain() == "!" {
            self.pos += 1;
            self.enter()?;
            let test = self.one()?;
            self.leave();
            return Ok(Test::Not(Box::new(test)));
        }
        if self.eat("(") {
            let test = self.either()?;
            self.lines()?;
            return if self.eat(")") { Ok(test) } else { Err(self.unexpected()) };
        }
        let sign = self.plain();
        if sign.len() == 2 && sign.starts_with('-') && sign.ends_with(|letter: char| letter.is_ascii_alphabetic()) {
            self.pos += 2;
            self.blanks();
            return Ok(Test::One(sign.to_owned(), self.operand()?));
        }
        let left = self.operand()?;
        self.blanks();
        let sign = TWO.into_iter().find(|sign| {
            let after = self.rest().strip_prefix(sign);
            after.is_some_and(|after| after.starts_with(char::is_whitespace))
        });
        let Some(sign) = sign else { return Ok(Test::Word(left)) };
        self.pos += sign.len();
        self.blanks();
        if sign == "=~" {
            let at = self.at();
            let parts = self.parts(Ends::Blank)?;
            return Ok(Test::Two(left, sign.to_owned(), Word { parts, at }));
        }
        Ok(Test::Two(left, sign.to_owned(), self.operand()?))
    }

    fn operand(&mut self) -> Result<Word, Stop> {
        if self.plain() == "]]" {
            return Err(self.unexpected());
        }
        self.word()?.ok_or_else(|| self.unexpected())
    }
}
