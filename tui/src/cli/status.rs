use std::process::ExitCode;

use clap::Args;
use rldeck_agent::home::Home;
use rldeck_core::{
    deck::{Deck, Node, Series, ShardStatus},
    job::Engine,
    run::ShardState,
    shard::Role,
};
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
    match run.engine == Engine::Slime.name() {
        true => lines.extend(ray(deck)),
        false => deck.nodes.values().for_each(|node| lines.extend(of_node(deck, node))),
    }
    let mut alerts: Vec<_> = deck.alerts.values().collect();
    alerts.sort_by_key(|alert| std::cmp::Reverse(alert.severity));
    lines.extend(alerts.iter().map(|alert| format!("  ! {}", alert.text)));
    lines.extend(deck.dropped.iter().map(|(place, count)| format!("  dropped {count}: {place}")));
    lines
}

/// A node with all that runs on it.
fn of_node(deck: &Deck, node: &Node) -> Vec<String> {
    let heard = if node.connected { "connected" } else { "not heard" };
    let mut lines = vec![format!("  {:<10} {heard}", node.name)];
    let shards = present(deck).filter(|shard| shard.node == node.name);
    lines.extend(shards.map(|shard| format!("    {:<12} pid {:<8} {}", shard.id.label(), shard.pid, shard.state)));
    lines
}

/// The driver and the nodes of Ray: how many are well, and each that is not.
fn ray(deck: &Deck) -> Vec<String> {
    let (nodes, others): (Vec<_>, Vec<_>) = present(deck).partition(|shard| shard.role == Role::Ray);
    let mut lines: Vec<String> = others
        .iter()
        .map(|shard| format!("  {:<10} {} on {}, pid {}", shard.id.label(), shard.state, shard.node, shard.pid))
        .collect();
    let heard = |node: &str| deck.nodes.get(node).is_some_and(|node| node.connected);
    let well = |shard: &ShardStatus| shard.state == ShardState::Running && heard(&shard.node);
    let running = nodes.iter().filter(|shard| well(shard)).count();
    lines.push(format!("  {:<10} {running} of {} nodes running", "ray", nodes.len()));
    for shard in nodes.iter().filter(|shard| !well(shard)) {
        let silent = if heard(&shard.node) { "" } else { ", not heard" };
        lines.push(format!("    {:<12} {} {}{silent}", shard.node, shard.id.label(), shard.state));
    }
    // Such as have joined and take no part.
    let idle: Vec<&str> = deck
        .nodes
        .values()
        .filter(|node| !nodes.iter().chain(&others).any(|shard| shard.node == node.name))
        .map(|node| node.name.as_str())
        .collect();
    if !nodes.is_empty() && !idle.is_empty() {
        lines.push(format!("    without part in it: {}", idle.join(", ")));
    }
    lines
}

/// The shards of the present attempt, and what still runs of earlier ones.
fn present(deck: &Deck) -> impl Iterator<Item = &ShardStatus> {
    let attempt = deck.run.attempt;
    deck.shards.values().filter(move |shard| shard.id.attempt == attempt || shard.state.alive())
}

#[cfg(test)]
mod tests {
    use rldeck_core::{
        deck::{Alert, Change, RunStatus},
        run::State,
        shard::{Severity, ShardId},
    };

    use super::*;

    #[test]
    fn of_a_run_of_slime_only_what_is_not_well_has_a_line() {
        let mut deck = Deck::default();
        let (id, engine, state) = ("r".to_owned(), "slime".to_owned(), State::Running);
        deck.apply(Change::Run(RunStatus { id, engine, state, attempt: 2, ..RunStatus::default() }));
        let mut shard = |name: &str, role: Role, node: &str, state: ShardState| {
            let id = ShardId { attempt: 2, name: name.to_owned(), life: 0 };
            deck.apply(Change::Node(Node { name: node.to_owned(), connected: node != "c", ..Node::default() }));
            deck.apply(Change::Shard(ShardStatus {
                id,
                role,
                rank: 0,
                node: node.to_owned(),
                state,
                pid: 7,
                since: 1,
            }));
        };
        shard("ray-0", Role::Ray, "a", ShardState::Running);
        shard("ray-1", Role::Ray, "b", ShardState::Killed { signal: 9 });
        shard("ray-2", Role::Ray, "c", ShardState::Running);
        shard("driver", Role::Driver, "a", ShardState::Running);
        deck.apply(Change::Node(Node { name: "d".into(), connected: true, ..Node::default() }));
        for (id, severity, text) in [("a", Severity::Warning, "slow"), ("b", Severity::Error, "c is not heard")] {
            deck.apply(Change::Raise(Alert { id: id.into(), severity, since: 1, text: text.into() }));
        }
        let expected = [
            "r  running  attempt 2",
            "  driver     running on a, pid 7",
            "  ray        1 of 3 nodes running",
            "    b            ray-1 killed (SIGKILL)",
            "    c            ray-2 running, not heard",
            "    without part in it: d",
            "  ! c is not heard",
            "  ! slow",
        ];
        assert_eq!(words(&deck), expected);
    }
}
