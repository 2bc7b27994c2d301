use std::process::ExitCode;

use clap::Args;
use rldeck_agent::home::Home;
use rldeck_core::deck::{Deck, Series};
use serde_json::{Value, json};

use super::{Failure, say};
use crate::link::Client;

#[derive(Debug, Args)]
pub(super) struct Status {
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let deck = Client::connect(&home).await?.deck().await?;
        match self.json {
            true => say(json(&deck).to_string()),
            false => words(&deck).iter().for_each(say),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// All that a script may want to know.
pub(super) fn json(deck: &Deck) -> Value {
    let run = &deck.run;
    let shards = deck.shards.values().map(|shard| {
        json!({
            "name": shard.id.label(), "attempt": shard.id.attempt, "role": shard.role.name(), "rank": shard.rank,
            "node": shard.node, "pid": shard.pid, "state": shard.state.word(), "detail": shard.state.to_string(),
        })
    });
    let nodes = deck.nodes.values().map(|node| {
        let frame = node.frame.as_ref();
        json!({
            "name": node.name, "connected": node.connected, "pid": node.pid, "version": node.version,
            "cpus": frame.map(|frame| &frame.host.cpus), "memory_used": frame.map(|frame| frame.host.memory_used),
            "memory_total": frame.map(|frame| frame.host.memory_total), "gpus": frame.map(|frame| frame.gpus.len()),
            "note": frame.map(|frame| &frame.note),
        })
    });
    let metrics = deck.series.iter().map(|(name, series)| {
        (name.clone(), json!({ "last": series.last().filter(|value| value.is_finite()), "count": series.total }))
    });
    let settings = deck.settings.values().map(|setting| {
        (
            setting.name.clone(),
            json!({ "value": setting.value, "pending": setting.pending, "refused": setting.refused }),
        )
    });
    let alerts = deck
        .alerts
        .values()
        .map(|alert| json!({ "severity": alert.severity, "text": alert.text, "since": alert.since }));
    json!({
        "run": run.id, "job": run.job, "engine": run.engine, "state": run.state, "reason": run.reason,
        "attempt": run.attempt, "rollout": run.rollout, "num_rollout": run.num_rollout, "step": run.step,
        "checkpoint": run.checkpoint, "eta_ms": deck.eta(),
        "nodes": nodes.collect::<Vec<_>>(), "shards": shards.collect::<Vec<_>>(),
        "metrics": metrics.collect::<serde_json::Map<_, _>>(), "settings": settings.collect::<serde_json::Map<_, _>>(),
        "alerts": alerts.collect::<Vec<_>>(), "dropped": deck.dropped,
    })
}

fn words(deck: &Deck) -> Vec<String> {
    let run = &deck.run;
    if run.id.is_empty() {
        return vec![format!("no run; {} agents", deck.nodes.values().filter(|node| node.connected).count())];
    }
    let mut lines = vec![format!("{}  {}  attempt {}", run.id, run.state.name(), run.attempt)];
    if !run.reason.is_empty() {
        lines.push(format!("  {}", run.reason));
    }
    if let Some(rollout) = run.rollout {
        let last = |series: Option<&Series>| {
            series.and_then(Series::last).map_or("-".to_owned(), |value| format!("{value:.3}"))
        };
        lines.push(format!(
            "  rollout {} of {}  reward {}  eval {}  checkpoint {}",
            rollout,
            run.num_rollout,
            last(deck.reward()),
            last(deck.evaluation()),
            run.checkpoint.map_or("none".to_owned(), |rollout| format!("after rollout {rollout}")),
        ));
    }
    for node in deck.nodes.values() {
        let heard = if node.connected { "connected" } else { "not heard" };
        lines.push(format!("  {:<10} {heard}", node.name));
        let of_node = |shard: &&rldeck_core::deck::ShardStatus| {
            shard.node == node.name && (shard.id.attempt == run.attempt || shard.state.alive())
        };
        for shard in deck.shards.values().filter(of_node) {
            lines.push(format!("    {:<12} pid {:<8} {}", shard.id.label(), shard.pid, shard.state));
        }
    }
    lines.extend(deck.alerts.values().map(|alert| format!("  ! {}", alert.text)));
    lines.extend(deck.dropped.iter().map(|(place, count)| format!("  dropped {count}: {place}")));
    lines
}
