//! The built-in task: addition, subtraction and multiplication of growing size, with the chain of thought that solves it.

use std::{
    collections::HashSet,
    fs,
    io::{self, Write},
    path::Path,
};

use serde_json::json;

use crate::random::{Purpose, Random};

/// Grows with every change of what is generated: cached cold starts of other versions are not used.
pub(crate) const VERSION: u32 = 17;

/// One problem in this many is held out for evaluation: neither cold start nor training sees it.
const HELD_OUT: u64 = 12;
/// Share of demonstrations that answer without thinking, and share of results that are wrong in the others. The policy
/// inherits both; only the reward teaches it better.
const HASTY: f32 = 0.54;
const SLIPS: f32 = 0.06;
const TRAIN_PROMPTS: usize = 8192;
const EVAL_PROMPTS: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operation {
    Add,
    Subtract,
    Multiply,
}

impl Operation {
    /// Its sign, and the sign with which a carry enters.
    fn signs(self) -> (char, char) {
        match self {
            Operation::Add => ('+', '+'),
            Operation::Subtract => ('-', '-'),
            Operation::Multiply => ('*', '+'),
        }
    }

    /// The carry (or borrow) and the digit that two digits make, as one number: `7+5=12`, `5-7=18`, `7*8=56`.
    fn of_digits(self, x: u64, y: u64) -> u64 {
        match self {
            Operation::Add => x + y,
            Operation::Subtract if x < y => 20 + x - y,
            Operation::Subtract => x - y,
            Operation::Multiply => x * y,
        }
    }

    /// The same, with what the step before carried.
    fn with_carry(self, result: u64, carry: u64) -> u64 {
        match self {
            Operation::Subtract if result % 10 < carry => result / 10 * 10 + 20 + result % 10 - carry,
            Operation::Subtract => result - carry,
            _ => (result + carry) % 100,
        }
    }
}

/// `a ∘ b` with a result that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Problem {
    operation: Operation,
    a: u64,
    b: u64,
}

/// A number of so many digits, the first of them not zero (but 0 itself has one).
fn number(random: &mut Random, digits: u32) -> u64 {
    let low = if digits == 1 { 0 } else { 10u64.pow(digits - 1) };
    low + random.below(10u64.pow(digits) - low)
}

impl Problem {
    fn draw(random: &mut Random) -> Problem {
        let operation = [Operation::Add, Operation::Subtract, Operation::Multiply][random.below(3) as usize];
        let digits = match random.below(20) {
            0..=6 => 1,
            7..=18 => 2,
            _ => 3,
        };
        let a = number(random, digits);
        let b = match operation {
            Operation::Multiply => number(random, 1),
            _ => {
                let digits = 1 + random.below(u64::from(digits)) as u32;
                number(random, digits)
            }
        };
        match operation {
            Operation::Subtract => Problem { operation, a: a.max(b), b: a.min(b) },
            _ => Problem { operation, a, b },
        }
    }

    /// FNV-1a of the text decides: the split needs no list and holds for every seed.
    fn held_out(self) -> bool {
        let hash = self
            .prompt()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        (hash >> 32) % HELD_OUT == 0
    }

    /// A problem that may be trained on.
    pub(crate) fn draw_train(random: &mut Random) -> Problem {
        loop {
            let problem = Problem::draw(random);
            if !problem.held_out() {
                return problem;
            }
        }
    }

    pub(crate) fn prompt(self) -> String {
        format!("{}{}{}=?", self.a, self.operation.signs().0, self.b)
    }

    fn answer(self) -> u64 {
        match self.operation {
            Operation::Add => self.a + self.b,
            Operation::Subtract => self.a - self.b,
            Operation::Multiply => self.a * self.b,
        }
    }

    pub(crate) fn label(self) -> String {
        self.answer().to_string()
    }

    /// Digit by digit from the right. A step ends with two digits: what is carried (or borrowed), and the digit.
    ///
    /// `47+85`: `7+5=12+0=12 4+8=12+1=13`, `85-47`: `5-7=18-0=18 8-4=04-1=03`, `47*8`: `7*8=56+0=56 4*8=32+5=37`.
    ///
    /// `slip` may change the result of a step; what follows is consistent with it, as it is when people slip.
    fn solve(self, mut slip: impl FnMut(u64) -> u64) -> String {
        let (mut steps, mut digits) = (Vec::new(), Vec::new());
        let (mut a, mut b, mut carry) = (self.a, self.b, 0);
        loop {
            let (x, y) = (a % 10, if self.operation == Operation::Multiply { self.b } else { b % 10 });
            let (sign, then) = self.operation.signs();
            let first = slip(self.operation.of_digits(x, y));
            let result = slip(self.operation.with_carry(first, carry));
            steps.push(format!("{x}{sign}{y}={first:02}{then}{carry}={result:02}"));
            digits.push(result % 10);
            carry = result / 10;
            (a, b) = (a / 10, if self.operation == Operation::Multiply { 0 } else { b / 10 });
            if a == 0 && b == 0 {
                break;
            }
        }
        let ahead = if self.operation == Operation::Subtract { 0 } else { carry };
        let answer = digits.iter().rev().fold(ahead, |number, digit| 10 * number + digit);
        format!("{}</think>\\boxed{{{answer}}}<eos>", steps.join(" "))
    }

