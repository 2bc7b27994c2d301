use super::{
    Layout, Packed,
    layout::{Layer, Mlp, Moe},
};
use crate::device::{Columns, Device, Routing};

/// What the forward pass of one micro-batch leaves for the backward pass. Reused from one micro-batch to the next.
#[derive(Default)]
pub(crate) struct Tape<M> {
    pub(super) layers: Vec<LayerTape<M>>,
    /// Residual stream after the last layer.
    pub(super) x: M,
    pub(super) n: M,
    pub(super) inverse: M,
    pub(crate) logits: M,
}

#[derive(Default)]
pub(super) struct LayerTape<M> {
    /// Residual stream: before attention, between attention and MLP.
    pub(super) x: M,
    pub(super) mid: M,
    pub(super) n: M,
    pub(super) inverse: M,
    /// Query latent, key-value latent, rotated key.
    pub(super) down: M,
    pub(super) q_latent: M,
    pub(super) q_inverse: M,
    pub(super) kv_latent: M,
    pub(super) kv_inverse: M,
    pub(super) q: M,
    pub(super) kv: M,
    pub(super) probs: M,
    pub(super) attended: M,
    pub(super) mlp_n: M,
    pub(super) mlp_inverse: M,
    pub(super) mlp: MlpTape<M>,
    pub(super) router: M,
    pub(super) routing: Routing,
    pub(super) dispatched: M,
    pub(super) experts: MlpTape<M>,
    pub(super) returned: M,
}

#[derive(Default)]
pub(super) struct MlpTape<M> {
    pub(super) gate_up: M,
    pub(super) h: M,
}

impl<M> Tape<M> {
    /// Tokens that each expert of each mixture layer got.
    pub(crate) fn loads(&self) -> impl Iterator<Item = (usize, Vec<usize>)> {
        let layers = self.layers.iter().enumerate();
        layers.map(|(index, layer)| (index, layer.routing.experts.iter().map(ExactSizeIterator::len).collect()))
    }
}

/// Logits of every row, into the tape.
pub(crate) fn forward<D: Device>(d: &D, model: &Layout, params: &D::Mem, batch: &Packed, tape: &mut Tape<D::Mem>) {
    let (rows, hidden) = (batch.tokens.len(), model.shape.hidden_size);
    tape.layers.resize_with(model.layers.len(), LayerTape::default);
    d.fit(&mut tape.x, rows * hidden);
    d.embed(params, model.embed, &batch.tokens, &mut tape.x);
    for (layer, kept) in model.layers.iter().zip(&mut tape.layers) {
        d.copy(&tape.x, &mut kept.x);
        attention(d, model, layer, params, batch, kept);
        d.copy(&kept.mid, &mut tape.x);
        d.fit(&mut kept.mlp_n, rows * hidden);
        d.fit(&mut kept.mlp_inverse, rows);
        let norm = (params, layer.mlp_norm);
        d.norm(&kept.mid, Columns::all(hidden), norm, &mut kept.mlp_n, &mut kept.mlp_inverse);
        if let Some(mlp) = &layer.mlp {
            dense(d, mlp, params, rows, &kept.mlp_n, &mut kept.mlp, &mut tape.x);
        }
        if let Some(moe) = &layer.moe {
            mixture(d, model, moe, params, rows, kept, &mut tape.x);
        }
    }
    d.fit(&mut tape.n, rows * hidden);
    d.fit(&mut tape.inverse, rows);
    d.norm(&tape.x, Columns::all(hidden), (params, model.norm), &mut tape.n, &mut tape.inverse);
    d.fit(&mut tape.logits, rows * model.shape.vocab_size);
    d.linear(&tape.n, 0..rows, (params, model.head), &mut tape.logits, false);
}

/// Where the parts of the fused down-projection stand.
pub(super) struct Down {
    pub(super) q: Columns,
    pub(super) kv: Columns,
    pub(super) rope: Columns,
}

impl Down {
    pub(super) fn of(model: &Layout) -> Down {
        let shape = &model.shape;
        let part = |start, width| Columns { start, width, stride: shape.down() };
        Down {
            q: part(0, shape.q_lora_rank),
            kv: part(shape.q_lora_rank, shape.kv_lora_rank),
            rope: part(shape.q_lora_rank + shape.kv_lora_rank, shape.qk_rope_head_dim),
        }
    }
}

/// The rotated columns of each head's query.
pub(super) fn query_ropes(model: &Layout) -> impl Iterator<Item = Columns> {
    let heads = model.shape.heads();
    let (stride, width) = (heads.count * heads.query(), heads.rope);
    (0..heads.count).map(move |head| Columns { start: head * heads.query() + heads.nope, width, stride })
}

