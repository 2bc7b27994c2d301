//! The plan for scripts.

use rldeck_core::{
    finding::Finding,
    forecast::{Forecast, Group},
    layout::Layout,
    plan::ray::{Launch, Start},
};
use serde_json::{Value, json};

use super::Plan;

/// All of it.
pub(super) fn plan(plan: &Plan) -> Value {
    let layout = plan.layout.as_ref().ok();
    let launch = plan.launch.as_ref().filter(|_| !plan.blocked());
    json!({
        "job": plan.job.name,
        "recipe": plan.job.recipe,
        "engine": plan.job.engine.name(),
        "nodes": plan.hosts,
        "gpus_per_node": plan.job.cluster.gpus_per_node,
        "layout": layout.map(self::layout),
        "stages": layout.map(stages).unwrap_or_default(),
        "engines": layout.map(Layout::engines).unwrap_or_default(),
        "forecast": plan.forecast.as_ref().map(forecast),
        "findings": plan.findings,
        "blocked": plan.blocked(),
        "commands": launch.map(commands),
        "added": launch.map(added),
        "shards": plan.shards.iter().map(shard).collect::<Vec<_>>(),
    })
}

/// Where there is no job, what is wrong with it.
pub(super) fn findings(findings: &[Finding]) -> Value {
    json!({ "findings": findings, "blocked": true })
}

fn layout(layout: &Layout) -> Value {
    let (dp, expert_dp) = layout.replicas();
    json!({
        "sizes": layout.sizes(), "dp": dp, "expert_dp": expert_dp, "gpus": layout.gpus(), "ranks": layout.ranks(),
        "metric_rank": layout.metric_rank(),
    })
}

fn stages(layout: &Layout) -> Vec<Value> {
    let all = layout.ranks();
    let stage = |(stage, layers): (u32, u32)| {
        let ranks = all.iter().filter(|rank| rank.pp == stage).map(|rank| rank.rank);
        json!({
            "stage": stage, "layers": layers, "first_layer": layout.first_layer(stage), "ranks": ranks.collect::<Vec<_>>(),
        })
    };
    (0..).zip(layout.stage_layers()).map(stage).collect()
}

fn forecast(forecast: &Forecast) -> Value {
    let sums =
        Group::ALL.map(|group| json!({ "group": group, "label": group.label(), "bytes": forecast.total(group) }));
    json!({
        "parameters": forecast.parameters, "stage": forecast.stage, "terms": forecast.terms, "sums": sums,
        "counts": forecast.counts, "gpu_bytes": forecast.gpu_bytes(), "static_bytes": forecast.static_bytes(),
        "host_peak": forecast.host_peak(),
    })
}

fn commands(launch: &Launch) -> Value {
    let workers = launch.workers.iter().map(|Start { host, argv, .. }| json!({ "host": host, "argv": argv }));
    json!({
        "head": launch.head.argv, "workers": workers.collect::<Vec<_>>(), "submit": launch.submit,
        "argv": launch.argv, "env_vars": launch.env_vars,
    })
}

fn added(launch: &Launch) -> Value {
    let start = |Start { host, added, .. }: &Start| json!({ "host": host, "argv": added.argv, "env": added.env });
    let added = &launch.added;
    json!({
        "starts": std::iter::once(&launch.head).chain(&launch.workers).map(start).collect::<Vec<_>>(),
        "argv": added.argv, "env": added.env, "env_vars": added.env_vars, "entrypoint": launch.entrypoint,
    })
}

fn shard(spec: &rldeck_core::shard::Spec) -> Value {
    json!({ "name": spec.id.label(), "role": spec.role.name(), "node": spec.node, "argv": spec.argv, "env": spec.env })
}
