use std::collections::{BTreeMap, HashMap};

use super::{
    Trainer,
    generate::{Request, Wait},
    metrics::mean,
};
use crate::{
    learner::Interrupted,
    random::Purpose,
    task::{decode, reward},
};

impl Trainer {
    /// Mean reward on prompts that are never trained on.
    pub(super) fn evaluate(&mut self, rollout: u64) -> Result<(), Interrupted> {
        let Some(eval) = self.config.eval.clone() else { return Ok(()) };
        self.phase("eval", rollout);
        let plan = self.config.rollout;
        let request = Request {
            rollout,
            purpose: Purpose::Evaluation,
            samples: eval.samples,
            temperature: eval.temperature.unwrap_or(plan.temperature),
            max_len: eval.max_len.unwrap_or(plan.max_len),
        };
        let prompts: Vec<_> = (0..self.eval_prompts.len()).map(|index| (index, index)).collect();
        let total = (prompts.len() * eval.samples) as u64;
        let (mut out, mut wait) = (HashMap::new(), Wait::new());
        self.ask(&request, &prompts, &mut out, |trainer, prompt| trainer.eval_prompts[prompt].tokens());
        let (mut rewards, mut lengths, mut truncated) = (Vec::new(), Vec::new(), Vec::new());
        while !out.is_empty() {
            let Some((_, prompt, responses)) = self.receive(&mut out, &mut wait)? else { continue };
            for response in responses {
                rewards.push(reward(&decode(&response.tokens), &self.eval_prompts[prompt].label));
                lengths.push(response.tokens.len() as f64);
                truncated.push(f64::from(response.truncated));
            }
            wait.progress(self, rewards.len() as u64, total);
        }
        let name = format!("eval/{}", eval.name);
        let values = BTreeMap::from([
            (format!("{name}/response_len/mean"), mean(&lengths)),
            (format!("{name}-truncated_ratio"), mean(&truncated)),
            (name, mean(&rewards)),
        ]);
        self.metrics("eval", rollout, None, values);
        Ok(())
    }
}
