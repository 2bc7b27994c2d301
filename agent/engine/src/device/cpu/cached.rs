//! Multi-head latent attention for decoding: the cache holds a token's latent and its rotated key, nothing per head.

use super::math::{axpy, dot, softmax};
use crate::device::{
    Columns, Heads, Place,
    gemm::{Into, View, product},
};

pub(super) fn append(heads: Heads, latent: &[f32], (keys, at): (&[f32], Columns), cache: &mut [f32], places: &[Place]) {
    let width = heads.latent + heads.rope;
    for (row, place) in places.iter().enumerate() {
        let entry = &mut cache[(place.start + place.position) * width..][..width];
        entry[..heads.latent].copy_from_slice(&latent[row * heads.latent..][..heads.latent]);
        entry[heads.latent..].copy_from_slice(&keys[at.of(row)]);
    }
}

/// The up-projection of keys is taken into the query, that of values into the output: `q·(U c) = (Uᵀ q)·c`.
pub(super) fn attend(heads: Heads, q: &[f32], kv_b: &[f32], cache: &[f32], places: &[Place], out: &mut [f32]) {
    let (rows, latent) = (places.len(), heads.latent);
    let width = latent + heads.rope;
    let (q_stride, o_stride) = (heads.count * heads.query(), heads.count * heads.value);
    let mut query = vec![0.0; rows * width];
    let mut mixed = vec![0.0; rows * latent];
    let mut scores = Vec::new();
    for head in 0..heads.count {
        let (keys_up, values_up) =
            kv_b[head * heads.key_value() * latent..][..heads.key_value() * latent].split_at(heads.nope * latent);
        let q = &q[head * heads.query()..];
        let up = View::new(keys_up, heads.nope, latent, latent);
        product(&mut query, width, View::new(q, rows, heads.nope, q_stride), up, 1.0, Into::Set);
        for row in 0..rows {
            let rope = &q[row * q_stride + heads.nope..][..heads.rope];
            query[row * width + latent..][..heads.rope].copy_from_slice(rope);
        }
        mixed.fill(0.0);
        for (row, place) in places.iter().enumerate() {
            let seen = cache[place.start * width..].chunks_exact(width).take(place.position + 1);
            let query = &query[row * width..][..width];
            scores.clear();
            scores.extend(seen.clone().map(|entry| dot(query, entry) * heads.scale()));
            softmax(&mut scores);
            let mixed = &mut mixed[row * latent..][..latent];
            for (score, entry) in scores.iter().zip(seen) {
                axpy(*score, &entry[..latent], mixed);
            }
        }
        let up = View::new(values_up, heads.value, latent, latent).t();
        let out = &mut out[head * heads.value..];
        product(out, o_stride, View::new(&mixed, rows, latent, latent), up, 1.0, Into::Set);
    }
}
