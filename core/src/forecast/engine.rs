//! Memory of a GPU that samples: weights and cache.

use super::{Group, Machine, Parameters, Term, number::grouped};
use crate::{
    job::Job,
    layout::{EngineSizes, count},
};

/// Bytes of so many parameters: fp8 has a scale of four bytes for each block of 128 x 128.
fn weight(parameters: u64, fp8: bool) -> u64 {
    if fp8 { parameters + parameters.div_ceil(128 * 128) * 4 } else { parameters * 2 }
}

/// Whether the engine's weights are fp8: DeepSeek's models are published so.
fn quantised(job: &Job, machine: &Machine) -> bool {
    machine.fp8.unwrap_or_else(|| {
        job.flag("multi-latent-attention") || job.value("sglang-quantization").as_deref() == Some("fp8")
    })
}

/// Whether the model itself guesses ahead, with a layer of its own.
fn guesses(job: &Job) -> bool {
    job.value("sglang-speculative-algorithm").is_some()
        && job.value("sglang-speculative-draft-model-path").is_none()
        && job.flag("multi-latent-attention")
}

/// The weights on one GPU.
pub(super) fn weights(job: &Job, parameters: &Parameters, machine: &Machine) -> Vec<Term> {
    let sizes = EngineSizes::of(job);
    let (fp8, attention) = (quantised(job, machine), sizes.attention());
    let unit = if fp8 { "1 byte and scales" } else { "2 bytes" };
    let layers = (parameters.mixtures.len() as u64).div_ceil(sizes.pp);
    let mixtures = parameters.mixture_layers().div_ceil(sizes.pp);
    let dense = layers.saturating_sub(mixtures);
    let mut terms = Vec::new();
    let mut term = |name: &str, bytes: u64, formula: String| {
        if bytes > 0 {
            terms.push(Term::new(Group::Engine, name, bytes, formula));
        }
    };
    let experts =
        |layers: u64| layers * (parameters.experts / sizes.ep) * parameters.expert / (sizes.tp / sizes.ep).max(1);
    term(
        "experts",
        weight(experts(mixtures), fp8),
        format!(
            "{mixtures} layers x {} / {} experts x {} x {unit}",
            parameters.experts,
            sizes.ep,
            grouped(parameters.expert)
        ),
    );
    // With DeepEP each GPU has the shared expert whole.
    let deepep = job.value("sglang-moe-a2a-backend").as_deref() == Some("deepep");
    let parts = if deepep { 1 } else { sizes.tp };
    let shared = parameters.shared.total() / parts;
    term("shared experts", weight(mixtures * shared, fp8), format!("{mixtures} layers x {} x {unit}", grouped(shared)));
    let whole = parameters.attention.whole + parameters.attention.cut / attention;
    term(
        "attention",
        weight(layers * whole, fp8),
        format!(
            "{layers} layers x ({} + {} / {attention}) x {unit}",
            grouped(parameters.attention.whole),
            grouped(parameters.attention.cut)
        ),
    );
    if job.flag("multi-latent-attention") {
        let size = |name: &str| count(job, name).unwrap_or(0);
        let heads = size("num-attention-heads") / attention;
        let (plain, value, latent) = (size("qk-head-dim"), size("v-head-dim"), size("kv-lora-rank"));
        term(
            "absorbed projections of the cache, bf16",
            layers * heads * (plain + value) * latent * 2,
            format!("{layers} layers x {heads} heads x ({plain} + {value}) x {latent} x 2 bytes"),
        );
    }
    let parts = count(job, "sglang-moe-dense-tp-size").unwrap_or(sizes.tp);
    let each = parameters.dense.total() / parts;
    term("dense layers", weight(dense * each, fp8), format!("{dense} layers x {} x {unit}", grouped(each)));
    term(
        "routers",
        mixtures * parameters.router * 2,
        format!("{mixtures} layers x {} x 2 bytes", grouped(parameters.router)),
    );
    let replicas = job.flag("sglang-enable-dp-attention") && sizes.dp > 1;
    let embedding = parameters.table() / if replicas { 1 } else { sizes.tp };
    let head = parameters.table() / if job.flag("sglang-enable-dp-lm-head") { attention } else { sizes.tp };
    term(
        "embedding and output head, bf16",
        (embedding + head) * 2,
        format!("({} + {}) x 2 bytes", grouped(embedding), grouped(head)),
    );
    if guesses(job) {
        let layer = experts(1) + shared + whole + parameters.router + 2 * parameters.hidden * parameters.hidden;
        term("layer that guesses ahead", weight(layer, fp8), format!("{} x {unit}", grouped(layer)));
    }
    terms
}

/// Bytes of one token in the cache of one GPU, with their formula.
pub(super) fn token(job: &Job, parameters: &Parameters) -> Option<(u64, String)> {
    let sizes = EngineSizes::of(job);
    let layers = (parameters.mixtures.len() as u64).div_ceil(sizes.pp) + u64::from(guesses(job));
    let dtype = job.effective("sglang-kv-cache-dtype").unwrap_or_default();
    let bytes = if dtype.starts_with("fp8") { 1 } else { 2 };
    if job.flag("multi-latent-attention") {
        let (latent, turned) = (count(job, "kv-lora-rank")?, count(job, "qk-pos-emb-head-dim")?);
        let formula = format!("({latent} + {turned}) x {layers} layers x {bytes} bytes");
        return Some(((latent + turned) * layers * bytes, formula));
    }
    let heads = count(job, "num-attention-heads")?;
    let groups = if job.flag("group-query-attention") { count(job, "num-query-groups")? } else { heads };
    let width = count(job, "kv-channels").unwrap_or(parameters.hidden / heads);
    let mine = groups.div_ceil(sizes.attention());
    let formula = format!("2 x {mine} heads x {width} x {layers} layers x {bytes} bytes");
    Some((2 * mine * width * layers * bytes, formula))
}
