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
pub(crate) const VERSION: u32 = 1;

/// One problem in this many is held out for evaluation: neither cold start nor training sees it.
const HELD_OUT: u64 = 12;
const TRAIN_PROMPTS: usize = 8192;
const EVAL_PROMPTS: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operation {
    Add,
    Subtract,
    Multiply,
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
        // One digit is a tenth of the problems, two and three share the rest.
        let digits = match random.below(10) {
            0 => 1,
            1..=5 => 2,
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
        let sign = match self.operation {
            Operation::Add => '+',
            Operation::Subtract => '-',
            Operation::Multiply => '*',
        };
        format!("{}{sign}{}=?", self.a, self.b)
    }

    pub(crate) fn label(self) -> String {
        match self.operation {
            Operation::Add => self.a + self.b,
            Operation::Subtract => self.a - self.b,
            Operation::Multiply => self.a * self.b,
        }
        .to_string()
    }

    /// Digit by digit from the right. A step ends with two digits: what is carried (or borrowed), and the digit.
    ///
    /// `47+85`: `7+5+0=12 4+8+1=13`, `85-47`: `5-7-0=18 8-4-1=03`, `47*8`: `7*8=56+0=56 4*8=32+5=37`.
    fn thoughts(self) -> String {
        let mut steps = Vec::new();
        let (mut a, mut b, mut carry) = (self.a, self.b, 0);
        loop {
            let (x, y) = (a % 10, b % 10);
            let (text, result) = match self.operation {
                Operation::Add => (format!("{x}+{y}+{carry}"), x + y + carry),
                Operation::Subtract => {
                    let below = x < y + carry;
                    (format!("{x}-{y}-{carry}"), if below { 10 + (10 + x - y - carry) } else { x - y - carry })
                }
                Operation::Multiply => {
                    let y = self.b;
                    (format!("{x}*{y}={:02}+{carry}", x * y), x * y + carry)
                }
            };
            steps.push(format!("{text}={result:02}"));
            carry = result / 10;
            (a, b) = (a / 10, b / 10);
            if a == 0 && b == 0 || a == 0 && self.operation == Operation::Multiply {
                return steps.join(" ");
            }
        }
    }

    /// What the cold start imitates.
    pub(crate) fn solution(self) -> String {
        format!("{}</think>\\boxed{{{}}}<eos>", self.thoughts(), self.label())
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
    fn thoughts_read_as_promised() {
        let of = |operation, a, b| Problem { operation, a, b }.thoughts();
        assert_eq!(of(Operation::Add, 47, 85), "7+5+0=12 4+8+1=13");
        assert_eq!(of(Operation::Add, 5, 85), "5+5+0=10 0+8+1=09");
        assert_eq!(of(Operation::Subtract, 85, 47), "5-7-0=18 8-4-1=03");
        assert_eq!(of(Operation::Subtract, 100, 1), "0-1-0=19 0-0-1=19 1-0-1=00");
        assert_eq!(of(Operation::Multiply, 47, 8), "7*8=56+0=56 4*8=32+5=37");
    }

    #[test]
    fn every_solution_is_right_and_fits() {
        let mut random = Random::new(Purpose::Problems, &[1]);
        for _ in 0..2000 {
            let problem = Problem::draw(&mut random);
            assert_eq!(reward(&problem.solution(), &problem.label()), 1.0, "{problem:?}");
            assert!(encode(&problem.solution()).len() <= 48);
            assert!(!encode(&problem.solution()).contains(&3), "unknown character in {problem:?}");
        }
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
