//! The sizes of a model, and what the built-in engine cannot do.

use super::{super::Engine, Rules};
use crate::argument;

impl Rules<'_> {
    pub(super) fn model(&mut self) {
        let job = self.job;
        let (experts, groups) = (job.whole("num-experts"), job.whole("moe-router-num-groups"));
        if let (Some(experts), Some(groups)) = (experts, groups.filter(|groups| *groups > 0))
            && experts % groups != 0
        {
            let text = format!("num-experts ({experts}) is not a multiple of moe-router-num-groups ({groups})");
            self.error(&["num-experts", "moe-router-num-groups"], text);
        }
        let mut at_most = |name: &str, limit: Option<u64>, of: &str| {
            if let (Some(value), Some(limit)) = (job.whole(name), limit)
                && value > limit
            {
                self.error(&[name, of], format!("{name} ({value}) is more than {of} ({limit})"));
            }
        };
        at_most("moe-router-topk", experts, "num-experts");
        at_most("moe-router-group-topk", groups, "moe-router-num-groups");
        if job.engine == Engine::Embedded {
            self.built_in();
        }
    }

    /// What the built-in engine cannot do.
    fn built_in(&mut self) {
        let job = self.job;
        if let Some(clip) = job.number("eps-clip").filter(|clip| *clip > 1.0) {
            self.error(
                &["eps-clip", "engine"],
                format!("eps-clip ({clip}) is more than 1: no probability falls further"),
            );
        }
        let sets = job.list("eval-prompt-data").len();
        if sets > 2 && sets.is_multiple_of(2) {
            let text = "the built-in engine evaluates one set: write eval-prompt-data = [\"NAME\", \"FILE\"]";
            self.error(&["eval-prompt-data", "engine"], text);
        }
        if job.whole("qk-pos-emb-head-dim").is_some_and(|width| width % 2 == 1) {
            self.error(&["qk-pos-emb-head-dim", "engine"], "qk-pos-emb-head-dim must be even: positions turn pairs");
        }
        let experts = job.whole("num-experts").zip(job.whole("moe-router-num-groups"));
        if let Some(each) = experts.and_then(|(experts, groups)| experts.checked_div(groups)) {
            let names = ["moe-router-num-groups", "num-experts", "moe-router-topk", "moe-router-group-topk", "engine"];
            if each < 2 {
                self.error(&names, "a group of experts must have at least 2: write fewer moe-router-num-groups");
            } else if let (Some(chosen), Some(of)) = (job.whole("moe-router-topk"), job.whole("moe-router-group-topk"))
                && chosen > of.saturating_mul(each)
            {
                let text = format!(
                    "moe-router-topk ({chosen}) is more than the experts of moe-router-group-topk ({of}) groups of {each}"
                );
                self.error(&names[2..], text);
            }
        }
        let shared = job.whole("moe-shared-expert-intermediate-size").zip(job.whole("moe-ffn-hidden-size"));
        if let Some((shared, width)) =
            shared.filter(|(shared, width)| shared.checked_rem(*width).is_some_and(|rest| rest > 0))
        {
            let text = format!(
                "moe-shared-expert-intermediate-size ({shared}) is not a multiple of moe-ffn-hidden-size ({width})"
            );
            self.error(&["moe-shared-expert-intermediate-size", "moe-ffn-hidden-size", "engine"], text);
        }
        self.dense_layers();
    }

    /// The built-in engine has DeepSeek's order: dense layers first, then mixtures.
    fn dense_layers(&mut self) {
        let job = self.job;
        let (Some(pattern), Some(layers)) = (job.value("moe-layer-freq"), job.whole("num-layers")) else { return };
        let inner = pattern.trim().trim_start_matches('[').trim_end_matches(']');
        let marks: Vec<&str> = inner.split(',').map(str::trim).collect();
        let mixtures = marks.iter().skip_while(|mark| **mark == "0");
        if marks.len() as u64 != layers || mixtures.into_iter().any(|mark| *mark != "1") {
            let text = format!(
                "moe-layer-freq is {}: it must be {layers} marks (num-layers), 0 for dense layers first, then 1 for mixtures, like \"[0,1,1]\"",
                argument::quoted(&pattern)
            );
            self.error(&["moe-layer-freq", "num-layers", "engine"], text);
        }
    }
}
