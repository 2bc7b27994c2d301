//! DeepSeek-V3's router: sigmoid scores, a bias that only steers the selection, group-limited top-k.

use std::cmp::Ordering;

use super::math::sigmoid;
use crate::device::{Router, Routing};

/// Indices of the `n` largest, ties to the lower index.
fn top(values: &[f32], n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].partial_cmp(&values[*a]).unwrap_or(Ordering::Equal));
    order.truncate(n);
    order
}

fn choose(router: Router, scores: &[f32], bias: &[f32]) -> Vec<usize> {
    let mut steered: Vec<f32> = scores.iter().zip(bias).map(|(score, bias)| score + bias).collect();
    let size = router.experts / router.groups;
    let groups: Vec<f32> =
        steered.chunks_exact(size).map(|group| top(group, 2).into_iter().map(|expert| group[expert]).sum()).collect();
    let allowed = top(&groups, router.top_groups);
    for (group, experts) in steered.chunks_exact_mut(size).enumerate() {
        if !allowed.contains(&group) {
            experts.fill(f32::NEG_INFINITY);
        }
    }
    top(&steered, router.top)
}

pub(super) fn forward(router: Router, logits: &[f32], bias: &[f32]) -> Routing {
    let mut slots: Vec<Vec<(u32, f32)>> = vec![Vec::new(); router.experts];
    let mut scores = vec![0.0; router.experts];
    for (token, logits) in logits.chunks_exact(router.experts).enumerate() {
        for (score, logit) in scores.iter_mut().zip(logits) {
            *score = sigmoid(*logit);
        }
        let chosen = choose(router, &scores, bias);
        let scale = router.scale / (chosen.iter().map(|expert| scores[*expert]).sum::<f32>() + 1e-20);
        for expert in chosen {
            slots[expert].push((token as u32, scores[expert] * scale));
        }
    }
    let mut routing = Routing::default();
    for expert in slots {
        let start = routing.tokens.len();
        routing.tokens.extend(expert.iter().map(|slot| slot.0));
        routing.weights.extend(expert.iter().map(|slot| slot.1));
        routing.experts.push(start..routing.tokens.len());
    }
    routing
}

/// With w_i = scale s_i / S over the chosen: ds_i = (scale dw_i - Σ dw_j w_j) / S, and ds/dlogit = s (1 - s).
pub(super) fn backward(router: Router, logits: &[f32], routing: &Routing, dweights: &[f32], dlogits: &mut [f32]) {
    let rows = logits.len() / router.experts;
    let (mut total, mut along) = (vec![1e-20; rows], vec![0.0; rows]);
    let slots = || {
        let experts = routing.experts.iter().enumerate();
        experts.flat_map(|(expert, slots)| slots.clone().map(move |slot| (expert, slot)))
    };
    for (expert, slot) in slots() {
        let token = routing.tokens[slot] as usize;
        total[token] += sigmoid(logits[token * router.experts + expert]);
        along[token] += dweights[slot] * routing.weights[slot];
    }
    for (expert, slot) in slots() {
        let token = routing.tokens[slot] as usize;
        let at = token * router.experts + expert;
        let s = sigmoid(logits[at]);
        dlogits[at] += (router.scale * dweights[slot] - along[token]) / total[token] * s * (1.0 - s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_limit_and_bias_only_selects() {
        let router = Router { experts: 6, top: 2, groups: 3, top_groups: 1, scale: 2.0 };
        // Group 1 has the best pair although expert 0 is the best alone.
        let logits = [3.0, -9.0, 1.0, 1.5, 0.9, 0.0];
        let routing = forward(router, &logits, &[0.0; 6]);
        assert_eq!(routing.experts, [0..0, 0..0, 0..1, 1..2, 2..2, 2..2]);
        assert!((routing.weights.iter().sum::<f32>() - 2.0).abs() < 1e-6);
        let (a, b) = (sigmoid(1.0), sigmoid(1.5));
        assert!((routing.weights[0] - 2.0 * a / (a + b)).abs() < 1e-6);
        let steered = forward(router, &logits, &[0.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(steered.experts[..2], [0..1, 1..2]);
        assert!(steered.weights[0] > 1.99, "the bias must not enter the weights");
    }
}
