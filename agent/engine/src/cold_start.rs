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
        let text = format!("{self:?} {} {BATCH} {PEAK_LR} {WARM_UP} {BIAS_RATE}", task::VERSION);
        format!("{:016x}", crate::checkpoint::checksum(text.as_bytes()))
    }

    /// The weights. `progress` gets the step and its loss.
    pub(crate) fn run(&self, stop: &AtomicBool, mut progress: impl FnMut(u64, f64)) -> Result<Vec<f32>, Interrupted> {
        let model = Layout::new(&self.shape);
        let mut learner = Learner::new(Cpu, model.clone(), &model.birth(self.seed));
        let mut random = Random::new(Purpose::ColdStart, &[self.seed]);
        for step in 0..self.steps {
            let batches = Examples::draw(&mut random);
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
    fn draw(random: &mut Random) -> Examples {
        let sequences: Vec<(Vec<u32>, usize)> = (0..BATCH)
            .map(|_| {
                let problem = Problem::draw_train(random);
                let mut tokens = Prompt { text: problem.prompt(), label: String::new() }.tokens();
                let prompt = tokens.len();
                tokens.extend(task::encode(&problem.demonstration(random)));
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
mod probe {
    use super::*;

    #[test]
    #[ignore = "a measurement"]
    fn speed() {
        let env = |name: &str, default: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
        let hidden = env("H", 96);
        let shape = Shape {
            vocab_size: 32,
            hidden_size: hidden,
            num_hidden_layers: env("L", 3),
            first_k_dense_replace: 1,
            num_attention_heads: env("A", 4),
            q_lora_rank: env("Q", 48),
            kv_lora_rank: env("KV", 32),
            qk_nope_head_dim: env("N", 16),
            qk_rope_head_dim: env("R", 16),
            v_head_dim: 16,
            intermediate_size: env("F", 192),
            moe_intermediate_size: env("E", 64),
            n_shared_experts: 1,
            n_routed_experts: 8,
            num_experts_per_tok: 2,
            n_group: 4,
            topk_group: 2,
            routed_scaling_factor: 1.0,
        };
        let start = std::time::Instant::now();
        let cold = ColdStart { shape, seed: 1234, steps: env("S", 300) as u64 };
        let model = Layout::new(&cold.shape);
        println!("params {}", model.len);
        let mut losses = Vec::new();
        let params = cold
            .run(&AtomicBool::new(false), |step, loss| {
                losses.push(loss);
                if step % 40 == 39 {
                    println!("{step} {:.4} {:?}", losses.iter().rev().take(20).sum::<f64>() / 20.0, start.elapsed());
                }
            })
            .unwrap();
        for temperature in [1.0, 0.0] {
            let mut sampler = crate::sampler::Sampler::new(Cpu, &model, 64);
            let mut random = Random::new(Purpose::Problems, &[77]);
            let problems: Vec<(String, String)> = (0..400)
                .map(|_| {
                    let p = Problem::draw_train(&mut random);
                    (p.prompt(), p.label())
                })
                .collect();
            for (id, problem) in problems.iter().enumerate() {
                let prompt = Prompt { text: problem.0.clone(), label: String::new() }.tokens();
                sampler.submit(crate::exchange::Job {
                    id: id as u64,
                    rollout: 0,
                    prompt,
                    samples: 2,
                    seed: id as u64,
                    temperature,
                    max_len: 56,
                });
            }
            let mut table = std::collections::BTreeMap::<(char, usize), (f64, f64)>::new();
            while !sampler.idle() {
                for (id, responses) in sampler.step(&model, &params) {
                    let (prompt, label) = &problems[id as usize];
                    let op = prompt.chars().find(|c| "+-*".contains(*c)).unwrap();
                    let digits = prompt.find(op).unwrap();
                    for response in responses {
                        for key in [(op, digits), ('a', 0)] {
                            let entry = table.entry(key).or_default();
                            entry.0 += task::reward(&task::decode(&response.tokens), label);
                            entry.1 += 1.0;
                        }
                    }
                }
            }
            let row: Vec<String> = table.iter().map(|((op, n), (r, c))| format!("{op}{n} {:.2}", r / c)).collect();
            println!("T {temperature}: {}", row.join("  "));
        }
    }
}
