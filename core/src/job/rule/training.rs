//! Batches, loss, checkpoints, evaluation.

use super::{super::Engine, Rules};

impl Rules<'_> {
    pub(super) fn batches(&mut self) {
        let job = self.job;
        let Some(kept) = job.whole("rollout-batch-size").filter(|kept| *kept > 0) else { return };
        if let Some(sampled) = job.whole("over-sampling-batch-size").filter(|sampled| *sampled < kept) {
            let text =
                format!("over-sampling-batch-size is {sampled}, less than rollout-batch-size: write at least {kept}");
            self.error(&["over-sampling-batch-size", "rollout-batch-size"], text);
        }
        let samples = job.whole("n-samples-per-prompt").unwrap_or(1);
        if samples == 1 && job.effective("advantage-estimator").as_deref() == Some("grpo") {
            let text =
                "n-samples-per-prompt is 1: a group of one has no spread of rewards to learn from; write at least 2";
            self.warning(&["n-samples-per-prompt", "advantage-estimator"], text);
        }
        let (Some(total), Some(steps)) = (kept.checked_mul(samples), job.whole("num-steps-per-rollout")) else {
            return;
        };
        let Some((each, rest)) = total.checked_div(steps).zip(total.checked_rem(steps)) else { return };
        let names = ["num-steps-per-rollout", "rollout-batch-size", "n-samples-per-prompt"];
        let product = format!("rollout-batch-size x n-samples-per-prompt = {kept} x {samples} = {total}");
        if each == 0 {
            let text = format!("num-steps-per-rollout is {steps}, more than the samples of a rollout ({product})");
            return self.error(&names, text);
        }
        if rest != 0 {
            let text = format!(
                "{total} samples a rollout ({product}) are not a multiple of num-steps-per-rollout ({steps}): {rest} of them are not trained on"
            );
            self.warning(&names, text);
        }
        if let Some(global) = job.whole("global-batch-size").filter(|global| *global != each) {
            let text = format!(
                "global-batch-size is {global}, but {product}, and / num-steps-per-rollout ({steps}) = {each}: write {each}, or leave it out"
            );
            self.error(&["global-batch-size", names[0], names[1], names[2]], text);
        }
    }

    pub(super) fn loss(&mut self) {
        let job = self.job;
        let weight = |name: &str| job.number(name).filter(|weight| *weight != 0.0);
        if let Some(weight) = weight("kl-loss-coef").filter(|_| !job.flag("use-kl-loss")) {
            let text = format!(
                "kl-loss-coef is {weight}, but no reference model is loaded: write use-kl-loss = true below [grpo]"
            );
            self.warning(&["kl-loss-coef", "use-kl-loss"], text);
        }
        if weight("kl-coef").is_some() && weight("kl-loss-coef").is_some() {
            self.error(&["kl-coef", "kl-loss-coef"], "only one of kl-coef and kl-loss-coef can be other than 0");
        }
        let reference = job.flag("use-kl-loss") || weight("kl-coef").is_some();
        if reference && job.engine == Engine::Slime && job.value("ref-load").is_none() {
            let text = "the reference model has no weights: write ref-load = \"DIRECTORY\" below [checkpoint]";
            self.error(&["use-kl-loss", "kl-coef", "ref-load", "engine"], text);
        }
        if let (Some(low), Some(high)) = (job.number("eps-clip"), job.number("eps-clip-high"))
            && high < low
        {
            let text = format!(
                "eps-clip-high ({high}) is less than eps-clip ({low}): probabilities may fall further than rise"
            );
            self.warning(&["eps-clip-high", "eps-clip"], text);
        }
        if let (Some(low), Some(high)) = (job.number("min-lr"), job.number("lr"))
            && high < low
        {
            self.error(&["min-lr", "lr"], format!("min-lr ({low}) is greater than lr ({high})"));
        }
    }

    pub(super) fn saving(&mut self) {
        let job = self.job;
        let (set, missing) = (|name: &str| job.value(name).is_some(), |name: &str| job.value(name).is_none());
        if set("save-interval") && missing("save") {
            let text = "save-interval has no place for its checkpoints: write save = \"DIRECTORY\" below [checkpoint]";
            self.error(&["save-interval", "save"], text);
        }
        if set("eval-interval") && missing("eval-prompt-data") && missing("eval-config") {
            let text =
                "eval-interval has nothing to evaluate: write eval-prompt-data = [\"NAME\", \"FILE\"] below [eval]";
            self.error(&["eval-interval", "eval-prompt-data", "eval-config"], text);
        }
        // slime takes a single value too, for the file of a set named aime.
        let sets = job.list("eval-prompt-data").len();
        if sets % 2 == 1 && !(sets == 1 && job.engine == Engine::Slime) {
            let text = "eval-prompt-data must be pairs of a name and a file, like [\"NAME\", \"FILE\"]";
            self.error(&["eval-prompt-data", "engine"], text);
        }
        if job.flag("use-dynamic-batch-size") && missing("max-tokens-per-gpu") {
            let text = "use-dynamic-batch-size needs a limit: write max-tokens-per-gpu below [perf]";
            self.error(&["use-dynamic-batch-size", "max-tokens-per-gpu"], text);
        }
    }
}
