use super::{decode::Next, *};
use crate::{
    device::{Cpu, Device, Scores},
    random::{Purpose, Random},
};

fn shape() -> Shape {
    Shape {
        vocab_size: 11,
        hidden_size: 20,
        num_hidden_layers: 2,
        first_k_dense_replace: 1,
        num_attention_heads: 2,
        q_lora_rank: 10,
        kv_lora_rank: 8,
        qk_nope_head_dim: 6,
        qk_rope_head_dim: 4,
        v_head_dim: 5,
        intermediate_size: 24,
        moe_intermediate_size: 12,
        n_shared_experts: 1,
        n_routed_experts: 4,
        num_experts_per_tok: 2,
        n_group: 2,
        topk_group: 1,
        routed_scaling_factor: 1.5,
    }
}

fn batch() -> Packed {
    let mut batch = Packed::default();
    batch.push(&[1, 4, 7, 2, 9]);
    batch.push(&[3, 3, 8]);
    batch.push(&[10, 5, 6, 0, 1, 2, 3]);
    batch
}

/// Some function of log-probabilities and entropies, and its gradients.
fn objective(scores: &Scores) -> (f64, Scores) {
    let mut random = Random::new(Purpose::Order, &[3]);
    let mut total = 0.0;
    let mut gradients = Scores::default();
    for (log_prob, entropy) in scores.log_prob.iter().zip(&scores.entropy) {
        let (a, b) = (random.normal(), random.normal());
        total += f64::from(a * log_prob) + f64::from(b * entropy);
        gradients.log_prob.push(a);
        gradients.entropy.push(b);
    }
    (total, gradients)
}

/// Every parameter of the model against finite differences, over random directions within each tensor.
#[test]
fn gradients_match_finite_differences() {
    let (d, model, batch) = (Cpu, Layout::new(&shape()), batch());
    let (targets, temperature) = (batch.targets(), 1.3);
    let params = model.birth(5);
    let mut tape = Tape::default();
    let mut loss = |params: &Vec<f32>| {
        forward(&d, &model, params, &batch, &mut tape);
        objective(&d.score(&tape.logits, 11, &targets, temperature)).0
    };
    let mut numeric = Vec::new();
    for tensor in &model.tensors {
        let mut random = Random::new(Purpose::Weights, &[tensor.start as u64]);
        let direction: Vec<f32> = tensor.range().map(|_| random.normal()).collect();
        let length = direction.iter().map(|x| x * x).sum::<f32>().sqrt();
        let at = |step: f32| {
            let mut moved = params.clone();
            for (param, along) in moved[tensor.range()].iter_mut().zip(&direction) {
                *param += step * along / length;
            }
            moved
        };
        // Fourth-order differences: f32 noise limits how small the step may be.
        let h = 0.02;
        let near = loss(&at(h)) - loss(&at(-h));
        let far = loss(&at(2.0 * h)) - loss(&at(-2.0 * h));
        numeric.push((direction, length, (8.0 * near - far) / (12.0 * f64::from(h))));
    }
    forward(&d, &model, &params, &batch, &mut tape);
    let gradients = objective(&d.score(&tape.logits, 11, &targets, temperature)).1;
    let (mut dlogits, mut grads) = (vec![0.0; tape.logits.len()], vec![0.0; model.len]);
    d.score_backward(&tape.logits, 11, &targets, temperature, &gradients, &mut dlogits);
    backward(&d, &model, &params, &batch, &tape, &dlogits, &mut grads);
    for (tensor, (direction, length, numeric)) in model.tensors.iter().zip(numeric) {
        let along: f32 = grads[tensor.range()].iter().zip(&direction).map(|(g, x)| g * x / length).sum();
        if tensor.name.ends_with("e_score_correction_bias") {
            assert_eq!(along, 0.0, "the bias is not learned");
            continue;
        }
        let difference = (f64::from(along) - numeric).abs();
        assert!(difference < 4e-3 * numeric.abs().max(1.0), "{}: {along}, numerically {numeric}", tensor.name);
    }
}

#[test]
fn packing_does_not_change_a_sequence() {
    let (d, model, batch) = (Cpu, Layout::new(&shape()), batch());
    let params = model.birth(6);
    let (mut all, mut one) = (Tape::default(), Tape::default());
    forward(&d, &model, &params, &batch, &mut all);
    for segment in &batch.segments {
        let mut alone = Packed::default();
        alone.push(&batch.tokens[segment.clone()]);
        forward(&d, &model, &params, &alone, &mut one);
        for (a, b) in all.logits[segment.start * 11..segment.end * 11].iter().zip(&one.logits) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}

#[test]
fn decoding_agrees_with_the_forward_pass() {
    let (d, model, batch) = (Cpu, Layout::new(&shape()), batch());
    let params = model.birth(7);
    let mut tape = Tape::default();
    forward(&d, &model, &params, &batch, &mut tape);
    let mut decoder = Decoder::new(&d, &model, 8, 16);
    // Sequences of different lengths side by side, one of them moved to another slot on the way.
    for position in 0..7 {
        if position == 3 {
            decoder.fork(&d, &model, 2, 5, 3);
        }
        let running: Vec<usize> = (0..3).filter(|i| position < batch.segments[*i].len()).collect();
        let row = |i: &usize| batch.segments[*i].start + position;
        let slot = |i: usize| if i == 2 && position >= 3 { 5 } else { i };
        let next: Vec<Next> =
            running.iter().map(|i| Next { token: batch.tokens[row(i)], position, slot: slot(*i) }).collect();
        let logits = decoder.step(&d, &model, &params, &next).clone();
        for (i, logits) in running.iter().zip(logits.chunks(11)) {
            for (a, b) in logits.iter().zip(&tape.logits[row(i) * 11..]) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
        }
    }
}

/// What a sample says must not depend on the samples beside it.
#[test]
fn decoding_does_not_depend_on_company() {
    let (d, model) = (Cpu, Layout::new(&shape()));
    let params = model.birth(8);
    let run = |company: usize| {
        let mut decoder = Decoder::new(&d, &model, 64, 8);
        let mut seen = Vec::new();
        for position in 0..6 {
            let next: Vec<Next> = (0..=company)
                .map(|slot| Next { token: ((position * 7 + slot * 3) % 11) as u32, position, slot })
                .collect();
            seen.extend_from_slice(&decoder.step(&d, &model, &params, &next)[..11]);
        }
        seen
    };
    let alone = run(0);
    for company in [1, 3, 17, 40, 63] {
        assert_eq!(alone, run(company), "{company} beside it");
    }
}
