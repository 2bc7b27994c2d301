use super::math::{exp, sum};
use crate::device::Scores;

/// Log-softmax of one row, into `out`.
fn log_softmax(logits: &[f32], temperature: f32, out: &mut [f32]) {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (out, logit) in out.iter_mut().zip(logits) {
        *out = (logit - top) / temperature;
    }
    let log_sum = out.iter().map(|x| exp(*x)).sum::<f32>().ln();
    for out in out {
        *out -= log_sum;
    }
}

pub(super) fn forward(logits: &[f32], vocab: usize, targets: &[u32], temperature: f32) -> Scores {
    let mut logs = vec![0.0; vocab];
    let mut scores = Scores::default();
    for (logits, target) in logits.chunks_exact(vocab).zip(targets) {
        log_softmax(logits, temperature, &mut logs);
        scores.log_prob.push(logs[*target as usize]);
        scores.entropy.push(-logs.iter().map(|log| exp(*log) * log).sum::<f32>());
    }
    scores
}

/// With u = logits / T: dlogp/du_i = [i = target] - p_i and dH/du_i = -p_i (log p_i + H).
pub(super) fn backward(
    logits: &[f32],
    vocab: usize,
    targets: &[u32],
    temperature: f32,
    dscores: &Scores,
    dlogits: &mut [f32],
) {
    let mut logs = vec![0.0; vocab];
    let mut surprise = vec![0.0; vocab];
    let rows = logits.chunks_exact(vocab).zip(targets).zip(dlogits.chunks_exact_mut(vocab));
    for (row, ((logits, target), dlogits)) in rows.enumerate() {
        let (dlog_prob, dentropy) = (dscores.log_prob[row], dscores.entropy[row]);
        if dlog_prob == 0.0 && dentropy == 0.0 {
            continue;
        }
        log_softmax(logits, temperature, &mut logs);
        for (surprise, log) in surprise.iter_mut().zip(&logs) {
            *surprise = -exp(*log) * log;
        }
        let entropy = sum(&surprise);
        for (dlogit, log) in dlogits.iter_mut().zip(&logs) {
            *dlogit -= exp(*log) * (dlog_prob + dentropy * (log + entropy)) / temperature;
        }
        dlogits[*target as usize] += dlog_prob / temperature;
    }
}

/// The token at which the cumulated probability passes `uniform`.
pub(super) fn draw(logits: &[f32], temperature: f32, uniform: f32) -> (u32, f32) {
    let mut logs = vec![0.0; logits.len()];
    log_softmax(logits, if temperature > 0.0 { temperature } else { 1.0 }, &mut logs);
    if temperature <= 0.0 {
        let best = (0..logs.len()).fold(0, |best, token| if logs[token] > logs[best] { token } else { best });
        return (best as u32, logs[best]);
    }
    let mut below = 0.0;
    let passes = |log: &f32| {
        below += exp(*log);
        uniform < below
    };
    // Rounding may leave the sum a hair below 1: then the likeliest of the rest, the last with any probability.
    let token = logs.iter().position(passes).or_else(|| logs.iter().rposition(|log| *log > -80.0)).unwrap_or(0);
    (token as u32, logs[token])
}
