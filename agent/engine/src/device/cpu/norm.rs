use super::math::dot;
use crate::device::Columns;

const EPSILON: f32 = 1e-6;

pub(super) fn forward(x: &[f32], at: Columns, gain: &[f32], y: &mut [f32], inverse: &mut [f32]) {
    for ((row, y), inverse) in y.chunks_exact_mut(at.width).enumerate().zip(inverse) {
        let x = &x[at.of(row)];
        *inverse = 1.0 / (dot(x, x) / at.width as f32 + EPSILON).sqrt();
        for ((y, x), gain) in y.iter_mut().zip(x).zip(gain) {
            *y = x * *inverse * gain;
        }
    }
}

/// With n = x / rms: dx = (g dy - n mean(g dy n)) / rms, dg = dy n.
pub(super) fn backward(
    x: &[f32],
    at: Columns,
    gain: &[f32],
    inverse: &[f32],
    dy: &[f32],
    dx: &mut [f32],
    dgain: &mut [f32],
) {
    let mut scaled = vec![0.0; at.width];
    for ((row, dy), inverse) in dy.chunks_exact(at.width).enumerate().zip(inverse) {
        let (x, dx) = (&x[at.of(row)], &mut dx[at.of(row)]);
        for ((scaled, dy), gain) in scaled.iter_mut().zip(dy).zip(gain) {
            *scaled = dy * gain;
        }
        let along = dot(&scaled, x) * inverse * inverse / at.width as f32;
        for i in 0..at.width {
            dx[i] += (scaled[i] - x[i] * along) * inverse;
            dgain[i] += dy[i] * x[i] * inverse;
        }
    }
}
