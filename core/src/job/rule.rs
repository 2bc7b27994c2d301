//! What must hold between arguments.

use super::{Engine, Job};
use crate::finding::{Finding, Place};
use crate::shard::Severity;

/// Checks a job. `place` says where an argument is written.
pub(super) fn check(job: &Job, place: &dyn Fn(&str) -> Option<Place>) -> Vec<Finding> {
    let mut rules = Rules { job, place, findings: Vec::new() };
    rules.batches();
    rules.loss();
    rules.saving();
    rules.model();
    rules.required();
    rules.findings
}

struct Rules<'a> {
    job: &'a Job,
    place: &'a dyn Fn(&str) -> Option<Place>,
    findings: Vec<Finding>,
}

impl Rules<'_> {
    /// At the first of `names` that is written.
    fn error(&mut self, names: &[&str], text: String) {
        self.find(Severity::Error, names, text);
    }

    fn warning(&mut self, names: &[&str], text: String) {
        self.find(Severity::Warning, names, text);
    }

    fn find(&mut self, severity: Severity, names: &[&str], text: String) {
        let place = names.iter().find_map(|name| (self.place)(name));
        self.findings.push(Finding { severity, place, text });
    }

    fn batches(&mut self) {
        let job = self.job;
        let kept = job.whole("rollout-batch-size");
        if let (Some(kept), Some(sampled)) = (kept, job.whole("over-sampling-batch-size"))
            && sampled < kept
        {
            let text = format!(
                "over-sampling-batch-size is {sampled}, less than rollout-batch-size ({kept}): write at least {kept}"
            );
            self.error(&["over-sampling-batch-size", "rollout-batch-size"], text);
        }
        let samples = job.whole("n-samples-per-prompt").unwrap_or(1);
        if samples == 1 && job.effective("advantage-estimator").is_some_and(|name| name == "grpo") && kept.is_some() {
            let text =
                "n-samples-per-prompt is 1: a group of one has no spread of rewards to learn from; write at least 2";
            self.warning(&["n-samples-per-prompt", "rollout-batch-size"], text.to_owned());
        }
        let Some((total, kept)) = kept.and_then(|kept| Some((kept.checked_mul(samples)?, kept))) else { return };
        let Some(steps) = job.whole("num-steps-per-rollout").filter(|steps| *steps > 0) else { return };
        let names = ["num-steps-per-rollout", "rollout-batch-size", "n-samples-per-prompt"];
        let product = format!("rollout-batch-size x n-samples-per-prompt ({kept} x {samples} = {total})");
        if steps > total {
            self.error(
                &names,
                format!("num-steps-per-rollout is {steps}, more than {product}: a step would have no sample"),
            );
        } else if total % steps != 0 {
            let text = format!(
                "{product} does not divide into num-steps-per-rollout ({steps}): {} of each rollout are not trained on",
                total % steps
            );
            self.warning(&names, text);
        } else if let Some(global) = job.whole("global-batch-size").filter(|global| *global != total / steps) {
            let text = format!(
                "global-batch-size is {global}, but {product} / num-steps-per-rollout ({steps}) is {}: write that, or leave it out",
                total / steps
            );
            self.error(&["global-batch-size"], text);
        }
    }

    fn loss(&mut self) {
        let job = self.job;
        let weight = |name: &str| job.number(name).filter(|weight| *weight != 0.0);
        if let Some(weight) = weight("kl-loss-coef").filter(|_| !job.flag("use-kl-loss")) {
            let text = format!(
                "kl-loss-coef is {weight}, but without use-kl-loss no reference model is loaded: write use-kl-loss = true, or kl-loss-coef = 0"
            );
            self.warning(&["kl-loss-coef"], text);
        }
        if weight("kl-coef").is_some() && weight("kl-loss-coef").is_some() {
            self.error(
                &["kl-coef", "kl-loss-coef"],
                "only one of kl-coef and kl-loss-coef can be other than 0".to_owned(),
            );
        }
        if let (Some(low), Some(high)) = (job.number("eps-clip"), job.number("eps-clip-high"))
            && high < low
        {
            let text = format!(
                "eps-clip-high ({high}) is less than eps-clip ({low}): the policy forgets faster than it learns"
            );
            self.warning(&["eps-clip-high", "eps-clip"], text);
        }
        if let (Some(low), Some(high)) = (job.number("min-lr"), job.number("lr"))
            && high < low
        {
            self.error(&["min-lr", "lr"], format!("min-lr ({low}) is greater than lr ({high})"));
        }
    }

    fn saving(&mut self) {
        let job = self.job;
        if job.value("save-interval").is_some() && job.value("save").is_none() {
            self.error(
                &["save-interval"],
                "save-interval needs a place for the checkpoints: write save = \"DIRECTORY\" below [checkpoint]"
                    .to_owned(),
            );
        }
        let sets = job.list("eval-prompt-data");
        if job.value("eval-interval").is_some() && sets.is_empty() && job.value("eval-config").is_none() {
            let text =
                "eval-interval needs something to evaluate: write eval-prompt-data = [\"NAME\", \"FILE\"] below [eval]";
            self.error(&["eval-interval"], text.to_owned());
        }
        if sets.len() % 2 == 1 {
            let text = format!(
                "eval-prompt-data has {} value{}: names and files stand in pairs, [\"NAME\", \"FILE\"]",
                sets.len(),
                if sets.len() == 1 { "" } else { "s" }
            );
            self.error(&["eval-prompt-data"], text);
        }
        if job.flag("use-dynamic-batch-size") && job.value("max-tokens-per-gpu").is_none() {
            let text = "use-dynamic-batch-size needs max-tokens-per-gpu below [perf]";
            self.error(&["use-dynamic-batch-size"], text.to_owned());
        }
    }

    fn model(&mut self) {
        let job = self.job;
        let experts = job.whole("num-experts");
        let groups = job.whole("moe-router-num-groups").filter(|groups| *groups > 0);
        if let (Some(experts), Some(groups)) = (experts, groups)
            && experts % groups != 0
        {
            self.error(
                &["moe-router-num-groups", "num-experts"],
                format!("{experts} experts do not divide into moe-router-num-groups ({groups})"),
            );
        }
        if let (Some(groups), Some(chosen)) = (groups, job.whole("moe-router-group-topk"))
            && chosen > groups
        {
            self.error(
                &["moe-router-group-topk"],
                format!("moe-router-group-topk is {chosen}, more than moe-router-num-groups ({groups})"),
            );
        }
        if let (Some(experts), Some(chosen)) = (experts, job.whole("moe-router-topk"))
            && chosen > experts
        {
            self.error(&["moe-router-topk"], format!("moe-router-topk is {chosen}, more than num-experts ({experts})"));
        }
    }

    fn required(&mut self) {
        let job = self.job;
        let missing = |name: &str| job.value(name).is_none();
        if missing("num-rollout") && missing("num-epoch") {
            self.error(
                &[],
                "num-rollout is missing below [rollout]: after how many rollouts does the job end?".to_owned(),
            );
        }
        let needed: &[(&str, &str)] = match job.engine {
            Engine::Embedded => &[("rollout-batch-size", "rollout"), ("prompt-data", "rollout")],
            Engine::Slime => &[("rollout-batch-size", "rollout"), ("hf-checkpoint", "checkpoint")],
        };
        for (name, table) in needed.iter().filter(|(name, _)| missing(name)) {
            self.error(&[], format!("{name} is missing below [{table}]"));
        }
        if !job.cluster.hosts.is_empty() && job.cluster.hostfile.is_some() {
            self.error(&[], "[cluster] has hosts and a hostfile: keep one of them".to_owned());
        }
    }
}
