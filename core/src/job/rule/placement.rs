//! The GPUs that a job asks for against those that its machines have.

use super::{Law, law::Scope};

const ENGINES: &str = "rollout-num-gpus";
const HOSTS: &str = "cluster.hosts";
const COLOCATE: &str = "cluster.colocate";
const PER_NODE: &str = "cluster.gpus-per-node";

pub(super) const LAWS: &[Law] = &[
    Law::error(Scope::Slime, "placement.twice", "each host is named once", &[HOSTS], |case| {
        let hosts = case.hosts();
        let twice = hosts.iter().enumerate().find(|(at, host)| hosts[..*at].contains(host))?.1;
        Some(format!("the host {twice} is there twice: its GPUs would be given out twice"))
    }),
    Law::error(
        Scope::Sglang,
        "placement.engines",
        "engines that do not share GPUs with training have GPUs of their own",
        &[ENGINES, COLOCATE],
        |case| {
            (!case.job.cluster.colocate && case.whole(ENGINES).is_none() && !case.flag("debug-rollout-only")).then(
                || {
                    "training and engines do not take turns, and nobody says how many GPUs the engines have: write \
                 colocate = true below [cluster], or rollout-num-gpus below [sglang]"
                        .to_owned()
                },
            )
        },
    ),
    Law::error(
        Scope::Slime,
        "placement.size",
        "there are as many GPUs as training and engines ask for",
        &[ENGINES, HOSTS, PER_NODE, COLOCATE],
        |case| {
            let (gpus, engines) = (case.gpus?, case.whole(ENGINES)?);
            let all = gpus.all;
            let shared = case.job.cluster.colocate || gpus.train == 0;
            let text = if engines > all {
                format!(
                    "rollout-num-gpus is {engines}, but there are {all} GPUs: Ray would wait for the others forever"
                )
            } else if engines == all && !shared {
                format!("rollout-num-gpus is {engines}, all GPUs that there are: none is left for training")
            } else {
                return None;
            };
            let colocate = if shared { "" } else { ", or colocate = true below [cluster]" };
            Some(format!("{text}; write fewer{colocate}"))
        },
    ),
    Law::error(
        Scope::Slime,
        "placement.split",
        "training on several nodes has them whole",
        &[ENGINES, PER_NODE, HOSTS],
        |case| {
            let gpus = case.gpus.filter(|gpus| gpus.train > gpus.per_node)?;
            let rest = gpus.train % gpus.per_node;
            (rest != 0).then(|| {
                format!(
                    "{} GPUs less rollout-num-gpus leave {} for training, which are no whole nodes of {}: write \
                     rollout-num-gpus = {}",
                    gpus.all,
                    gpus.train,
                    gpus.per_node,
                    gpus.all - gpus.train + rest
                )
            })
        },
    ),
    Law::error(
        Scope::Slime,
        "placement.gpus-per-node",
        "the nodes have the GPUs that the job counts on",
        &[PER_NODE],
        |case| {
            let (found, asked) = (case.facts.gpus_per_node?, case.job.cluster.gpus_per_node);
            (found < asked).then(|| {
                format!("gpus-per-node is {asked}, but a node has {found}: write {found}, or leave that node out")
            })
        },
    ),
];
