//! Who does what, a line a node.

use rldeck_core::layout::{EngineRank, EngineSizes, Layout, Rank, Sizes};

use super::{
    Plan,
    numbers::{counted, ranges},
};
use crate::cli::table::aligned;

/// The grid of training ranks.
pub(super) fn ranks(plan: &Plan, layout: &Layout) -> Vec<String> {
    let Sizes { tp, pp, cp, ep, etp } = layout.sizes();
    let (dp, edp) = layout.replicas();
    let gpus = layout.gpus();
    if gpus.train == 0 {
        return vec!["no training".to_owned()];
    }
    let mut lines = vec![format!(
        "training on {} GPUs: tp {tp}  pp {pp}  cp {cp}  dp {dp}; experts: ep {ep}  etp {etp}  dp {edp}",
        gpus.train
    )];
    let hosts = hosts(plan);
    let all = layout.ranks();
    let mut rows = vec![head(&["node", "host", "ranks", "pp", "tp", "cp", "dp", "ep"])];
    for of_node in all.chunk_by(|a, b| a.node == b.node) {
        let parts = |part: fn(&Rank) -> u32| ranges(of_node.iter().map(part));
        let node = of_node[0].node;
        let several = |parts: String| if dp > 1 { parts } else { "0".to_owned() };
        rows.push(vec![
            node.to_string(),
            host(&hosts, node),
            parts(|rank| rank.rank),
            parts(|rank| rank.pp),
            parts(|rank| rank.tp),
            parts(|rank| rank.cp),
            several(parts(|rank| rank.dp)),
            parts(|rank| rank.ep),
        ]);
    }
    lines.extend(aligned(&rows, &[]).into_iter().map(|line| format!("  {line}")));
    lines
}

/// The layers of each stage, and who has them.
pub(super) fn stages(layout: &Layout) -> Vec<String> {
    let all = layout.ranks();
    let mut rows = vec![head(&["stage", "layers", "which", "ranks", "nodes"])];
    for (stage, layers) in (0..).zip(layout.stage_layers()) {
        let first = layout.first_layer(stage);
        let of_stage = || all.iter().filter(|rank| rank.pp == stage);
        rows.push(vec![
            format!("pp{stage}"),
            layers.to_string(),
            if layers == 0 { String::new() } else { ranges(first..first + layers) },
            ranges(of_stage().map(|rank| rank.rank)),
            ranges(of_stage().map(|rank| rank.node)),
        ]);
    }
    aligned(&rows, &[1])
}

/// The GPUs of each engine.
pub(super) fn engines(plan: &Plan, layout: &Layout) -> Vec<String> {
    let engines = layout.engines();
    if engines.is_empty() {
        return vec!["none".to_owned()];
    }
    let EngineSizes { gpus, pp, tp, dp, ep } = EngineSizes::of(&plan.job);
    let mut lines = vec![format!(
        "{} of {} each: tp {tp}  pp {pp}  ep {ep}; attention: dp {dp} of {} each",
        counted(engines.len(), "engine"),
        counted(gpus as usize, "GPU"),
        counted((tp / dp.max(1)).max(1) as usize, "GPU")
    )];
    let hosts = hosts(plan);
    let mut rows = vec![head(&["engine", "node", "host", "GPUs", "dp", "tp", "pp", "ep"])];
    for engine in engines {
        for of_node in engine.ranks.chunk_by(|a, b| a.node == b.node) {
            let parts = |part: fn(&EngineRank) -> u32| ranges(of_node.iter().map(part));
            let node = of_node[0].node;
            rows.push(vec![
                engine.index.to_string(),
                node.to_string(),
                host(&hosts, node),
                parts(|rank| rank.gpu),
                parts(|rank| rank.dp),
                parts(|rank| rank.tp),
                parts(|rank| rank.pp),
                parts(|rank| rank.ep),
            ]);
        }
    }
    lines.extend(aligned(&rows, &[]).into_iter().map(|line| format!("  {line}")));
    lines
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn host(hosts: &[String], node: u32) -> String {
    hosts.get(node as usize).cloned().unwrap_or_default()
}

/// The hosts as the layout counts them: slime sorts them by their addresses. Names are counted as they are written.
fn hosts(plan: &Plan) -> Vec<String> {
    let mut hosts = plan.hosts.clone();
    let address = |host: &String| host.parse::<std::net::IpAddr>().ok();
    if hosts.iter().all(|host| address(host).is_some()) {
        hosts.sort_by_key(address);
    }
    hosts
}
