//! Causal multi-head latent attention over packed segments, keys and values expanded (the form for training).

use std::ops::Range;

use super::math::{dot, softmax};
use crate::device::{
    Columns, Heads,
    gemm::{Into, View, product},
};

/// Where the probabilities of one segment and head begin, and the segment's length.
fn blocks(heads: Heads, segments: &[Range<usize>]) -> impl Iterator<Item = (Range<usize>, usize, usize)> {
    let mut next = 0;
    segments.iter().flat_map(move |segment| (0..heads.count).map(move |head| (segment.clone(), head))).map(
        move |(segment, head)| {
            let start = next;
            next += segment.len() * segment.len();
            (segment, head, start)
        },
    )
}

pub(super) fn forward(
    heads: Heads,
    segments: &[Range<usize>],
    q: &[f32],
    kv: &[f32],
    (keys, at): (&[f32], Columns),
    out: &mut [f32],
    probs: &mut Vec<f32>,
) {
    let (q_stride, kv_stride, o_stride) =
        (heads.count * heads.query(), heads.count * heads.key_value(), heads.count * heads.value);
    probs.resize(heads.count * segments.iter().map(|s| s.len() * s.len()).sum::<usize>(), 0.0);
    for (segment, head, start) in blocks(heads, segments) {
        let (n, first) = (segment.len(), segment.start);
        let p = &mut probs[start..start + n * n];
        let q = &q[first * q_stride + head * heads.query()..];
        let kv = &kv[first * kv_stride + head * heads.key_value()..];
        let shared = &keys[first * at.stride + at.start..];
        let (q_nope, q_rope) =
            (View::new(q, n, heads.nope, q_stride), View::new(&q[heads.nope..], n, heads.rope, q_stride));
        product(p, n, q_nope, View::new(kv, n, heads.nope, kv_stride).t(), heads.scale(), Into::Set);
        product(p, n, q_rope, View::new(shared, n, heads.rope, at.stride).t(), heads.scale(), Into::Add);
        for (i, row) in p.chunks_exact_mut(n).enumerate() {
            let (seen, unseen) = row.split_at_mut(i + 1);
            softmax(seen);
            unseen.fill(0.0);
        }
        let values = View::new(&kv[heads.nope..], n, heads.value, kv_stride);
        let out = &mut out[first * o_stride + head * heads.value..];
        product(out, o_stride, View::new(p, n, n, n), values, 1.0, Into::Set);
    }
}

#[allow(clippy::too_many_arguments)]
pub(super) fn backward(
    heads: Heads,
    segments: &[Range<usize>],
    (q, dq): (&[f32], &mut [f32]),
    (kv, dkv): (&[f32], &mut [f32]),
    (keys, dkeys, at): (&[f32], &mut [f32], Columns),
    probs: &[f32],
    dout: &[f32],
) {
    let (q_stride, kv_stride, o_stride) =
        (heads.count * heads.query(), heads.count * heads.key_value(), heads.count * heads.value);
    let (nope, scale) = (heads.nope, heads.scale());
    let mut ds = Vec::new();
    for (segment, head, start) in blocks(heads, segments) {
        let (n, first) = (segment.len(), segment.start);
        let (q_at, kv_at, shared_at) = (
            first * q_stride + head * heads.query(),
            first * kv_stride + head * heads.key_value(),
            first * at.stride + at.start,
        );
        let p = &probs[start..start + n * n];
        let dout = View::new(&dout[first * o_stride + head * heads.value..], n, heads.value, o_stride);
        let values = View::new(&kv[kv_at + nope..], n, heads.value, kv_stride);
        product(&mut dkv[kv_at + nope..], kv_stride, View::new(p, n, n, n).t(), dout, 1.0, Into::Add);
        ds.resize(n * n, 0.0);
        product(&mut ds, n, dout, values.t(), 1.0, Into::Set);
        for (p, ds) in p.chunks_exact(n).zip(ds.chunks_exact_mut(n)) {
            let mean = dot(p, ds);
            for (ds, p) in ds.iter_mut().zip(p) {
                *ds = p * (*ds - mean);
            }
        }
        let ds = View::new(&ds, n, n, n);
        let k_nope = View::new(&kv[kv_at..], n, nope, kv_stride);
        let k_rope = View::new(&keys[shared_at..], n, heads.rope, at.stride);
        product(&mut dq[q_at..], q_stride, ds, k_nope, scale, Into::Add);
        product(&mut dq[q_at + nope..], q_stride, ds, k_rope, scale, Into::Add);
        let q_nope = View::new(&q[q_at..], n, nope, q_stride);
        let q_rope = View::new(&q[q_at + nope..], n, heads.rope, q_stride);
        product(&mut dkv[kv_at..], kv_stride, ds.t(), q_nope, scale, Into::Add);
        product(&mut dkeys[shared_at..], at.stride, ds.t(), q_rope, scale, Into::Add);
    }
}
