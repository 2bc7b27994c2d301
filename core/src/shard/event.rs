use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Millis;

/// One line of `events.jsonl`: `{"at":1764000000000,"kind":"metrics",...}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened.
    pub at: Millis,
    /// What happened.
    #[serde(flatten)]
    pub report: Report,
}

/// What a shard reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Report {
    /// It is up and has all it needs.
    Ready,
    /// Values of one rollout, or of one optimizer step of it. Names are slime's (`train/loss`, `rollout/raw_reward`, ...).
    Metrics {
        /// Rollout number, from 0, the same over all attempts of a run.
        rollout: u64,
        /// Optimizer step, from 0; absent for values of a whole rollout.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u64>,
        /// A value that is not finite is written as null and read as NaN.
        #[serde(with = "values")]
        values: BTreeMap<String, f64>,
    },
    /// A phase begins: `generate`, `logprob`, `train`, `save`, `sync`, `eval`, ... It lasts until the next one of this shard.
    Phase {
        /// Its name; empty when the shard has nothing to do.
        name: String,
        /// The rollout it belongs to.
        rollout: u64,
    },
    /// How far the present phase is.
    Progress {
        /// What is counted: `samples`, `steps`, `bytes`.
        unit: String,
        /// So many are done.
        done: u64,
        /// Of so many; 0 when not known.
        total: u64,
    },
    /// What dynamic sampling did with one rollout.
    Funnel(Funnel),
    /// One response, as the model wrote it.
    Sample(Sample),
    /// A complete checkpoint lies on disk.
    Checkpoint {
        /// The last rollout that it contains.
        rollout: u64,
        /// Its directory.
        path: String,
        /// Size of all its files.
        bytes: u64,
    },
    /// The live changes of this version are in force.
    Tuned {
        /// Version of `tune.json`.
        version: u64,
        /// The first optimizer step that uses them.
        step: u64,
        /// The first rollout that uses them.
        rollout: u64,
        /// Name to value, as in `tune.json`.
        set: BTreeMap<String, String>,
        /// Name to reason, for what could not be applied.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        refused: BTreeMap<String, String>,
    },
    /// Something the operator should read.
    Notice {
        /// How bad.
        severity: Severity,
        /// One line: what happened, where, what to do.
        text: String,
    },
    /// The job has come to its end: the process exits 0 after this.
    Finished {
        /// The last rollout trained.
        rollout: u64,
    },
}

/// What dynamic sampling did with the groups of one rollout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funnel {
    /// Rollout number.
    pub rollout: u64,
    /// Groups whose samples were all finished.
    pub sampled: u64,
    /// Reason (slime's: `zero_std_0.0`, `zero_std_1.0`) to groups dropped.
    pub dropped: BTreeMap<String, u64>,
    /// Groups that are trained on.
    pub kept: u64,
}

/// One response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Rollout number.
    pub rollout: u64,
    /// Group of samples with the same prompt, within the rollout.
    pub group: u64,
    /// The prompt.
    pub prompt: String,
    /// What the model wrote, thinking included.
    pub response: String,
    /// The right answer.
    pub label: String,
    /// What the rule gave.
    pub reward: f64,
    /// Response length in tokens.
    pub tokens: u64,
    /// Cut off at the longest length allowed.
    #[serde(default)]
    pub truncated: bool,
    /// Why its group was dropped; absent when it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
}

/// How bad a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look when there is time.
    Warning,
    /// Something is lost or stands still.
    Error,
}

/// JSON has no NaN: null stands for it, both ways.
mod values {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &BTreeMap<String, f64>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(values.iter().map(|(name, value)| (name, value.is_finite().then_some(*value))))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, f64>, D::Error> {
        let read = BTreeMap::<String, Option<f64>>::deserialize(from)?;
        Ok(read.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_and_nan_survives() {
        let event = Event {
            at: 7,
            report: Report::Metrics {
                rollout: 3,
                step: Some(6),
                values: [("train/loss".to_owned(), 0.5), ("train/grad_norm".to_owned(), f64::NAN)].into(),
            },
        };
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(
            line,
            r#"{"at":7,"kind":"metrics","rollout":3,"step":6,"values":{"train/grad_norm":null,"train/loss":0.5}}"#
        );
        let Report::Metrics { values, .. } = serde_json::from_str::<Event>(&line).unwrap().report else { panic!() };
        assert!(values["train/grad_norm"].is_nan());
    }

    #[test]
    fn a_funnel_keeps_its_fields_flat() {
        let line = r#"{"at":1,"kind":"funnel","rollout":2,"sampled":9,"dropped":{"zero_std_1.0":5},"kept":4}"#;
        let event: Event = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
    }
}
