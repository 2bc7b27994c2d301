//! The arguments as values.

use std::path::PathBuf;

use crate::{argument::Given, cold_start::ColdStart, model::Shape, task};

/// A whole job as one process sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub(crate) shape: Shape,
    pub(crate) seed: u64,
    pub(crate) rollout_seed: u64,
    pub(crate) bias_rate: f32,
    pub(crate) load: Option<PathBuf>,
    pub(crate) save: Option<PathBuf>,
    pub(crate) ref_load: Option<PathBuf>,
    pub(crate) cold_start: Option<PathBuf>,
    pub(crate) cold_start_steps: u64,
    pub(crate) prompt_data: Option<PathBuf>,
    pub(crate) generate_data: bool,
    pub(crate) input_key: String,
    pub(crate) label_key: String,
    pub(crate) num_rollout: u64,
    pub(crate) shards: u64,
    pub(crate) slots: usize,
    pub(crate) filter: bool,
    pub(crate) exchange: PathBuf,
    pub(crate) eval: Option<Eval>,
    pub(crate) use_kl: bool,
    pub(crate) max_tokens: usize,
    pub(crate) rank: u64,
    pub(crate) step: StepRates,
    pub(crate) rollout: RolloutPlan,
}

/// How evaluation is done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Eval {
    pub(crate) name: String,
    pub(crate) data: PathBuf,
    pub(crate) samples: usize,
    pub(crate) max_len: Option<usize>,
    pub(crate) temperature: Option<f32>,
}

/// What may change from one optimizer step to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StepRates {
    pub(crate) lr: f32,
    pub(crate) decay: f32,
    pub(crate) beta1: f32,
    pub(crate) beta2: f32,
    pub(crate) clip_grad: f64,
    pub(crate) eps_clip: f32,
    pub(crate) eps_clip_high: f32,
    pub(crate) kl_coef: f32,
    pub(crate) entropy_coef: f32,
    pub(crate) save_interval: u64,
    pub(crate) eval_interval: Option<u64>,
}

/// What may change from one rollout to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RolloutPlan {
    pub(crate) batch: usize,
    pub(crate) over_sampling: usize,
    pub(crate) samples: usize,
    pub(crate) max_len: usize,
    pub(crate) temperature: f32,
    pub(crate) steps: usize,
}

impl Config {
    pub(crate) fn new(given: &Given) -> Result<Config, String> {
        let missing = |name: &str| format!("--{name} is required");
        let count = |name: &'static str| given.number::<usize>(name).ok_or_else(|| missing(name));
        let number = |name: &'static str| given.number::<f32>(name).ok_or_else(|| missing(name));
        let whole = |name: &'static str| given.number::<u64>(name).ok_or_else(|| missing(name));
        let path = |name: &'static str| given.text(name).map(PathBuf::from);
        let text = |name: &'static str| given.text(name).unwrap_or_default().to_owned();
        let (shape, eps_clip) = (shape(given)?, number("eps-clip")?);
        shape.check()?;
        let (batch, samples) = (count("rollout-batch-size")?, count("n-samples-per-prompt")?);
        let over_sampling = given.number("over-sampling-batch-size").unwrap_or(batch);
        if over_sampling < batch {
            return Err("--over-sampling-batch-size must be at least --rollout-batch-size".into());
        }
        let mut steps = count("num-steps-per-rollout")?;
        if let Some(global) = given.number::<usize>("global-batch-size") {
            if !(batch * samples).is_multiple_of(global) {
                return Err("--global-batch-size must divide rollout-batch-size * n-samples-per-prompt".into());
            }
            steps = batch * samples / global;
        }
        if steps > batch * samples {
            return Err("--num-steps-per-rollout must not exceed rollout-batch-size * n-samples-per-prompt".into());
        }
        Ok(Config {
            shape,
            seed: whole("seed")?,
            rollout_seed: whole("rollout-seed")?,
            bias_rate: number("moe-router-bias-update-rate")?,
            load: path("load"),
            save: path("save"),
            ref_load: path("ref-load"),
            cold_start: path("cold-start"),
            cold_start_steps: whole("cold-start-steps")?,
            prompt_data: path("prompt-data"),
            generate_data: given.text("generate-data").is_some(),
            input_key: text("input-key"),
            label_key: text("label-key"),
            num_rollout: given.number("num-rollout").unwrap_or(u64::MAX),
            shards: whole("rollout-shards")?,
            slots: count("sglang-max-running-requests")?,
            filter: given.text("dynamic-sampling-filter-path").is_some(),
            exchange: path("exchange").unwrap_or_else(|| PathBuf::from("exchange.sock")),
            eval: given.texts("eval-prompt-data").map(|set| Eval {
                name: set[0].clone(),
                data: PathBuf::from(&set[1]),
                samples: given.number("n-samples-per-eval-prompt").unwrap_or(1),
                max_len: given.number("eval-max-response-len"),
                temperature: given.number("eval-temperature"),
            }),
            use_kl: given.flag("use-kl-loss"),
            max_tokens: count("max-tokens-per-gpu")?,
            rank: whole("rank")?,
            step: StepRates {
                lr: number("lr")?,
                decay: number("weight-decay")?,
                beta1: number("adam-beta1")?,
                beta2: number("adam-beta2")?,
                clip_grad: f64::from(number("clip-grad")?),
                eps_clip,
                eps_clip_high: given.number("eps-clip-high").unwrap_or(eps_clip),
                kl_coef: number("kl-loss-coef")?,
                entropy_coef: number("entropy-coef")?,
                save_interval: whole("save-interval")?,
                eval_interval: given.number("eval-interval"),
            },
            rollout: RolloutPlan {
                batch,
                over_sampling,
                samples,
                max_len: count("rollout-max-response-len")?,
                temperature: number("rollout-temperature")?,
                steps,
            },
        })
    }

