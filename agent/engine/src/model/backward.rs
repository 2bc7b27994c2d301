use super::{
    Layout, Packed,
    forward::{Down, LayerTape, MlpTape, Tape, query_ropes},
    layout::{Layer, Mlp, Moe},
};
use crate::device::{Columns, Device};

/// Gradients of one layer's activations, reused.
#[derive(Default)]
struct Scratch<M> {
    dx: M,
    dn: M,
    a: M,
    b: M,
    c: M,
    e: M,
    f: M,
}

/// Adds the gradients of the parameters to `grads`, from those of the logits.
pub(crate) fn backward<D: Device>(
    d: &D,
    model: &Layout,
    params: &D::Mem,
    batch: &Packed,
    tape: &Tape<D::Mem>,
    dlogits: &D::Mem,
    grads: &mut D::Mem,
) {
    let (rows, hidden) = (batch.tokens.len(), model.shape.hidden_size);
    let mut scratch = Scratch::default();
    let s = &mut scratch;
    d.zero(&mut s.dx, rows * hidden);
    d.zero(&mut s.dn, rows * hidden);
    d.linear_backward(&tape.n, 0..rows, (params, model.head), dlogits, &mut s.dn, grads);
    let norm = (params, model.norm);
    d.norm_backward(&tape.x, Columns::all(hidden), norm, &tape.inverse, &s.dn, &mut s.dx, grads);
    for (layer, kept) in model.layers.iter().zip(&tape.layers).rev() {
        d.zero(&mut s.dn, rows * hidden);
        if let Some(moe) = &layer.moe {
            mixture(d, model, moe, params, rows, kept, s, grads);
        }
        if let Some(mlp) = &layer.mlp {
            dense(d, mlp, params, rows, &kept.mlp_n, &kept.mlp, s, grads);
        }
        let norm = (params, layer.mlp_norm);
        d.norm_backward(&kept.mid, Columns::all(hidden), norm, &kept.mlp_inverse, &s.dn, &mut s.dx, grads);
        attention(d, model, layer, params, batch, kept, s, grads);
    }
    d.embed_backward(&s.dx, model.embed, &batch.tokens, grads);
}

/// The residual stream's gradient passes by; what came through attention is added to it.
#[allow(clippy::too_many_arguments)]
fn attention<D: Device>(
    d: &D,
    model: &Layout,
    layer: &Layer,
    params: &D::Mem,
    batch: &Packed,
    kept: &LayerTape<D::Mem>,
    s: &mut Scratch<D::Mem>,
    grads: &mut D::Mem,
) {
    let (rows, heads, at) = (batch.tokens.len(), model.shape.heads(), Down::of(model));
    let Scratch { dx, dn, a: dattended, b: dq, c: dkv, e: ddown, f: dlatent } = s;
    d.zero(dattended, rows * layer.out.cols);
    d.linear_backward(&kept.attended, 0..rows, (params, layer.out), dx, dattended, grads);
    d.zero(dq, rows * layer.q_up.rows);
    d.zero(dkv, rows * layer.kv_up.rows);
    d.zero(ddown, rows * layer.down.rows);
    let keys = (&kept.down, &mut *ddown, at.rope);
    d.attention_backward(heads, &batch.segments, (&kept.q, dq), (&kept.kv, dkv), keys, &kept.probs, dattended);
    d.rope(ddown, at.rope, &batch.positions, true);
    for columns in query_ropes(model) {
        d.rope(dq, columns, &batch.positions, true);
    }
    d.zero(dlatent, rows * at.q.width);
    d.linear_backward(&kept.q_latent, 0..rows, (params, layer.q_up), dq, dlatent, grads);
    d.norm_backward(&kept.down, at.q, (params, layer.q_norm), &kept.q_inverse, dlatent, ddown, grads);
    d.zero(dlatent, rows * at.kv.width);
    d.linear_backward(&kept.kv_latent, 0..rows, (params, layer.kv_up), dkv, dlatent, grads);
    d.norm_backward(&kept.down, at.kv, (params, layer.kv_norm), &kept.kv_inverse, dlatent, ddown, grads);
    let hidden = model.shape.hidden_size;
    d.zero(dn, rows * hidden);
    d.linear_backward(&kept.n, 0..rows, (params, layer.down), ddown, dn, grads);
    d.norm_backward(&kept.x, Columns::all(hidden), (params, layer.norm), &kept.inverse, dn, dx, grads);
}

#[allow(clippy::too_many_arguments)]
fn dense<D: Device>(
    d: &D,
    mlp: &Mlp,
    params: &D::Mem,
    rows: usize,
    n: &D::Mem,
    kept: &MlpTape<D::Mem>,
    s: &mut Scratch<D::Mem>,
    grads: &mut D::Mem,
) {
    let Scratch { dx, dn, a: dh, b: dgate_up, .. } = s;
    d.zero(dh, rows * mlp.down.cols);
    d.linear_backward(&kept.h, 0..rows, (params, mlp.down), dx, dh, grads);
    d.zero(dgate_up, rows * mlp.gate_up.rows);
    d.swiglu_backward(&kept.gate_up, mlp.down.cols, dh, dgate_up);
    d.linear_backward(n, 0..rows, (params, mlp.gate_up), dgate_up, dn, grads);
}

#[allow(clippy::too_many_arguments)]
fn mixture<D: Device>(
    d: &D,
    model: &Layout,
    moe: &Moe,
    params: &D::Mem,
    rows: usize,
    kept: &LayerTape<D::Mem>,
    s: &mut Scratch<D::Mem>,
    grads: &mut D::Mem,
) {
    let (shape, router) = (&model.shape, model.shape.router());
    let (slots, hidden, width) = (rows * router.top, shape.hidden_size, shape.moe_intermediate_size);
    let Scratch { dx, dn, a: dh, b: dgate_up, c: dreturned, e: ddispatched, f: drouter } = s;
    d.zero(dreturned, slots * hidden);
    let dweights = d.combine_backward(&kept.returned, hidden, &kept.routing, dx, dreturned);
    d.zero(dh, slots * width);
    for (expert, slots) in moe.experts.iter().zip(&kept.routing.experts) {
        d.linear_backward(&kept.experts.h, slots.clone(), (params, expert.down), dreturned, dh, grads);
    }
    d.zero(dgate_up, slots * 2 * width);
    d.swiglu_backward(&kept.experts.gate_up, width, dh, dgate_up);
    d.zero(ddispatched, slots * hidden);
    for (expert, slots) in moe.experts.iter().zip(&kept.routing.experts) {
        let w = (params, expert.gate_up);
        d.linear_backward(&kept.dispatched, slots.clone(), w, dgate_up, ddispatched, grads);
    }
    d.dispatch_backward(ddispatched, hidden, &kept.routing, dn);
    d.zero(drouter, rows * router.experts);
    d.route_backward(router, &kept.router, &kept.routing, &dweights, drouter);
    d.linear_backward(&kept.mlp_n, 0..rows, (params, moe.gate), drouter, dn, grads);
}
