//! Replicas of attention inside an engine.

use super::{Law, case::uneven, law::Scope};

const ENGINE: &str = "rollout-num-gpus-per-engine";
const DP: &str = "sglang-dp-size";
const PP: &str = "sglang-pp-size";
const ATTENTION_DP: &str = "sglang-enable-dp-attention";
const HEAD_DP: &str = "sglang-enable-dp-lm-head";
const DENSE_TP: &str = "sglang-moe-dense-tp-size";
const REQUESTS: &str = "sglang-server-concurrency";

/// A replica of attention that gets fewer requests at a time than this stands idle in part.
const BUSY: u64 = 128;

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::Sglang,
        "sglang.dp-attention",
        "replicas inside an engine are replicas of attention",
        &[ATTENTION_DP, DP],
        |case| {
            let dp = case.engine.dp;
            (dp > 1 && !case.flag(ATTENTION_DP))
                .then(|| format!("dp-size is {dp}: write enable-dp-attention = true beside it below [sglang]"))
        },
    ),
    Law::warning(
        Scope::Sglang,
        "sglang.dp-alone",
        "replicas of attention are several",
        &[ATTENTION_DP, HEAD_DP, DP],
        |case| {
            let flag = [ATTENTION_DP, HEAD_DP].into_iter().find(|name| case.flag(name))?;
            let flag = flag.trim_start_matches("sglang-");
            (case.engine.dp == 1).then(|| format!("{flag} does nothing with dp-size 1: write dp-size, or leave it out"))
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.data-parallel",
        "the GPUs of an engine are a multiple of its replicas of attention",
        &[DP, ENGINE, PP],
        |case| {
            let (tp, dp) = (case.engine.tp, case.engine.dp);
            (dp > 1 && uneven(tp, dp))
                .then(|| format!("dp-size is {dp}, which does not divide the {tp} GPUs of an engine's TP"))
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.heads",
        "each GPU of an engine has as many attention heads",
        &["num-attention-heads", ENGINE, DP, PP],
        |case| {
            let (heads, parts) = (case.count("num-attention-heads")?, case.engine.attention());
            let sizes = case.engine;
            (!uneven(sizes.tp, sizes.dp) && uneven(heads, parts)).then(|| {
                format!(
                    "num-attention-heads ({heads}) is not a multiple of the {parts} GPUs that share attention in an \
                     engine (TP / dp-size = {} / {})",
                    sizes.tp, sizes.dp
                )
            })
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.dense-tp",
        "dense layers are on each GPU or shared by all of an engine",
        &[DENSE_TP, ENGINE, PP],
        |case| {
            let (dense, tp) = (case.whole(DENSE_TP)?, case.engine.tp);
            (dense != 1 && dense != tp)
                .then(|| format!("moe-dense-tp-size is {dense}: it must be 1 or the {tp} GPUs of an engine's TP"))
        },
    ),
    Law::error(
        Scope::Sglang,
        "sglang.dp-head",
        "replicas of the output head go with replicas of attention",
        &[HEAD_DP, ATTENTION_DP, DP],
        |case| {
            (case.flag(HEAD_DP) && case.engine.dp > 1 && !case.flag(ATTENTION_DP))
                .then(|| "enable-dp-lm-head needs enable-dp-attention = true below [sglang]".to_owned())
        },
    ),
    Law::warning(
        Scope::Sglang,
        "sglang.concurrency",
        "each replica of attention has enough requests at a time",
        &[REQUESTS, DP],
        |case| {
            let (all, dp) = (case.count(REQUESTS).unwrap_or(512), case.engine.dp);
            (dp > 1 && all / dp < BUSY).then(|| {
                format!(
                    "server-concurrency is {all}: each of the {dp} replicas of attention gets {} requests at a time and \
                     is not busy; write {} for {BUSY}",
                    all / dp,
                    dp.saturating_mul(BUSY)
                )
            })
        },
    ),
];
