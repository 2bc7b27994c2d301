use super::*;
use crate::{
    argument::Given,
    config::Config,
    device::{Cpu, Device},
    model::{Layout, Packed, Tape, backward, forward},
    random::{Purpose, Random},
};

fn rates() -> StepRates {
    let mut rates = Config::new(&Given::default()).unwrap().step;
    (rates.eps_clip, rates.eps_clip_high, rates.kl_coef, rates.entropy_coef) = (0.2, 0.28, 0.3, 0.05);
    rates
}

fn trajectories(count: usize, reference: bool) -> Vec<Trajectory> {
    let mut random = Random::new(Purpose::Order, &[9]);
    let mut noise = |n: usize, shift: f32| (0..n).map(|_| shift + 0.3 * random.normal()).collect::<Vec<f32>>();
    (0..count)
        .map(|i| {
            let (prompt, len) = (2 + i % 3, 4 + i % 5);
            Trajectory {
                tokens: (0..prompt + len).map(|t| ((t * 7 + i * 5) % 32) as u32).collect(),
                prompt,
                advantage: if i % 2 == 0 { 0.8 } else { -1.1 },
                sampled: noise(len, -3.4),
                old: noise(len, -3.4),
                reference: if reference { noise(len, -3.4) } else { Vec::new() },
            }
        })
        .collect()
}

fn pack(trajectories: &[&Trajectory]) -> Packed {
    let mut packed = Packed::default();
    trajectories.iter().for_each(|trajectory| packed.push(&trajectory.tokens));
    packed
}

#[test]
fn advantages_have_no_mean_and_unit_spread() {
    let found = advantages(&[1.0, 0.0, 0.0, 1.0]);
    assert!(found.iter().sum::<f64>().abs() < 1e-9);
    assert!((found[0] - 0.866_024).abs() < 1e-4, "{found:?}");
    assert_eq!(advantages(&[1.0, 1.0]), [0.0, 0.0]);
}

#[test]
fn clipping_is_decoupled() {
    let rates = rates();
    let at = |ratio: f32, advantage: f32| {
        let trajectory = Trajectory { advantage, old: vec![0.0], ..Trajectory::default() };
        let term = Term::new(ratio.ln(), &trajectory, 0, &rates);
        (term.value, term.clipped)
    };
    assert!((at(1.27, 1.0).0 + 1.27).abs() < 1e-6 && !at(1.27, 1.0).1);
    assert!((at(1.40, 1.0).0 + 1.28).abs() < 1e-6 && at(1.40, 1.0).1);
    assert!((at(0.70, -1.0).0 - 0.80).abs() < 1e-6 && at(0.70, -1.0).1);
    assert!(!at(0.70, 1.0).1 && !at(1.40, -1.0).1, "the pessimistic side is free");
}

/// The whole model under the whole loss, clipped tokens, entropy and KL included, against finite differences.
#[test]
fn the_gradient_of_the_loss_matches_finite_differences() {
    let shape = crate::config::Config::new(&Given::default()).unwrap().shape;
    let (d, model, rates) = (Cpu, Layout::new(&shape), rates());
    let params = model.birth(4);
    let all = trajectories(6, true);
    let all: Vec<&Trajectory> = all.iter().collect();
    let (batch, vocab) = (pack(&all), shape.vocab_size);
    let mut tape = Tape::default();
    let mut value = |params: &Vec<f32>| {
        forward(&d, &model, params, &batch, &mut tape);
        loss(&all, &d.score(&tape.logits, vocab, &batch.targets(), 0.9), &rates, 6).1[0]
    };
    let mut numeric = Vec::new();
    for part in 0..6u64 {
        let mut random = Random::new(Purpose::Weights, &[part]);
        let direction: Vec<f32> = params.iter().map(|_| random.normal()).collect();
        let step = 2e-5f32;
        let at = |sign: f32| params.iter().zip(&direction).map(|(p, x)| p + sign * step * x).collect::<Vec<f32>>();
        let slope = (value(&at(1.0)) - value(&at(-1.0))) / (2.0 * f64::from(step));
        numeric.push((direction, slope));
    }
    forward(&d, &model, &params, &batch, &mut tape);
    let scores = d.score(&tape.logits, vocab, &batch.targets(), 0.9);
    let (gradients, totals) = loss(&all, &scores, &rates, 6);
    assert!(totals[3] > 0.0, "some tokens are clipped");
    let (mut dlogits, mut grads) = (vec![0.0; tape.logits.len()], vec![0.0; model.len]);
    d.score_backward(&tape.logits, vocab, &batch.targets(), 0.9, &gradients, &mut dlogits);
    backward(&d, &model, &params, &batch, &tape, &dlogits, &mut grads);
    for (direction, numeric) in numeric {
        let along: f64 = grads.iter().zip(&direction).map(|(g, x)| f64::from(g * x)).sum();
        assert!((along - numeric).abs() < 2e-2 * numeric.abs().max(1.0), "{along}, numerically {numeric}");
    }
}

#[test]
fn packing_does_not_change_the_loss() {
    let (d, rates) = (Cpu, rates());
    let model = Layout::new(&Config::new(&Given::default()).unwrap().shape);
    let params = model.birth(4);
    let all = trajectories(8, true);
    let run = |bins: Vec<Vec<&Trajectory>>| {
        let (mut grads, mut sums) = (vec![0.0; model.len], [0.0; TOTALS.len()]);
        for bin in bins {
            let (batch, mut tape) = (pack(&bin), Tape::default());
            forward(&d, &model, &params, &batch, &mut tape);
            let scores = d.score(&tape.logits, 32, &batch.targets(), 1.0);
            let (gradients, totals) = loss(&bin, &scores, &rates, 8);
            let mut dlogits = vec![0.0; tape.logits.len()];
            d.score_backward(&tape.logits, 32, &batch.targets(), 1.0, &gradients, &mut dlogits);
            backward(&d, &model, &params, &batch, &tape, &dlogits, &mut grads);
            sums.iter_mut().zip(totals).for_each(|(sum, total)| *sum += total);
        }
        (grads, sums)
    };
    let (alone, alone_sums) = run(all.iter().map(|trajectory| vec![trajectory]).collect());
    let (packed, packed_sums) = run(vec![all[..5].iter().collect(), all[5..].iter().collect()]);
    for (a, b) in alone_sums.iter().zip(packed_sums) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
    let size = alone.iter().map(|x| x * x).sum::<f32>().sqrt();
    let apart = alone.iter().zip(&packed).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    assert!(apart < 1e-4 * size, "{apart} of {size}");
}
