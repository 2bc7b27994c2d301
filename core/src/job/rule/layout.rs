//! How training is cut over the GPUs.

use super::{Law, case::uneven, law::Scope};

const TP: &str = "tensor-model-parallel-size";
const PP: &str = "pipeline-model-parallel-size";
const CP: &str = "context-parallel-size";
const EP: &str = "expert-model-parallel-size";
const ETP: &str = "expert-tensor-parallel-size";
const SP: &str = "sequence-parallel";
const HOSTS: &str = "cluster.hosts";

/// `name` of `what` cannot be cut in `parts`.
fn cut(what: &str, size: u64, name: &str, parts: u64) -> Option<String> {
    uneven(size, parts).then(|| format!("{what} ({size}) is not a multiple of {name} ({parts})"))
}

/// How many nodes come out even.
fn nodes(of: u64, per_node: u64) -> u64 {
    let (mut a, mut b) = (of, per_node);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    of / a.max(1)
}

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::Megatron,
        "layout.world",
        "the GPUs of training are a multiple of TP x PP x CP",
        &[HOSTS, TP, PP, CP, "rollout-num-gpus", "cluster.gpus-per-node"],
        |case| {
            let (gpus, sizes) = (case.gpus?, case.sizes);
            let of = sizes.dense();
            (gpus.train == 0 || uneven(gpus.train, of)).then(|| {
                format!(
                    "training has {} GPUs, which is not a multiple of TP x PP x CP = {} x {} x {} = {of}: use a \
                     multiple of {} nodes, or make one of the three smaller",
                    gpus.train,
                    sizes.tp,
                    sizes.pp,
                    sizes.cp,
                    nodes(of, gpus.per_node)
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "layout.expert-world",
        "the GPUs of training are a multiple of ETP x EP x PP",
        &[EP, ETP, PP, HOSTS, TP, "rollout-num-gpus", "cluster.gpus-per-node"],
        |case| {
            let (gpus, sizes) = (case.gpus?, case.sizes);
            let of = sizes.expert();
            let default = if case.set(ETP) { "" } else { " (ETP is TP when it is not given)" };
            (gpus.train > 0 && uneven(gpus.train, of)).then(|| {
                format!(
                    "training has {} GPUs, which is not a multiple of ETP x EP x PP = {} x {} x {} = {of}{default}: \
                     make expert-model-parallel-size or expert-tensor-parallel-size smaller",
                    gpus.train, sizes.etp, sizes.ep, sizes.pp
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "layout.mapping",
        "stages come before replicas only where experts and the rest have as many replicas",
        &["use-tp-pp-dp-mapping", EP, ETP, TP, CP],
        |case| {
            let sizes = case.sizes;
            let (dense, expert) = (sizes.tp.saturating_mul(sizes.cp), sizes.etp.saturating_mul(sizes.ep));
            (case.flag("use-tp-pp-dp-mapping") && case.set("num-experts") && dense != expert).then(|| {
                format!(
                    "use-tp-pp-dp-mapping needs TP x CP = ETP x EP, but they are {dense} and {expert}: leave it out, or \
                     make them equal"
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "layout.heads",
        "each TP rank has as many attention heads",
        &["num-attention-heads", TP],
        |case| cut("num-attention-heads", case.count("num-attention-heads")?, TP, case.sizes.tp),
    ),
    Law::error(
        Scope::Megatron,
        "layout.query-groups",
        "query groups are shared out over TP ranks, or TP ranks over query groups",
        &["num-query-groups", TP],
        |case| {
            let groups = case.count("num-query-groups").filter(|_| case.flag("group-query-attention"))?;
            let tp = case.sizes.tp;
            (uneven(groups, tp) && uneven(tp, groups))
                .then(|| format!("num-query-groups ({groups}) is neither a multiple nor a divisor of {TP} ({tp})"))
        },
    ),
    Law::error(
        Scope::Megatron,
        "layout.ffn",
        "each TP rank has as much of a feed-forward layer",
        &["ffn-hidden-size", TP],
        |case| cut("ffn-hidden-size", case.count("ffn-hidden-size")?, TP, case.sizes.tp),
    ),
    Law::error(
        Scope::Megatron,
        "layout.expert-ffn",
        "each ETP rank has as much of an expert",
        &["moe-ffn-hidden-size", ETP, TP],
        |case| {
            case.count("num-experts")?;
            let width = case.count("moe-ffn-hidden-size").or_else(|| case.count("ffn-hidden-size"))?;
            cut("moe-ffn-hidden-size", width, ETP, case.sizes.etp)
        },
    ),
    Law::error(
        Scope::Megatron,
        "layout.shared-expert-ffn",
        "each TP rank has as much of the shared expert",
        &["moe-shared-expert-intermediate-size", TP],
        |case| {
            let width = case.count("moe-shared-expert-intermediate-size")?;
            cut("moe-shared-expert-intermediate-size", width, TP, case.sizes.tp)
        },
    ),
    Law::warning(
        Scope::Megatron,
        "layout.vocabulary",
        "a vocabulary that is padded for TP stays about as large",
        &["vocab-size", "make-vocab-size-divisible-by", TP],
        |case| {
            let (size, by) = (case.count("vocab-size")?, case.count("make-vocab-size-divisible-by").unwrap_or(128));
            let padded = size.checked_next_multiple_of(by.checked_mul(case.sizes.tp)?)?;
            let more = padded - size;
            (more > size / 20).then(|| {
                format!(
                    "vocab-size ({size}) is padded to {padded}, a multiple of make-vocab-size-divisible-by x TP = {by} x \
                     {}: {more} rows are computed for nothing; write a smaller make-vocab-size-divisible-by",
                    case.sizes.tp
                )
            })
        },
    ),
    Law::warning(
        Scope::Megatron,
        "layout.sequence-alone",
        "sequences are shared by TP ranks where there are several",
        &[SP, TP],
        |case| {
            (case.flag(SP) && case.sizes.tp == 1)
                .then(|| "sequence-parallel does nothing with tensor-model-parallel-size 1: leave it out".to_owned())
        },
    ),
    Law::error(
        Scope::Megatron,
        "layout.sequence-experts",
        "experts that are shared out beside TP need sequence-parallel",
        &[SP, EP, TP],
        |case| {
            let sizes = case.sizes;
            (sizes.ep > 1 && sizes.tp > 1 && !case.flag(SP)).then(|| {
                format!(
                    "experts over {} GPUs beside TP {} need sequence-parallel: training would end at the first step; \
                     write sequence-parallel = true below [perf]",
                    sizes.ep, sizes.tp
                )
            })
        },
    ),
];