    /// The solution as it should be.
    pub(crate) fn solution(self) -> String {
        self.solve(|result| result)
    }

    /// What the cold start imitates in the end: people who know how, but do not always do so. Some answer in haste, without
    /// thinking; those who think slip now and then, by one, in a digit or in what they carry.
    pub(crate) fn demonstration(self, random: &mut Random) -> String {
        if random.unit() < HASTY {
            return format!("</think>\\boxed{{{}}}<eos>", self.guess(random));
        }
        self.solve(|result| {
            if random.unit() >= SLIPS {
                return result;
            }
            let (tens, ones) = (result / 10, result % 10);
            match random.below(4) {
                0 => 10 * ((tens + 1) % 10) + ones,
                1 => 10 * tens.saturating_sub(1) + ones,
                2 => 10 * tens + (ones + 1) % 10,
                _ => 10 * tens + (ones + 9) % 10,
            }
        })
    }

    /// The answer with some digit left to chance.
    fn guess(self, random: &mut Random) -> u64 {
        let answer = self.answer();
        let place = 10u64.pow(random.below(u64::from(answer.max(1).ilog10()) + 1) as u32);
        answer - answer / place % 10 * place + random.below(10) * place
    }

    fn line(self) -> String {
        json!({"prompt": self.prompt(), "label": self.label()}).to_string()
    }
}

/// Writes those of the two files that are absent, each of them whole or not at all.
pub(crate) fn write_missing(train: Option<&Path>, eval: Option<&Path>, seed: u64) -> io::Result<()> {
    let mut random = Random::new(Purpose::Problems, &[seed]);
    let (mut seen, mut sets) = (HashSet::new(), [Vec::new(), Vec::new()]);
    while sets[0].len() < TRAIN_PROMPTS || sets[1].len() < EVAL_PROMPTS {
        let problem = Problem::draw(&mut random);
        let (set, room) = if problem.held_out() { (1, EVAL_PROMPTS) } else { (0, TRAIN_PROMPTS) };
        if sets[set].len() < room && seen.insert(problem) {
            sets[set].push(problem);
        }
    }
    for (path, set) in [train, eval].into_iter().zip(&sets) {
        let Some(path) = path.filter(|path| !path.exists()) else { continue };
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let aside = path.with_extension(format!("tmp-{}", std::process::id()));
        let mut file = io::BufWriter::new(fs::File::create(&aside)?);
        for problem in set {
            writeln!(file, "{}", problem.line())?;
        }
        file.into_inner()?.sync_all()?;
        fs::rename(&aside, path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{encode, reward};

    #[test]
    fn solutions_read_as_promised() {
        let of = |operation, a, b| Problem { operation, a, b }.solve(|result| result);
        assert_eq!(of(Operation::Add, 47, 85), "7+5=12+0=12 4+8=12+1=13</think>\\boxed{132}<eos>");
        assert_eq!(of(Operation::Add, 5, 85), "5+5=10+0=10 0+8=08+1=09</think>\\boxed{90}<eos>");
        assert_eq!(of(Operation::Subtract, 85, 47), "5-7=18-0=18 8-4=04-1=03</think>\\boxed{38}<eos>");
        let borrowed = "0-1=19-0=19 0-0=00-1=19 1-0=01-1=00</think>\\boxed{99}<eos>";
        assert_eq!(of(Operation::Subtract, 100, 1), borrowed);
        assert_eq!(of(Operation::Multiply, 47, 8), "7*8=56+0=56 4*8=32+5=37</think>\\boxed{376}<eos>");
    }

    #[test]
    fn every_solution_is_right_and_half_the_demonstrations_are_not() {
        let mut random = Random::new(Purpose::Problems, &[1]);
        let mut right = 0.0;
        for _ in 0..2000 {
            let problem = Problem::draw(&mut random);
            let solution = problem.solve(|result| result);
            assert_eq!(reward(&solution, &problem.label()), 1.0, "{problem:?}");
            assert!(encode(&solution).len() <= 48);
            assert!(!encode(&solution).contains(&3), "unknown character in {problem:?}");
            right += reward(&problem.demonstration(&mut random), &problem.label()) / 2000.0;
        }
        assert!((0.3..0.5).contains(&right), "{right}");
    }

    #[test]
    fn held_out_problems_are_never_trained_on() {
        let dir = tempfile::tempdir().unwrap();
        let (train, eval) = (dir.path().join("a/train.jsonl"), dir.path().join("eval.jsonl"));
        write_missing(Some(&train), Some(&eval), 1).unwrap();
        let read = |path| crate::task::read(path, "prompt", "label").unwrap();
        let (train, eval) = (read(&train), read(&eval));
        assert_eq!((train.len(), eval.len()), (TRAIN_PROMPTS, EVAL_PROMPTS));
        let trained: HashSet<&str> = train.iter().map(|prompt| prompt.text.as_str()).collect();
        let mut random = Random::new(Purpose::ColdStart, &[1]);
        let warmed: HashSet<String> = (0..10_000).map(|_| Problem::draw_train(&mut random).prompt()).collect();
        assert!(eval.iter().all(|prompt| !trained.contains(prompt.text.as_str()) && !warmed.contains(&prompt.text)));
    }
}
