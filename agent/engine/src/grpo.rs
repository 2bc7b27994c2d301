//! Group-relative policy optimisation: advantages, and the loss with its gradient.

use crate::{config::StepRates, device::Scores};

/// One response that is trained on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Trajectory {
    /// Prompt, then response.
    pub(crate) tokens: Vec<u32>,
    /// Tokens of the prompt.
    pub(crate) prompt: usize,
    pub(crate) advantage: f32,
    /// Log-probabilities of the response's tokens: by the rollout shard's weights,
    pub(crate) sampled: Vec<f32>,
    /// by the trainer's before the first step of this rollout,
    pub(crate) old: Vec<f32>,
    /// and by the reference; empty when there is none.
    pub(crate) reference: Vec<f32>,
}

impl Trajectory {
    /// Rows, counted from the sequence's first, that predict the response's tokens.
    pub(crate) fn rows(&self) -> std::ops::Range<usize> {
        self.prompt - 1..self.tokens.len() - 1
    }
}

/// Standard deviation of a sample, as torch has it.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

/// Rewards of a group, normalised within it.
pub(crate) fn advantages(rewards: &[f64]) -> Vec<f64> {
    let mean = rewards.iter().sum::<f64>() / rewards.len().max(1) as f64;
    let deviation = deviation(rewards);
    rewards.iter().map(|reward| (reward - mean) / (deviation + 1e-6)).collect()
}

/// Names of the totals that [`loss`] returns.
pub(crate) const TOTALS: [&str; 7] = [
    "train/loss",
    "train/pg_loss",
    "train/entropy_loss",
    "train/pg_clipfrac",
    "train/ppo_kl",
    "train/kl_loss",
    "train/train_rollout_logprob_abs_diff",
];

/// Loss of one micro-batch, given as its trajectories in packed order: each a mean over its tokens, summed with weight
/// 1/`samples`. Returns the gradients by row of the packed batch, and the totals.
pub(crate) fn loss(
    trajectories: &[&Trajectory],
    scores: &Scores,
    rates: &StepRates,
    samples: usize,
) -> (Scores, Vec<f64>) {
    let len = scores.log_prob.len();
    let mut gradients = Scores { log_prob: vec![0.0; len], entropy: vec![0.0; len] };
    let mut totals = [0.0; TOTALS.len()];
    let mut start = 0;
    for trajectory in trajectories {
        let rows = trajectory.rows();
        let weight = 1.0 / (rows.len() * samples) as f32;
        for (token, row) in rows.map(|row| start + row).enumerate() {
            let (log_prob, entropy) = (scores.log_prob[row], scores.entropy[row]);
            let term = Term::new(log_prob, trajectory, token, rates);
            let mut slope = term.slope;
            let mut value = term.value - rates.entropy_coef * entropy;
            let mut divergence = 0.0;
            if let Some(reference) = trajectory.reference.get(token) {
                let (kl, kl_slope) = low_var_kl(log_prob, *reference);
                divergence = kl;
                value += rates.kl_coef * kl;
                slope += rates.kl_coef * kl_slope;
            }
            gradients.log_prob[row] = slope * weight;
            gradients.entropy[row] = -rates.entropy_coef * weight;
            let apart = (log_prob - trajectory.sampled[token]).abs();
            let drift = trajectory.old[token] - log_prob;
            let found = [value, term.value, entropy, f32::from(u8::from(term.clipped)), drift, divergence, apart];
            for (total, found) in totals.iter_mut().zip(found) {
                *total += f64::from(found) * f64::from(weight);
            }
        }
        start += trajectory.tokens.len();
    }
    (gradients, totals.to_vec())
}

/// `max(-ratio A, -clip(ratio, 1 - eps, 1 + eps_high) A)` of one token.
struct Term {
    value: f32,
    /// With respect to the log-probability.
    slope: f32,
    clipped: bool,
}

impl Term {
    fn new(log_prob: f32, trajectory: &Trajectory, token: usize, rates: &StepRates) -> Term {
        let (advantage, ratio) = (trajectory.advantage, (log_prob - trajectory.old[token]).exp());
        let free = -ratio * advantage;
        let held = -ratio.clamp(1.0 - rates.eps_clip, 1.0 + rates.eps_clip_high) * advantage;
        let clipped = held > free;
        Term { value: free.max(held), slope: if clipped { 0.0 } else { free }, clipped }
    }
}

/// Schulman's k3 estimator, clamped as slime does, and its slope.
fn low_var_kl(log_prob: f32, reference: f32) -> (f32, f32) {
    let gap = reference - log_prob;
    let kl = gap.exp() - 1.0 - gap;
    if kl > 10.0 { (10.0, 0.0) } else { (kl, 1.0 - gap.exp()) }
}

#[cfg(test)]
mod tests;
