//! The `[model]` table against the `config.json` of the checkpoint.

use serde_json::Value as Json;

use super::Job;
use crate::{argument, finding::Finding};

/// Keys of `config.json`, and the arguments that must say the same.
const PAIRS: [(&str, &str); 8] = [
    ("hidden_size", "hidden-size"),
    ("num_attention_heads", "num-attention-heads"),
    ("num_hidden_layers", "num-layers"),
    ("intermediate_size", "ffn-hidden-size"),
    ("moe_intermediate_size", "moe-ffn-hidden-size"),
    ("shared_expert_intermediate_size", "moe-shared-expert-intermediate-size"),
    ("rms_norm_eps", "norm-epsilon"),
    ("rope_theta", "rotary-base"),
];

/// Where a job's model is another one than `config`, the `config.json` of its `hf-checkpoint`. slime refuses such a
/// job too, but only when its driver starts, with all of Ray up.
pub fn model_mismatches(job: &Job, config: &Json) -> Vec<Finding> {
    // Models of several kinds of input keep the part that is trained here.
    let config = config.get("text_config").filter(|inner| inner.is_object()).unwrap_or(config);
    let mut findings = Vec::new();
    for (key, name) in PAIRS {
        if let Some(theirs) = number(config, key).filter(|_| name != "ffn-hidden-size" || has_dense_layers(job, config))
        {
            findings.extend(differs(job, name, key, theirs));
        }
    }
    // DeepSeek counts shared experts instead of giving their width together.
    if let (Some(count), Some(width)) = (number(config, "n_shared_experts"), number(config, "moe_intermediate_size")) {
        let key = "n_shared_experts x moe_intermediate_size";
        findings.extend(differs(job, "moe-shared-expert-intermediate-size", key, count * width));
    }
    let untied = "untie-embeddings-and-output-weights";
    match (config.get("tie_word_embeddings").and_then(Json::as_bool), job.flag(untied)) {
        (Some(true), true) => {
            let text = "its output head is its embedding (tie_word_embeddings): leave it out";
            findings.push(Finding::error(
                None,
                format!("{untied} is set, but the model of hf-checkpoint says that {text}"),
            ));
        }
        (Some(false), false) => {
            let text = "its output head has weights of its own (tie_word_embeddings)";
            let text = format!("the model of hf-checkpoint says that {text}: write {untied} = true below [model]");
            findings.push(Finding::error(None, text));
        }
        _ => {}
    }
    findings
}

fn differs(job: &Job, name: &str, key: &str, theirs: f64) -> Option<Finding> {
    let ours = job.effective(name);
    if ours.as_deref().and_then(|text| text.parse().ok()) == Some(theirs) {
        return None;
    }
    let ours = match ours {
        Some(text) if job.value(name).is_some() => format!("{name} is {}", argument::shown(&text)),
        Some(text) => format!("{name} is not given, so it is {text}"),
        None => format!("{name} is missing"),
    };
    let text =
        format!("{ours}, but the model of hf-checkpoint has {theirs} ({key}): write {name} = {theirs} below [model]");
    Some(Finding::error(None, text))
}

/// Newer checkpoints keep what belongs to rotary positions together; that is then what counts.
fn number(config: &Json, key: &str) -> Option<f64> {
    config.get("rope_parameters").and_then(|inner| inner.get(key)).or_else(|| config.get(key))?.as_f64()
}

