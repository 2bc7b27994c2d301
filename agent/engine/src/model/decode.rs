use super::{
    Layout,
    forward::{Down, Tape, dense, mixture, project},
};
use crate::device::{Columns, Device, Place};

/// One row of a decoding step: `token` stands at `position` of the sequence in `slot`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub(crate) token: u32,
    pub(crate) position: usize,
    pub(crate) slot: usize,
}

/// Decodes many sequences at once, each in a slot of the cache.
pub(crate) struct Decoder<D: Device> {
    caches: Vec<D::Mem>,
    capacity: usize,
    tape: Tape<D::Mem>,
}

impl<D: Device> Decoder<D> {
    /// Slots of `capacity` positions.
    pub(crate) fn new(d: &D, model: &Layout, slots: usize, capacity: usize) -> Decoder<D> {
        let heads = model.shape.heads();
        let mut caches: Vec<D::Mem> = Vec::new();
        caches.resize_with(model.layers.len(), D::Mem::default);
        for cache in &mut caches {
            d.zero(cache, slots * capacity * (heads.latent + heads.rope));
        }
        let mut tape = Tape::default();
        tape.layers.resize_with(model.layers.len(), Default::default);
        Decoder { caches, capacity, tape }
    }

    /// Logits of the token after each row.
    pub(crate) fn step(&mut self, d: &D, model: &Layout, params: &D::Mem, batch: &[Next]) -> &D::Mem {
        let (rows, hidden, heads) = (batch.len(), model.shape.hidden_size, model.shape.heads());
        let tokens: Vec<u32> = batch.iter().map(|next| next.token).collect();
        let positions: Vec<u32> = batch.iter().map(|next| next.position as u32).collect();
        let places: Vec<Place> =
            batch.iter().map(|next| Place { start: next.slot * self.capacity, position: next.position }).collect();
        let tape = &mut self.tape;
        d.fit(&mut tape.x, rows * hidden);
        d.embed(params, model.embed, &tokens, &mut tape.x);
        for ((layer, kept), cache) in model.layers.iter().zip(&mut tape.layers).zip(&mut self.caches) {
            d.copy(&tape.x, &mut kept.x);
            project(d, model, layer, params, &positions, kept);
            d.fit(&mut kept.attended, rows * layer.out.cols);
            let keys = (&kept.down, Down::of(model).rope);
            let kv_b = (params, layer.kv_up);
            d.attend_cached(heads, &kept.q, kv_b, &kept.kv_latent, keys, cache, &places, &mut kept.attended);
            d.linear(&kept.attended, 0..rows, (params, layer.out), &mut tape.x, true);
            d.fit(&mut kept.mlp_n, rows * hidden);
            d.fit(&mut kept.mlp_inverse, rows);
            let norm = (params, layer.mlp_norm);
            d.norm(&tape.x, Columns::all(hidden), norm, &mut kept.mlp_n, &mut kept.mlp_inverse);
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
        &tape.logits
    }

    /// Continues the first `positions` of one slot in another.
    pub(crate) fn fork(&mut self, d: &D, model: &Layout, from: usize, to: usize, positions: usize) {
        for cache in &mut self.caches {
            d.fork_cache(model.shape.heads(), cache, self.capacity, from, to, positions);
        }
    }
}
