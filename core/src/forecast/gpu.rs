//! Memory of a training GPU.

use super::{
    Group, Parameters, Term,
    number::grouped,
    share::{Replicas, Share, padded},
};
use crate::{
    job::Job,
    layout::{Layout, count},
};

/// Bytes of a number format as Megatron names it.
pub(super) fn width(job: &Job, name: &str) -> u64 {
    match job.effective(name).as_deref() {
        Some("bf16" | "fp16") => 2,
        Some("fp8") => 1,
        _ => 4,
    }
}

/// Tokens of a pass on one GPU.
pub(super) fn tokens(job: &Job, cp: u64) -> Option<u64> {
    let tokens = match count(job, "max-tokens-per-gpu") {
        Some(most) => most,
        None => {
            let longest = count(job, "rollout-max-context-len").or_else(|| count(job, "rollout-max-response-len"))?;
            longest.saturating_mul(count(job, "micro-batch-size").unwrap_or(1)).div_ceil(cp)
        }
    };
    // No pass is longer: with more, a slip of the keyboard would overflow the sums.
    (tokens <= 1 << 26).then_some(tokens)
}

/// The terms of the fullest stage, and which stage it is.
pub(super) fn terms(job: &Job, parameters: &Parameters, layout: &Layout, shares: &[Share]) -> (usize, Vec<Term>) {
    let stages = shares
        .iter()
        .enumerate()
        .map(|(stage, share)| (stage, of_stage(job, parameters, layout, *share, stage, stage + 1 == shares.len())));
    let total = |terms: &[Term]| terms.iter().fold(0, |sum: u64, term| sum.saturating_add(term.bytes));
    stages.max_by_key(|(_, terms)| total(terms)).unwrap_or_default()
}

fn of_stage(job: &Job, parameters: &Parameters, layout: &Layout, share: Share, stage: usize, last: bool) -> Vec<Term> {
    let sizes = layout.sizes();
    let (all, dense, experts) = (grouped(share.total()), grouped(share.dense), grouped(share.experts));
    let term = |name: &str, bytes: u64, formula: String| Term::new(Group::Gpu, name, bytes, formula);
    let gradients = width(job, "main-grads-dtype");
    let mut terms = vec![
        term(
            "weights, bf16",
            share.total() * 2,
            format!("({dense} + {experts} in experts) parameters of stage {stage} x 2 bytes"),
        ),
        term("gradients", share.total() * gradients, format!("{all} parameters x {gradients} bytes")),
    ];
    if !job.flag("optimizer-cpu-offload") {
        let replicas = Replicas::of(layout);
        let states = ["main-params-dtype", "exp-avg-dtype", "exp-avg-sq-dtype"].map(|name| width(job, name));
        let each: u64 = states.iter().sum();
        terms.push(term(
            "optimizer",
            share.optimizer(replicas) * each,
            format!(
                "({dense} / {} replicas + {experts} / {}) parameters x ({} + {} + {}) bytes",
                replicas.dense, replicas.experts, states[0], states[1], states[2]
            ),
        ));
    }
    let Some(tokens) = tokens(job, sizes.cp) else { return terms };
    // Between matrices, TP ranks share the sequence or each have all of it.
    let spread = if job.flag("sequence-parallel") { sizes.tp } else { 1 };
    let flight = sizes.pp - stage as u64;
    let layer = layer(job, parameters, tokens, spread, sizes.tp, sizes.etp);
    let full = job.effective("recompute-granularity").as_deref() == Some("full");
    if full {
        let every = count(job, "recompute-num-layers").unwrap_or(1);
        let kept = share.layers.div_ceil(every);
        let stream = tokens.div_ceil(spread) * parameters.hidden * 2;
        terms.push(term(
            "activations kept",
            stream.saturating_mul(kept * flight),
            format!(
                "{tokens} tokens / {spread} x {} x 2 bytes x {kept} layers x {flight} passes under way",
                parameters.hidden
            ),
        ));
        terms.push(term(
            "layers computed again",
            layer.0.saturating_mul(every.saturating_mul(2)),
            format!("2 (values, gradients) x {every} layers x {}", layer.1),
        ));
    } else {
        terms.push(term(
            "activations",
            layer.0.saturating_mul(share.layers * flight),
            format!("{} layers x {flight} passes under way x {}", share.layers, layer.1),
        ));
    }
    if last {
        let columns = padded(job, parameters, sizes.tp) / sizes.tp;
        let chunk = job.number("log-probs-chunk-size").filter(|chunk| *chunk > 0.0);
        let rows = chunk.map_or(tokens, |chunk| tokens.min(chunk as u64));
        terms.push(term("logits, fp32", rows * columns * 4, format!("{rows} tokens x {columns} columns x 4 bytes")));
        terms.push(term(
            "gradient of the logits, fp32",
            rows * columns * 4,
            format!("{rows} tokens x {columns} columns x 4 bytes"),
        ));
    }
    terms
}

/// Values inside the larger kind of layer, when tokens spread evenly over the experts, with their formula.
fn layer(job: &Job, parameters: &Parameters, tokens: u64, spread: u64, tp: u64, etp: u64) -> (u64, String) {
    let heads = count(job, "num-attention-heads").unwrap_or(1).div_ceil(tp);
    let attention = if job.flag("multi-latent-attention") {
        let size = |name: &str| count(job, name).unwrap_or(0);
        let (plain, turned, value) = (size("qk-head-dim"), size("qk-pos-emb-head-dim"), size("v-head-dim"));
        heads * 2 * (plain + turned + value) + size("q-lora-rank") + size("kv-lora-rank") + turned
    } else {
        let width = count(job, "kv-channels").unwrap_or(parameters.hidden / (heads * tp).max(1));
        4 * heads * width
    };
    let mixture = parameters.mixtures.contains(&true);
    let (inner, routed) = if mixture {
        let shared = count(job, "moe-shared-expert-intermediate-size").unwrap_or(0);
        let expert = count(job, "moe-ffn-hidden-size").unwrap_or(0);
        (3 * shared / tp, parameters.chosen * (2 * parameters.hidden + 3 * expert / etp))
    } else {
        (3 * count(job, "ffn-hidden-size").unwrap_or(4 * parameters.hidden) / tp, 0)
    };
    let beside = tokens.saturating_mul(attention.saturating_add(inner));
    let bytes = tokens.div_ceil(spread).saturating_mul(routed).saturating_add(beside).saturating_mul(2);
    let formula = if mixture {
        format!("({tokens} tokens x ({attention} + {inner}) + {tokens} / {spread} x {routed} in experts) x 2 bytes")
    } else {
        format!("{tokens} tokens x ({attention} + {inner}) x 2 bytes")
    };
    (bytes, formula)
}