/// Whether any layer is dense: a pure mixture's `intermediate_size` is never used. `moe-layer-freq` is a period
/// or a list of marks.
fn has_dense_layers(job: &Job, config: &Json) -> bool {
    let experts = ["num_experts", "n_routed_experts", "num_local_experts", "moe_intermediate_size"];
    let mixture = experts.iter().any(|key| number(config, key).is_some_and(|count| count > 0.0));
    !mixture || job.value("moe-layer-freq").is_some_and(|marks| marks.parse::<u64>().is_err() && marks.contains('0'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(job: &str, config: Json) -> Vec<String> {
        let text = format!(
            "engine = \"slime\"\nallow = [\"model.layer-freq\"]\n{job}\n[cluster]\ncolocate = true\n[checkpoint]\nhf-checkpoint = \"a\"\n[rollout]\nnum-rollout = 1\n\
             rollout-batch-size = 2\nn-samples-per-prompt = 2\n"
        );
        let job = Job::read(&text, "job.toml", &|_| None).map_or_else(|wrong| panic!("{wrong:?}"), |(job, _)| job);
        model_mismatches(&job, &config).into_iter().map(|finding| finding.to_string()).collect()
    }

    /// What deepseek-ai/DeepSeek-R1 has in its config.json.
    fn r1() -> Json {
        json!({
            "model_type": "deepseek_v3", "hidden_size": 7168, "num_attention_heads": 128, "num_hidden_layers": 61,
            "intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1,
            "tie_word_embeddings": false, "rms_norm_eps": 1e-06, "rope_theta": 10000,
        })
    }

    /// What Qwen/Qwen3-4B has.
    fn qwen() -> Json {
        json!({
            "model_type": "qwen3", "hidden_size": 2560, "num_attention_heads": 32, "num_hidden_layers": 36,
            "intermediate_size": 9728, "tie_word_embeddings": true, "rms_norm_eps": 1e-06, "rope_theta": 1000000,
        })
    }

    #[test]
    fn the_presets_are_the_models_that_they_are_named_after() {
        assert_eq!(said("model = \"deepseek-v3\"", r1()), [""; 0]);
        assert_eq!(said("model = \"qwen3-4b\"", qwen()), [""; 0]);
        assert_eq!(said("model = \"qwen3-4b\"", json!({ "text_config": qwen(), "hidden_size": 1 })), [""; 0]);
    }

    #[test]
    fn every_difference_is_said_with_what_to_write() {
        let job = "[model]\npreset = \"deepseek-v3\"\nnum-layers = 60\nrotary-base = false\nnorm-epsilon = 1e-5\n\
                   moe-shared-expert-intermediate-size = 4096\nmoe-ffn-hidden-size = false\n\
                   untie-embeddings-and-output-weights = false";
        let mut config = r1();
        config["rope_parameters"] = json!({ "rope_theta": 50000.0 });
        assert_eq!(
            said(job, config),
            [
                "error: num-layers is 60, but the model of hf-checkpoint has 61 (num_hidden_layers): write num-layers = 61 below [model]",
                "error: moe-ffn-hidden-size is missing, but the model of hf-checkpoint has 2048 (moe_intermediate_size): write moe-ffn-hidden-size = 2048 below [model]",
                "error: norm-epsilon is 1e-5, but the model of hf-checkpoint has 0.000001 (rms_norm_eps): write norm-epsilon = 0.000001 below [model]",
                "error: rotary-base is not given, so it is 10000, but the model of hf-checkpoint has 50000 (rope_theta): write rotary-base = 50000 below [model]",
                "error: moe-shared-expert-intermediate-size is 4096, but the model of hf-checkpoint has 2048 (n_shared_experts x moe_intermediate_size): write moe-shared-expert-intermediate-size = 2048 below [model]",
                "error: the model of hf-checkpoint says that its output head has weights of its own (tie_word_embeddings): write untie-embeddings-and-output-weights = true below [model]",
            ]
        );
        let tied = said("[model]\npreset = \"qwen3-4b\"\nuntie-embeddings-and-output-weights = true", qwen());
        let text = "error: untie-embeddings-and-output-weights is set, but the model of hf-checkpoint says that its output head is its embedding (tie_word_embeddings): leave it out";
        assert_eq!(tied, [text]);
    }

    #[test]
    fn the_dense_width_of_a_pure_mixture_does_not_matter() {
        let config = json!({ "num_experts": 128, "intermediate_size": 6144 });
        assert_eq!(said("[model]\nmoe-layer-freq = \"[1,1,1]\"", config.clone()), [""; 0]);
        assert_eq!(said("[model]\nmoe-layer-freq = \"[0,1,1]\"", config).len(), 1);
        assert_eq!(said("", json!("not a config")), [""; 0]);
        assert_eq!(said("", json!({ "hidden_size": "wide", "text_config": null })), [""; 0]);
    }
}
