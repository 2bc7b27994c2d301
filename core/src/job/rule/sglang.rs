//! The inference engines: how many there are and how each is cut.

use super::{Case, Law, case::uneven, law::Scope};

const ENGINE: &str = "rollout-num-gpus-per-engine";
const EP: &str = "sglang-ep-size";
const PP: &str = "sglang-pp-size";
const BACKEND: &str = "sglang-moe-a2a-backend";

/// Arguments of SGLang that slime sets itself and does not take.
const TAKEN: &[&str] = &[
    "sglang-model-path",
    "sglang-trust-remote-code",
    "sglang-random-seed",
    "sglang-enable-memory-saver",
    "sglang-tp-size",
    "sglang-port",
    "sglang-nnodes",
    "sglang-node-rank",
    "sglang-dist-init-addr",
    "sglang-gpu-id-step",
    "sglang-base-gpu-id",
    "sglang-nccl-port",
    "sglang-skip-server-warmup",
    "sglang-enable-return-routed-experts",
];

fn deepep(case: &Case<'_>) -> bool {
    case.holds(BACKEND, "deepep")
}

/// What the engine's EP follows from.
fn ep_name(case: &Case<'_>) -> &'static str {
    if deepep(case) { "the GPUs of an engine, which DeepEP shares the experts over" } else { "ep-size" }
}

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::Sglang,
        "sglang.engines",
        "the GPUs of the engines are a multiple of those of one engine",
        &[ENGINE, "rollout-num-gpus", "cluster.hosts", "cluster.gpus-per-node"],
        |case| {
            let (gpus, each) = (case.gpus?.rollout, case.engine.gpus);
            (gpus > 0 && uneven(gpus, each))
                .then(|| format!("the engines have {gpus} GPUs, which is not a multiple of {ENGINE} ({each})"))
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.nodes",
        "an engine has whole nodes, or several engines share one",
        &[ENGINE, "cluster.gpus-per-node"],
        |case| {
            let (each, node) = (case.engine.gpus, u64::from(case.job.cluster.gpus_per_node));
            let even = if each > node { !uneven(each, node) } else { !uneven(node, each) };
            (!even).then(|| {
                format!(
                    "{ENGINE} is {each}, but nodes have {node} GPUs: an engine would have a part of a node; write a \
                     divisor or a multiple of {node}"
                )
            })
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.gpus-per-node",
        "num-gpus-per-node is what the nodes have",
        &["num-gpus-per-node", "cluster.gpus-per-node"],
        |case| {
            let (said, node) =
                (case.count("num-gpus-per-node").unwrap_or(8), u64::from(case.job.cluster.gpus_per_node));
            let default = if case.set("num-gpus-per-node") { "" } else { " when it is not given" };
            (said != node).then(|| {
                format!(
                    "num-gpus-per-node is {said}{default}, but gpus-per-node of [cluster] {node}: write \
                     num-gpus-per-node = {node} below [sglang]"
                )
            })
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.pipeline",
        "the GPUs of an engine are a multiple of its stages",
        &[PP, ENGINE],
        |case| {
            let (gpus, pp) = (case.engine.gpus, case.engine.pp);
            uneven(gpus, pp).then(|| format!("{ENGINE} ({gpus}) is not a multiple of pp-size ({pp})"))
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.expert-parallel",
        "the GPUs of an engine are a multiple of those that share the experts",
        &[EP, ENGINE, PP, BACKEND],
        |case| {
            let (tp, ep) = (case.engine.tp, case.engine.ep);
            uneven(tp, ep).then(|| format!("ep-size is {ep}, which does not divide the {tp} GPUs of an engine's TP"))
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.experts",
        "each GPU of an engine has as many experts",
        &[EP, "num-experts", BACKEND, ENGINE],
        |case| {
            let (experts, ep) = (case.count("num-experts")?, case.engine.ep);
            uneven(experts, ep)
                .then(|| format!("num-experts ({experts}) is not a multiple of {ep} ({})", ep_name(case)))
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.expert-ffn",
        "each GPU of an engine has as much of an expert",
        &["moe-ffn-hidden-size", EP, ENGINE, BACKEND],
        |case| {
            case.count("num-experts")?;
            let (width, parts) = (case.count("moe-ffn-hidden-size")?, (case.engine.tp / case.engine.ep).max(1));
            uneven(width, parts).then(|| {
                format!("moe-ffn-hidden-size ({width}) is not a multiple of the {parts} GPUs that share an expert in an engine")
            })
        },
    ),
    Law::warning(
        Scope::Sglang,
        "sglang.deepep",
        "DeepEP shares the experts over all GPUs of an engine",
        &[EP, BACKEND, ENGINE],
        |case| {
            let (tp, said) = (case.engine.tp, case.whole(EP)?);
            (deepep(case) && said != tp).then(|| {
                format!("ep-size is {said}, but moe-a2a-backend = \"deepep\" makes it {tp}, the GPUs of an engine: write {tp}")
            })
        },
    ),
    Law::error(Scope::Sglang, "sglang.taken", "what slime sets of an engine is left to slime", TAKEN, |case| {
        let name = TAKEN.iter().find(|name| case.set(name))?;
        let instead = if *name == "sglang-tp-size" { "write rollout-num-gpus-per-engine" } else { "leave it out" };
        Some(format!("slime sets --{name} itself and does not take it: {instead}"))
    }),
    Law::error(
        Scope::Sglang,
        "sglang.groups",
        "groups of engines are described in one way",
        &["sglang-config", "prefill-num-servers", "rollout-external-engine-addrs"],
        |case| {
            let ways = ["sglang-config", "prefill-num-servers", "rollout-external-engine-addrs"];
            let ways: Vec<_> = ways.into_iter().filter(|name| case.set(name)).collect();
            (ways.len() > 1).then(|| format!("{} exclude each other: keep one of them", ways.join(" and ")))
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.prefill",
        "prompts are read in whole pages",
        &["sglang-chunked-prefill-size", "sglang-page-size"],
        |case| {
            let (size, page) = (case.count("sglang-chunked-prefill-size")?, case.count("sglang-page-size")?);
            uneven(size, page).then(|| format!("chunked-prefill-size ({size}) is not a multiple of page-size ({page})"))
        },
    ),
];
