//! The arguments that the engine understands: slime's names, and a few of its own.

use std::collections::BTreeMap;

/// When a changed value takes effect in a running job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// At the next optimizer step.
    Step,
    /// At the next rollout.
    Rollout,
    /// When the job is started again.
    Restart,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Present or absent.
    Flag,
    /// Any text, mostly a path.
    Text,
    /// So many texts.
    Texts(usize),
    /// One of these.
    Choice(&'static [&'static str]),
    /// A whole number, at least this.
    Count(u64),
    /// A number from .. to.
    Number(f64, f64),
}

/// One argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Argument {
    /// Its name without `--`.
    pub name: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// The value when it is not given; empty when there is none.
    pub default: &'static str,
    /// When a change takes effect.
    pub applies: Applies,
}

const fn argument(name: &'static str, kind: Kind, default: &'static str, applies: Applies) -> Argument {
    Argument { name, kind, default, applies }
}

use Applies::{Restart, Rollout, Step};
use Kind::{Choice, Count, Flag, Number, Text, Texts};

/// slime's name for the filter that drops groups whose samples all got the same reward.
pub(crate) const NONZERO_STD: &str = "slime.rollout.filter_hub.dynamic_sampling_filters.check_reward_nonzero_std";

/// All of them.
#[rustfmt::skip]
pub const ARGUMENTS: &[Argument] = &[
    // model
    argument("hidden-size", Count(1), "96", Restart),
    argument("num-layers", Count(1), "3", Restart),
    argument("num-attention-heads", Count(1), "4", Restart),
    argument("q-lora-rank", Count(1), "48", Restart),
    argument("kv-lora-rank", Count(1), "32", Restart),
    argument("qk-head-dim", Count(1), "16", Restart),
    argument("qk-pos-emb-head-dim", Count(2), "16", Restart),
    argument("v-head-dim", Count(1), "16", Restart),
    argument("ffn-hidden-size", Count(1), "192", Restart),
    argument("moe-ffn-hidden-size", Count(1), "64", Restart),
    argument("moe-shared-expert-intermediate-size", Count(0), "64", Restart),
    argument("moe-layer-freq", Text, "[0,1,1]", Restart),
    argument("num-experts", Count(2), "8", Restart),
    argument("moe-router-topk", Count(1), "2", Restart),
    argument("moe-router-num-groups", Count(1), "4", Restart),
    argument("moe-router-group-topk", Count(1), "2", Restart),
    argument("moe-router-topk-scaling-factor", Number(0.0, 1e3), "1.0", Restart),
    argument("moe-router-bias-update-rate", Number(0.0, 1.0), "0", Restart),
    // checkpoint
    argument("load", Text, "", Restart),
    argument("save", Text, "", Restart),
    argument("save-interval", Count(1), "20", Step),
    argument("ref-load", Text, "", Restart),
    argument("cold-start", Text, "", Restart),
    argument("cold-start-steps", Count(1), "820", Restart),
    // rollout
    argument("prompt-data", Text, "", Restart),
    argument("generate-data", Choice(&["arithmetic"]), "", Restart),
    argument("input-key", Text, "prompt", Restart),
    argument("label-key", Text, "label", Restart),
    argument("rm-type", Choice(&crate::task::RULES), "deepscaler", Restart),
    argument("num-rollout", Count(0), "", Restart),
    argument("rollout-batch-size", Count(1), "24", Rollout),
    argument("over-sampling-batch-size", Count(1), "", Rollout),
    argument("n-samples-per-prompt", Count(1), "16", Rollout),
    argument("rollout-max-response-len", Count(1), "56", Rollout),
    argument("rollout-temperature", Number(1e-3, 100.0), "1.0", Rollout),
    argument("rollout-seed", Count(0), "42", Restart),
    argument("rollout-shards", Count(1), "2", Restart),
    argument("sglang-max-running-requests", Count(1), "64", Restart),
    argument("dynamic-sampling-filter-path", Choice(&[NONZERO_STD]), "", Restart),
    argument("num-steps-per-rollout", Count(1), "1", Rollout),
    argument("global-batch-size", Count(1), "", Restart),
    argument("exchange", Text, "", Restart),
    // eval
    argument("eval-interval", Count(1), "", Step),
    argument("eval-prompt-data", Texts(2), "", Restart),
    argument("n-samples-per-eval-prompt", Count(1), "1", Restart),
    argument("eval-max-response-len", Count(1), "", Restart),
    argument("eval-temperature", Number(0.0, 100.0), "", Restart),
    // optimizer
    argument("seed", Count(0), "1234", Restart),
    argument("lr", Number(0.0, 10.0), "1e-6", Step),
    argument("weight-decay", Number(0.0, 10.0), "0.01", Step),
    argument("adam-beta1", Number(0.0, 0.999_999), "0.9", Step),
    argument("adam-beta2", Number(0.0, 0.999_999), "0.999", Step),
    argument("clip-grad", Number(0.0, 1e9), "1.0", Step),
    // grpo
    argument("advantage-estimator", Choice(&["grpo"]), "grpo", Restart),
    argument("eps-clip", Number(0.0, 1.0), "0.2", Step),
    argument("eps-clip-high", Number(0.0, 1e3), "", Step),
    argument("use-kl-loss", Flag, "", Restart),
    argument("kl-loss-coef", Number(0.0, 1e3), "0", Step),
    argument("kl-loss-type", Choice(&["low_var_kl"]), "low_var_kl", Restart),
    argument("entropy-coef", Number(-1e3, 1e3), "0", Step),
    // perf
    argument("max-tokens-per-gpu", Count(1), "768", Restart),
    // which shard of its role this process is
    argument("rank", Count(0), "0", Restart),
];

