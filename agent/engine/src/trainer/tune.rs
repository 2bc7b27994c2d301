//! Live changes: `tune.json`, looked at before every rollout and every optimizer step.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt};

use rldeck_core::shard::{Report, Severity, TUNE, Tune};

use super::Trainer;
use crate::{
    argument::{Applies, Given, find},
    config::Config,
};

/// What was last seen of the file, and the arguments that its changes are laid over.
pub(super) struct Tuning {
    given: Given,
    seen: Option<(u64, i64, i64, u64)>,
    version: Option<u64>,
}

impl Tuning {
    pub(super) fn new(given: Given) -> Tuning {
        Tuning { given, seen: None, version: None }
    }

    /// The file, if it is another than last time. A look at an unchanged file costs one `stat`.
    fn changed(&mut self) -> Option<Result<Tune, String>> {
        let found = fs::metadata(TUNE).ok()?;
        let now = Some((found.ino(), found.mtime(), found.mtime_nsec(), found.size()));
        if now == self.seen {
            return None;
        }
        self.seen = now;
        let read = fs::read(TUNE).map_err(|error| error.to_string());
        let tune = read.and_then(|bytes| serde_json::from_slice::<Tune>(&bytes).map_err(|error| error.to_string()));
        match tune {
            Ok(tune) if self.version == Some(tune.version) => None,
            Ok(tune) => {
                self.version = Some(tune.version);
                Some(Ok(tune))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// The arguments with the changes, and why some of them were refused.
fn overlay(given: &Given, set: &BTreeMap<String, String>) -> (Given, BTreeMap<String, String>) {
    let (mut result, mut refused) = (given.clone(), BTreeMap::new());
    // Some values only do together, in an order that the alphabet does not know: what is refused gets a second try.
    for _ in 0..2 {
        for (name, value) in set {
            match changed(&result, name, value) {
                Ok(next) => {
                    result = next;
                    refused.remove(name);
                }
                Err(reason) => {
                    refused.insert(name.clone(), reason);
                }
            }
        }
    }
    (result, refused)
}

fn changed(given: &Given, name: &str, value: &str) -> Result<Given, String> {
    let argument = find(name).ok_or("the engine has no such argument")?;
    if argument.applies == Applies::Restart && given.text(argument.name) != Some(value) {
        return Err("takes effect when the job is started again".into());
    }
    if name == "kl-loss-coef" && !given.flag("use-kl-loss") {
        return Err("needs use-kl-loss, which takes effect when the job is started again".into());
    }
    let mut next = given.clone();
    next.set(argument, vec![value.to_owned()])?;
    Config::new(&next)?;
    Ok(next)
}

impl Trainer {
    /// Puts changes in force. `next_rollout_step` is the step at which the rollout after this one begins training; 0 when
    /// none has begun, so that everything holds from now on.
    pub(super) fn tune(&mut self, next_rollout_step: u64) {
        let tune = match self.tuning.changed() {
            None => return,
            Some(Err(error)) => {
                return self.report.notice(Severity::Warning, format!("cannot read {TUNE}: {error}"));
            }
            Some(Ok(tune)) => tune,
        };
        let (given, refused) = overlay(&self.tuning.given, &tune.set);
        let Ok(config) = Config::new(&given) else { return };
        let for_next = next_rollout_step > 0 && config.rollout != self.config.rollout;
        self.config = config;
        let (rollout, step) = (self.next_rollout(), self.step);
        let (rollout, step) = if for_next { (rollout + 1, next_rollout_step) } else { (rollout, step) };
        let mut set = tune.set;
        set.retain(|name, _| !refused.contains_key(name));
        let text =
            format!("tune {}: {set:?} from step {step}, rollout {rollout} on; refused {refused:?}", tune.version);
        crate::report::say(file!(), line!(), &text);
        self.report.report(Report::Tuned { version: tune.version, step, rollout, set, refused });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_checked_one_by_one() {
        let set = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let given = Given::default();
        let (after, refused) = overlay(
            &given,
            &set(&[
                ("lr", "0"),
                ("eps-clip", "much"),
                ("hidden-size", "128"),
                ("seed", "1234"),
                ("kl-loss-coef", "0.1"),
                ("nonsense", "1"),
                ("rollout-temperature", "0.7"),
            ]),
        );
        let config = Config::new(&after).unwrap();
        assert_eq!((config.step.lr, config.rollout.temperature, config.step.eps_clip), (0.0, 0.7, 0.2));
        assert_eq!(refused.keys().collect::<Vec<_>>(), ["eps-clip", "hidden-size", "kl-loss-coef", "nonsense"]);
        assert!(refused["eps-clip"].contains("a number from 0 to 1"));
        let smaller = set(&[("over-sampling-batch-size", "4"), ("rollout-batch-size", "4")]);
        assert!(overlay(&given, &smaller).1.is_empty(), "they only do together");
        let worse = set(&[("over-sampling-batch-size", "4")]);
        assert!(overlay(&given, &worse).1["over-sampling-batch-size"].contains("at least --rollout-batch-size"));
    }
}
