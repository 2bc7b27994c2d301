//! The cold start: a short supervised warm-up on written solutions, to a policy that is right sometimes.

use std::sync::atomic::AtomicBool;

use crate::{
    device::{AdamW, Cpu, Device, Scores},
    learner::{Interrupted, Learner},
    model::{Layout, Packed, Shape},
    pack::pack,
    random::{Purpose, Random},
    task::{self, Problem, Prompt},
};

/// Solutions in one optimizer step.
const BATCH: usize = 48;
const PEAK_LR: f32 = 3e-3;
const WARM_UP: u64 = 20;
/// Step of the experts' biases towards an even load, as DeepSeek-V3 does it instead of a loss.
const BIAS_RATE: f32 = 2e-3;
/// The share of steps that imitate solutions as they should be.
const CAREFUL: f64 = 0.78;

/// Everything that determines the result.
#[derive(Clone, Debug)]
pub(crate) struct ColdStart {
    pub(crate) shape: Shape,
    pub(crate) seed: u64,
    pub(crate) steps: u64,
}

impl ColdStart {
    /// Names the result: two cold starts with the same name are the same to the last bit.
    pub(crate) fn name(&self) -> String {
        let text = format!("{self:?} {} {BATCH} {PEAK_LR} {WARM_UP} {BIAS_RATE} {CAREFUL}", task::VERSION);
        format!("{:016x}", crate::checkpoint::checksum(text.as_bytes()))
    }

    /// The weights. `progress` gets the step and its loss.
    pub(crate) fn run(&self, stop: &AtomicBool, mut progress: impl FnMut(u64, f64)) -> Result<Vec<f32>, Interrupted> {
        let model = Layout::new(&self.shape);
        let mut learner = Learner::new(Cpu, model.clone(), &model.birth(self.seed));
        let mut random = Random::new(Purpose::ColdStart, &[self.seed]);
        for step in 0..self.steps {
            // First what is right, then how people really do it: skill, and habits for the reward to break.
            let careless = step as f64 >= self.steps as f64 * CAREFUL;
            let batches = Examples::draw(&mut random, careless);
            let gradient =
                learner.gradient(&batches.packed, 1.0, stop, &|index, scores| batches.loss(index, scores))?;
            learner.update(self.rates(step), gradient.norm, 1.0);
            learner.balance(&gradient.loads, BIAS_RATE);
            progress(step, gradient.totals[0]);
        }
        Ok(learner.device.download(&learner.params))
    }

    /// A short rise, then a cosine down to a tenth.
    fn rates(&self, step: u64) -> AdamW {
        let rise = ((step + 1) as f32 / WARM_UP as f32).min(1.0);
        let fall = 0.5 * (1.0 + (std::f32::consts::PI * step as f32 / self.steps as f32).cos());
        let lr = PEAK_LR * rise * (0.1 + 0.9 * fall);
        AdamW { lr, beta1: 0.9, beta2: 0.98, decay: 0.01, step: step + 1, grad_scale: 1.0 }
    }
}

struct Examples {
    packed: Vec<Packed>,
    /// Rows that predict a token of a solution, by micro-batch.
    rows: Vec<Vec<usize>>,
    tokens: f32,
}

impl Examples {
    fn draw(random: &mut Random, careless: bool) -> Examples {
        let sequences: Vec<(Vec<u32>, usize)> = (0..BATCH)
            .map(|_| {
                let problem = Problem::draw_train(random);
                let mut tokens = Prompt { text: problem.prompt(), label: String::new() }.tokens();
                let prompt = tokens.len();
                let text = if careless { problem.demonstration(random) } else { problem.solution() };
                tokens.extend(task::encode(&text));
                (tokens, prompt)
            })
            .collect();
        let lengths: Vec<usize> = sequences.iter().map(|(tokens, _)| tokens.len()).collect();
        let mut examples = Examples { packed: Vec::new(), rows: Vec::new(), tokens: 0.0 };
        for bin in pack(&lengths, 512, 4) {
            let (mut packed, mut rows) = (Packed::default(), Vec::new());
            for index in bin {
                let (tokens, prompt) = &sequences[index];
                let first = packed.tokens.len();
                rows.extend(first + prompt - 1..first + tokens.len() - 1);
                packed.push(tokens);
            }
            examples.tokens += rows.len() as f32;
            examples.packed.push(packed);
            examples.rows.push(rows);
        }
        examples
    }

    /// Mean cross-entropy of the solutions' tokens.
    fn loss(&self, index: usize, scores: &Scores) -> (Scores, Vec<f64>) {
        let len = scores.log_prob.len();
        let mut gradients = Scores { log_prob: vec![0.0; len], entropy: vec![0.0; len] };
        let mut total = 0.0;
        for row in &self.rows[index] {
            total -= f64::from(scores.log_prob[*row]) / f64::from(self.tokens);
            gradients.log_prob[*row] = -1.0 / self.tokens;
        }
        (gradients, vec![total])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{argument::Given, config::Config};

    fn cold(seed: u64) -> ColdStart {
        let words = "--hidden-size 32 --num-layers 2 --moe-layer-freq [0,1] --q-lora-rank 16 --kv-lora-rank 16";
        let given = Given::parse(&words.split(' ').map(String::from).collect::<Vec<_>>()).unwrap();
        ColdStart { seed, steps: 40, ..Config::new(&given).unwrap().cold() }
    }

    #[test]
    fn it_learns_and_its_name_stands_for_its_bits() {
        let run = |seed: u64| {
            let mut losses = Vec::new();
            let weights = cold(seed).run(&AtomicBool::new(false), |_, loss| losses.push(loss)).unwrap();
            (weights, losses)
        };
        let (weights, losses) = run(1);
        assert!(losses[39] < 0.7 * losses[0], "{losses:?}");
        assert!(run(1).0 == weights && run(2).0 != weights);
        assert_eq!(cold(1).name(), cold(1).name());
        assert_ne!(cold(1).name(), cold(2).name());
        assert_ne!(cold(1).name(), ColdStart { steps: 41, ..cold(1) }.name());
        assert!(cold(1).run(&AtomicBool::new(true), |_, _| {}).is_err());
    }
}
