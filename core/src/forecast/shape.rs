//! The shapes of the matrices of a layer, from the arguments.

use super::{Part, number::expression};
use crate::{
    job::{Engine, Job},
    layout::count,
};

/// Whether an argument has this value; the built-in engine's model is DeepSeek's in any case.
pub(super) fn is(job: &Job, name: &str, text: &str) -> bool {
    job.engine == Engine::Embedded || job.effective(name).as_deref() == Some(text)
}

/// Whether linear layers have a bias.
fn biased(job: &Job) -> bool {
    !job.flag("disable-bias-linear") && job.engine != Engine::Embedded
}

/// Matrices in and out, gated where the model is.
pub(super) fn feed_forward(job: &Job, hidden: u64, width: u64) -> Part {
    let inner = if job.flag("swiglu") || job.engine == Engine::Embedded { 2 * width } else { width };
    let (cut, whole) = if biased(job) { (inner, hidden) } else { (0, 0) };
    Part { cut: hidden * inner + width * hidden + cut, whole }
}

/// Projections of attention with the norms inside it.
pub(super) fn attention(job: &Job, hidden: u64) -> Option<Part> {
    let heads = count(job, "num-attention-heads")?;
    let norms = job.flag("qk-layernorm") || job.engine == Engine::Embedded;
    if job.flag("multi-latent-attention") || job.engine == Engine::Embedded {
        let (latent, turned) = (count(job, "kv-lora-rank")?, count(job, "qk-pos-emb-head-dim")?);
        let (plain, value) = (count(job, "qk-head-dim")?, count(job, "v-head-dim")?);
        let head = plain + turned;
        let (down, up, rank) = match count(job, "q-lora-rank") {
            Some(rank) => (hidden * rank, rank * heads * head, rank),
            None => (0, hidden * heads * head, 0),
        };
        let inner = if norms { rank + latent } else { 0 };
        return Some(Part {
            cut: up + latent * heads * (plain + value) + heads * value * hidden,
            whole: down + hidden * (latent + turned) + inner,
        });
    }
    let width = count(job, "kv-channels").unwrap_or(hidden / heads);
    let groups = if job.flag("group-query-attention") { count(job, "num-query-groups")? } else { heads };
    let out = (heads + 2 * groups) * width;
    let qkv_bias = if biased(job) || job.flag("add-qkv-bias") { out } else { 0 };
    let whole = if norms { 2 * width } else { 0 } + if biased(job) { hidden } else { 0 };
    Some(Part { cut: hidden * out + heads * width * hidden + qkv_bias, whole })
}

/// Which layers are mixtures: a period, a list, or the list arithmetic of Python that launch scripts use.
pub(super) fn mixtures(job: &Job, layers: u64) -> Option<Vec<bool>> {
    let pattern = job.effective("moe-layer-freq").unwrap_or_else(|| "1".to_owned());
    let layers = usize::try_from(layers).ok()?;
    if let Ok(period) = pattern.trim().parse::<usize>() {
        return (period > 0).then(|| (0..layers).map(|layer| layer % period == 0).collect());
    }
    expression(&pattern).filter(|marks| marks.len() == layers)
}