fn attention<D: Device>(
    d: &D,
    model: &Layout,
    layer: &Layer,
    params: &D::Mem,
    batch: &Packed,
    kept: &mut LayerTape<D::Mem>,
) {
    let (rows, heads) = (batch.tokens.len(), model.shape.heads());
    project(d, model, layer, params, &batch.positions, kept);
    d.fit(&mut kept.kv, rows * layer.kv_up.rows);
    d.linear(&kept.kv_latent, 0..rows, (params, layer.kv_up), &mut kept.kv, false);
    d.fit(&mut kept.attended, rows * layer.out.cols);
    let keys = (&kept.down, Down::of(model).rope);
    d.attention(heads, &batch.segments, &kept.q, &kept.kv, keys, &mut kept.attended, &mut kept.probs);
    d.copy(&kept.x, &mut kept.mid);
    d.linear(&kept.attended, 0..rows, (params, layer.out), &mut kept.mid, true);
}

/// Queries, latents and rotated keys: what training and decoding share.
pub(super) fn project<D: Device>(
    d: &D,
    model: &Layout,
    layer: &Layer,
    params: &D::Mem,
    positions: &[u32],
    kept: &mut LayerTape<D::Mem>,
) {
    let (rows, at) = (positions.len(), Down::of(model));
    let hidden = model.shape.hidden_size;
    d.fit(&mut kept.n, rows * hidden);
    d.fit(&mut kept.inverse, rows);
    d.norm(&kept.x, Columns::all(hidden), (params, layer.norm), &mut kept.n, &mut kept.inverse);
    d.fit(&mut kept.down, rows * layer.down.rows);
    d.linear(&kept.n, 0..rows, (params, layer.down), &mut kept.down, false);
    d.fit(&mut kept.q_latent, rows * at.q.width);
    d.fit(&mut kept.q_inverse, rows);
    d.norm(&kept.down, at.q, (params, layer.q_norm), &mut kept.q_latent, &mut kept.q_inverse);
    d.fit(&mut kept.kv_latent, rows * at.kv.width);
    d.fit(&mut kept.kv_inverse, rows);
    d.norm(&kept.down, at.kv, (params, layer.kv_norm), &mut kept.kv_latent, &mut kept.kv_inverse);
    d.fit(&mut kept.q, rows * layer.q_up.rows);
    d.linear(&kept.q_latent, 0..rows, (params, layer.q_up), &mut kept.q, false);
    for columns in query_ropes(model) {
        d.rope(&mut kept.q, columns, positions, false);
    }
    d.rope(&mut kept.down, at.rope, positions, false);
}

/// Adds the MLP's output to the residual stream.
pub(super) fn dense<D: Device>(
    d: &D,
    mlp: &Mlp,
    params: &D::Mem,
    rows: usize,
    n: &D::Mem,
    kept: &mut MlpTape<D::Mem>,
    x: &mut D::Mem,
) {
    d.fit(&mut kept.gate_up, rows * mlp.gate_up.rows);
    d.linear(n, 0..rows, (params, mlp.gate_up), &mut kept.gate_up, false);
    d.fit(&mut kept.h, rows * mlp.down.cols);
    d.swiglu(&kept.gate_up, mlp.down.cols, &mut kept.h);
    d.linear(&kept.h, 0..rows, (params, mlp.down), x, true);
}

/// Adds the chosen experts' outputs to the residual stream.
pub(super) fn mixture<D: Device>(
    d: &D,
    model: &Layout,
    moe: &Moe,
    params: &D::Mem,
    rows: usize,
    kept: &mut LayerTape<D::Mem>,
    x: &mut D::Mem,
) {
    let (shape, router) = (&model.shape, model.shape.router());
    let (slots, hidden, width) = (rows * router.top, shape.hidden_size, shape.moe_intermediate_size);
    d.fit(&mut kept.router, rows * router.experts);
    d.linear(&kept.mlp_n, 0..rows, (params, moe.gate), &mut kept.router, false);
    kept.routing = d.route(router, &kept.router, (params, moe.bias), rows);
    d.fit(&mut kept.dispatched, slots * hidden);
    d.dispatch(&kept.mlp_n, hidden, &kept.routing, &mut kept.dispatched);
    d.fit(&mut kept.experts.gate_up, slots * 2 * width);
    for (expert, slots) in moe.experts.iter().zip(&kept.routing.experts) {
        d.linear(&kept.dispatched, slots.clone(), (params, expert.gate_up), &mut kept.experts.gate_up, false);
    }
    d.fit(&mut kept.experts.h, slots * width);
    d.swiglu(&kept.experts.gate_up, width, &mut kept.experts.h);
    d.fit(&mut kept.returned, slots * hidden);
    for (expert, slots) in moe.experts.iter().zip(&kept.routing.experts) {
        d.linear(&kept.experts.h, slots.clone(), (params, expert.down), &mut kept.returned, false);
    }
    d.combine(&kept.returned, hidden, &kept.routing, x);
}
