//! What a rollout looked like, under slime's names.

use std::collections::BTreeMap;

use rldeck_core::shard::{Funnel, Report, Sample};

use super::{Clock, Trainer, gather::Group, generate::Gathered};
use crate::{grpo::advantages, task::decode};

/// A sample's text is cut here.
const LONGEST: usize = 2000;

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl Trainer {
    /// Funnel, samples and metrics of what was generated.
    pub(super) fn report_rollout(&mut self, rollout: u64, gathered: &Gathered, seconds: f64) {
        let groups = &gathered.groups;
        let kept: Vec<&Group> = groups.iter().filter(|group| group.dropped.is_none()).collect();
        let mut values = BTreeMap::new();
        let mut set = |name: &str, value: f64| {
            values.insert(name.to_owned(), value);
        };
        let rewards = |groups: &[&Group]| groups.iter().flat_map(|group| group.rewards.clone()).collect::<Vec<_>>();
        let all: Vec<&Group> = groups.iter().collect();
        set("rollout/sampled_reward", mean(&rewards(&all)));
        set("rollout/raw_reward", mean(&rewards(&kept)));
        set("rollout/rewards", mean(&kept.iter().flat_map(|group| advantages(&group.rewards)).collect::<Vec<_>>()));
        let mut lengths: Vec<f64> =
            all.iter().flat_map(|group| &group.responses).map(|response| response.tokens.len() as f64).collect();
        lengths.sort_by(f64::total_cmp);
        set("rollout/response_len/mean", mean(&lengths));
        set("rollout/response_len/median", lengths.get(lengths.len() / 2).copied().unwrap_or(f64::NAN));
        set("rollout/response_len/min", lengths.first().copied().unwrap_or(f64::NAN));
        set("rollout/response_len/max", lengths.last().copied().unwrap_or(f64::NAN));
        let cut = all.iter().flat_map(|group| &group.responses).map(|response| f64::from(response.truncated));
        set("rollout/truncated_ratio", mean(&cut.collect::<Vec<_>>()));
        set("perf/rollout_time", seconds);
        let tokens: f64 = lengths.iter().sum();
        set("perf/tokens_per_gpu_per_sec", tokens / seconds / self.config.shards as f64);
        let mut funnel = Funnel { rollout, sampled: groups.len() as u64, kept: kept.len() as u64, ..Funnel::default() };
        for reason in groups.iter().filter_map(|group| group.dropped.as_ref()) {
            *funnel.dropped.entry(reason.clone()).or_default() += 1;
        }
        for (reason, count) in &funnel.dropped {
            set(&format!("rollout/dynamic_filter/drop_{reason}"), *count as f64);
            // slime counts groups of equal rewards under the rounded reward.
            let reward = reason.trim_start_matches("zero_std_").trim_end_matches(".0");
            set(&format!("rollout/zero_std/count_{reward}"), *count as f64);
        }
        self.report.report(Report::Funnel(funnel));
        self.report_samples(rollout, groups);
        self.metrics("rollout", rollout, None, values);
    }

    /// A kept group's best or worst in turns, and one that was dropped.
    fn report_samples(&mut self, rollout: u64, groups: &[Group]) {
        let chosen =
            [groups.iter().find(|group| group.dropped.is_none()), groups.iter().find(|group| group.dropped.is_some())];
        for group in chosen.into_iter().flatten() {
            let best = rollout.is_multiple_of(2);
            let by = |index: &usize| (group.rewards[*index] * if best { 1.0 } else { -1.0 }) as i64;
            let Some(index) = (0..group.rewards.len()).max_by_key(by) else { continue };
            let (prompt, response) = (&self.prompts[group.prompt], &group.responses[index]);
            let sample = Sample {
                rollout,
                group: group.index as u64,
                prompt: prompt.text.chars().take(LONGEST).collect(),
                response: decode(&response.tokens).chars().take(LONGEST).collect(),
                label: prompt.label.chars().take(LONGEST).collect(),
                reward: group.rewards[index],
                tokens: response.tokens.len() as u64,
                truncated: response.truncated,
                dropped: group.dropped.clone(),
            };
            self.report.report(Report::Sample(sample));
        }
    }

    /// Where the time of a rollout went.
    pub(super) fn report_perf(&mut self, rollout: u64, clock: &Clock) {
        let mut values: BTreeMap<String, f64> = clock
            .0
            .iter()
            .filter(|(name, _)| !matches!(**name, "rollout" | "tokens"))
            .map(|(name, seconds)| (format!("perf/{name}_time"), *seconds))
            .collect();
        let (wait, train) = (clock.of("rollout"), clock.of("log_probs") + clock.of("actor_train"));
        values.insert("perf/train_wait_time".into(), wait);
        values.insert("perf/train_time".into(), train);
        values.insert("perf/step_time".into(), wait + train);
        values.insert("perf/wait_time_ratio".into(), wait / (wait + train));
        values.insert("perf/actor_train_tok_per_s".into(), clock.of("tokens") / clock.of("actor_train"));
        self.metrics("perf", rollout, None, values);
    }
}
