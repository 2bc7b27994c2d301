//! Tokens of a rollout and of the engines' caches.

use serde::Serialize;

use super::{Forecast, Group, number::grouped};
use crate::{
    job::Job,
    layout::{Layout, count},
};

/// A number of tokens or requests with its formula.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What is counted.
    pub name: String,
    /// How many.
    pub count: u64,
    /// How it comes about, with the numbers of this job.
    pub formula: String,
}

impl Count {
    fn new(name: &str, count: u64, formula: String) -> Count {
        Count { name: name.to_owned(), count, formula }
    }
}

/// What the engines' caches hold.
pub(super) fn cache(job: &Job, layout: &Layout, forecast: &Forecast, token: (u64, String)) -> Vec<Count> {
    let (each, formula) = token;
    let (Some(room), engines) = (forecast.static_bytes(), layout.engines().len() as u64) else { return Vec::new() };
    let weights = forecast.total(Group::Engine);
    let left = room.saturating_sub(weights);
    let tokens = left / each.max(1);
    let mut counts = vec![
        Count::new("bytes of a token in the cache", each, formula),
        Count::new(
            "tokens in the cache of a GPU",
            tokens,
            format!("({} - {} of weights) / {each}", grouped(room), grouped(weights)),
        ),
    ];
    if engines > 0 {
        let dp = crate::layout::EngineSizes::of(job).dp;
        counts.push(Count::new(
            "tokens in the caches of all engines",
            tokens.saturating_mul(dp).saturating_mul(engines),
            format!("{} x {dp} replicas of attention x {engines} engines", grouped(tokens)),
        ));
    }
    counts
}

/// What a rollout samples at most.
pub(super) fn rollout(job: &Job, layout: &Layout) -> Vec<Count> {
    let mut counts = Vec::new();
    let engines = layout.engines().len() as u64;
    let requests = count(job, "sglang-server-concurrency").unwrap_or(512);
    if engines > 0 {
        let formula = format!("{requests} (server-concurrency) x {engines} engines");
        counts.push(Count::new("requests at a time", requests.saturating_mul(engines), formula));
    }
    let (Some(groups), Some(longest)) = (count(job, "rollout-batch-size"), count(job, "rollout-max-response-len"))
    else {
        return counts;
    };
    let each = count(job, "n-samples-per-prompt").unwrap_or(1);
    let mut most = |name: &str, groups: u64| {
        let count = groups.saturating_mul(each).saturating_mul(longest);
        counts.push(Count::new(name, count, format!("{groups} groups x {each} samples x {longest} tokens at most")));
    };
    most("tokens that a rollout trains on", groups);
    if let Some(sampled) = count(job, "over-sampling-batch-size").filter(|sampled| *sampled > groups) {
        most("tokens sampled at a time", sampled);
    }
    counts
}
