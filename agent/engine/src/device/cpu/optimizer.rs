use std::ops::Range;

use crate::device::AdamW;

const EPSILON: f32 = 1e-8;

pub(super) fn adamw(
    params: &mut [f32],
    grads: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    decayed: &[Range<usize>],
    rates: AdamW,
) {
    let AdamW { lr, beta1, beta2, decay, step, grad_scale } = rates;
    if lr != 0.0 {
        for range in decayed {
            for param in &mut params[range.clone()] {
                *param -= lr * decay * *param;
            }
        }
    }
    let exponent = i32::try_from(step).unwrap_or(i32::MAX);
    let (correct1, correct2) = (1.0 - beta1.powi(exponent), 1.0 - beta2.powi(exponent));
    let (rate, root) = (lr / correct1, 1.0 / correct2.sqrt());
    for (((param, grad), first), second) in params.iter_mut().zip(grads).zip(first).zip(second) {
        let grad = grad * grad_scale;
        *first = beta1 * *first + (1.0 - beta1) * grad;
        *second = beta2 * *second + (1.0 - beta2) * grad * grad;
        if lr != 0.0 {
            *param -= rate * *first / (second.sqrt() * root + EPSILON);
        }
    }
}
