use super::math::sigmoid;
use crate::device::Columns;

pub(super) fn add(from: &[f32], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// Base of the rotation's frequencies.
const THETA: f32 = 10_000.0;

pub(super) fn rope(x: &mut [f32], at: Columns, positions: &[u32], back: bool) {
    let pairs = at.width / 2;
    let frequencies: Vec<f32> = (0..pairs).map(|i| THETA.powf(-2.0 * i as f32 / at.width as f32)).collect();
    // Packed sequences repeat their positions: each angle's sine and cosine are computed once.
    let last = positions.iter().max().map_or(0, |last| last + 1);
    let turns: Vec<(f32, f32)> = (0..last)
        .flat_map(|position| frequencies.iter().map(move |frequency| (position as f32 * frequency).sin_cos()))
        .collect();
    for (row, position) in positions.iter().enumerate() {
        let turns = &turns[*position as usize * pairs..][..pairs];
        for (pair, (sin, cos)) in x[at.of(row)].chunks_exact_mut(2).zip(turns) {
            let sin = if back { -sin } else { *sin };
            let (a, b) = (pair[0], pair[1]);
            pair[0] = a * cos - b * sin;
            pair[1] = a * sin + b * cos;
        }
    }
}

pub(super) fn swiglu(x: &[f32], width: usize, h: &mut [f32]) {
    for (x, h) in x.chunks_exact(2 * width).zip(h.chunks_exact_mut(width)) {
        let (gate, up) = x.split_at(width);
        for ((h, gate), up) in h.iter_mut().zip(gate).zip(up) {
            *h = gate * sigmoid(*gate) * up;
        }
    }
}

pub(super) fn swiglu_backward(x: &[f32], width: usize, dh: &[f32], dx: &mut [f32]) {
    let rows = x.chunks_exact(2 * width).zip(dh.chunks_exact(width)).zip(dx.chunks_exact_mut(2 * width));
    for ((x, dh), dx) in rows {
        let ((gate, up), (dgate, dup)) = (x.split_at(width), dx.split_at_mut(width));
        for i in 0..width {
            let s = sigmoid(gate[i]);
            dgate[i] += dh[i] * up[i] * s * (1.0 + gate[i] * (1.0 - s));
            dup[i] += dh[i] * gate[i] * s;
        }
    }
}