/// The argument of this name.
pub(crate) fn find(name: &str) -> Option<&'static Argument> {
    ARGUMENTS.iter().find(|argument| argument.name == name)
}

impl Argument {
    /// Why this value does not do.
    pub(crate) fn check(&self, values: &[String]) -> Result<(), String> {
        let expected = match self.kind {
            Flag => 0,
            Texts(count) => count,
            _ => 1,
        };
        let what = || match self.kind {
            Flag => "no value (or true, false)".to_owned(),
            Text => "a value".to_owned(),
            Texts(count) => format!("{count} values"),
            Choice(names) => names.join(" or "),
            Count(least) => format!("a whole number, at least {least}"),
            Number(low, high) => format!("a number from {low} to {high}"),
        };
        let fits = values.len() == expected
            && values.iter().all(|value| match self.kind {
                Flag | Text | Texts(_) => true,
                Choice(names) => names.contains(&value.as_str()),
                Count(least) => value.parse::<u64>().is_ok_and(|value| value >= least),
                Number(low, high) => value.parse::<f64>().is_ok_and(|value| (low..=high).contains(&value)),
            });
        if fits { Ok(()) } else { Err(format!("expected {}, not {:?}", what(), values.join(" "))) }
    }
}

/// The command line: names to values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Given(BTreeMap<&'static str, Vec<String>>);

impl Given {
    pub(crate) fn parse(args: &[String]) -> Result<Given, String> {
        let mut given = Given::default();
        let mut rest = args.iter().peekable();
        while let Some(word) = rest.next() {
            let name = word.strip_prefix("--").ok_or_else(|| format!("expected an argument, found {word:?}"))?;
            let (name, inline) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            let argument = find(name).ok_or_else(|| unknown(name))?;
            let mut values: Vec<String> = inline.into_iter().collect();
            while let Some(value) = rest.next_if(|next| !next.starts_with("--")) {
                values.push(value.clone());
            }
            given.set(argument, values).map_err(|error| format!("--{name}: {error}"))?;
        }
        Ok(given)
    }

    /// Sets one argument; a flag may say `true` or `false`.
    pub(crate) fn set(&mut self, argument: &'static Argument, mut values: Vec<String>) -> Result<(), String> {
        if argument.kind == Flag && values.len() == 1 {
            match values[0].as_str() {
                "true" => values.clear(),
                "false" => {
                    self.0.remove(argument.name);
                    return Ok(());
                }
                _ => {}
            }
        }
        argument.check(&values)?;
        self.0.insert(argument.name, values);
        Ok(())
    }

    pub(crate) fn texts(&self, name: &'static str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }

    pub(crate) fn flag(&self, name: &'static str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn text(&self, name: &'static str) -> Option<&str> {
        let default = || find(name).map(|argument| argument.default).filter(|default| !default.is_empty());
        self.texts(name).and_then(|values| values.first()).map(String::as_str).or_else(default)
    }

    /// A checked number; None when it is not given and has no default.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &'static str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}

fn unknown(name: &str) -> String {
    let nearest = ARGUMENTS.iter().map(|known| known.name).min_by_key(|known| distance(known, name));
    format!("unknown argument --{name}; the nearest known is --{}", nearest.unwrap_or_default())
}

/// Levenshtein's.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let next = (corner + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Given, String> {
        Given::parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn reads_flags_values_and_defaults() {
        let given =
            parse("--lr 1e-3 --use-kl-loss --eval-prompt-data arithmetic eval.jsonl --entropy-coef -0.5").unwrap();
        assert_eq!(given.number("lr"), Some(1e-3));
        assert!(given.flag("use-kl-loss"));
        assert_eq!(given.texts("eval-prompt-data").unwrap(), ["arithmetic", "eval.jsonl"]);
        assert_eq!(given.number("entropy-coef"), Some(-0.5));
        assert_eq!(given.number("save-interval"), Some(20));
        assert_eq!(given.number::<u64>("eval-interval"), None);
        assert!(!parse("--use-kl-loss true --use-kl-loss false").unwrap().flag("use-kl-loss"));
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(
            parse("--leaning-rate 1").unwrap_err(),
            "unknown argument --leaning-rate; the nearest known is --hidden-size"
        );
        assert!(parse("--epsclip 1").unwrap_err().ends_with("--eps-clip"));
        assert_eq!(parse("--lr fast").unwrap_err(), "--lr: expected a number from 0 to 10, not \"fast\"");
        assert!(parse("--lr nan").is_err());
        assert!(parse("--hidden-size 0").is_err());
        assert!(parse("--eval-prompt-data x").unwrap_err().contains("expected 2 values"));
        assert!(parse("stray").unwrap_err().contains("\"stray\""));
    }

    #[test]
    fn defaults_are_valid() {
        for argument in ARGUMENTS.iter().filter(|argument| !argument.default.is_empty()) {
            argument.check(&[argument.default.to_owned()]).unwrap();
        }
    }
}