    /// The cold start that this job begins from.
    pub(crate) fn cold(&self) -> ColdStart {
        ColdStart { shape: self.shape.clone(), seed: self.seed, steps: self.cold_start_steps }
    }

    /// Where it is kept.
    pub(crate) fn cold_dir(&self) -> Option<PathBuf> {
        self.cold_start.as_ref().map(|cache| cache.join(self.cold().name()))
    }
}

fn shape(given: &Given) -> Result<Shape, String> {
    let count = |name: &'static str| given.number::<usize>(name).unwrap_or_default();
    let layers = count("num-layers");
    let width = count("moe-ffn-hidden-size").max(1);
    let shared = count("moe-shared-expert-intermediate-size");
    if !shared.is_multiple_of(width) {
        return Err("--moe-shared-expert-intermediate-size must be a multiple of --moe-ffn-hidden-size".into());
    }
    Ok(Shape {
        vocab_size: task::VOCAB,
        hidden_size: count("hidden-size"),
        num_hidden_layers: layers,
        first_k_dense_replace: dense_layers(given.text("moe-layer-freq").unwrap_or_default(), layers)?,
        num_attention_heads: count("num-attention-heads"),
        q_lora_rank: count("q-lora-rank"),
        kv_lora_rank: count("kv-lora-rank"),
        qk_nope_head_dim: count("qk-head-dim"),
        qk_rope_head_dim: count("qk-pos-emb-head-dim"),
        v_head_dim: count("v-head-dim"),
        intermediate_size: count("ffn-hidden-size"),
        moe_intermediate_size: width,
        n_shared_experts: shared / width,
        n_routed_experts: count("num-experts"),
        num_experts_per_tok: count("moe-router-topk"),
        n_group: count("moe-router-num-groups"),
        topk_group: count("moe-router-group-topk"),
        routed_scaling_factor: given.number("moe-router-topk-scaling-factor").unwrap_or(1.0),
    })
}

/// Megatron writes which layers are mixtures as `[0,1,1]`; DeepSeek's are the last ones.
fn dense_layers(pattern: &str, layers: usize) -> Result<usize, String> {
    let inner = pattern.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let marks: Vec<&str> = inner.unwrap_or(pattern).split(',').map(str::trim).collect();
    let dense = marks.iter().take_while(|mark| **mark == "0").count();
    if marks.len() != layers || marks[dense..].iter().any(|mark| *mark != "1") {
        return Err(format!(
            "--moe-layer-freq {pattern:?}: expected [0,...,1,...] with {layers} entries (--num-layers), dense layers first"
        ));
    }
    Ok(dense)
}
