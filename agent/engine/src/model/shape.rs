use serde::{Deserialize, Serialize};

use crate::device::{Heads, Router};

/// The model's sizes, under the names of a Hugging Face `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shape {
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) first_k_dense_replace: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) q_lora_rank: usize,
    pub(crate) kv_lora_rank: usize,
    pub(crate) qk_nope_head_dim: usize,
    pub(crate) qk_rope_head_dim: usize,
    pub(crate) v_head_dim: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) moe_intermediate_size: usize,
    pub(crate) n_shared_experts: usize,
    pub(crate) n_routed_experts: usize,
    pub(crate) num_experts_per_tok: usize,
    pub(crate) n_group: usize,
    pub(crate) topk_group: usize,
    pub(crate) routed_scaling_factor: f32,
}

impl Shape {
    pub(crate) fn heads(&self) -> Heads {
        Heads {
            count: self.num_attention_heads,
            nope: self.qk_nope_head_dim,
            rope: self.qk_rope_head_dim,
            value: self.v_head_dim,
            latent: self.kv_lora_rank,
        }
    }

    pub(crate) fn router(&self) -> Router {
        Router {
            experts: self.n_routed_experts,
            top: self.num_experts_per_tok,
            groups: self.n_group,
            top_groups: self.topk_group,
            scale: self.routed_scaling_factor,
        }
    }

    /// Width of the fused down-projection: query latent, key-value latent, rotated key.
    pub(crate) fn down(&self) -> usize {
        self.q_lora_rank + self.kv_lora_rank + self.qk_rope_head_dim
    }

    /// Why no model can have this shape.
    pub(crate) fn check(&self) -> Result<(), String> {
        let positive = [
            ("hidden-size", self.hidden_size),
            ("num-layers", self.num_hidden_layers),
            ("num-attention-heads", self.num_attention_heads),
            ("q-lora-rank", self.q_lora_rank),
            ("kv-lora-rank", self.kv_lora_rank),
            ("qk-head-dim", self.qk_nope_head_dim),
            ("qk-pos-emb-head-dim", self.qk_rope_head_dim),
            ("v-head-dim", self.v_head_dim),
            ("ffn-hidden-size", self.intermediate_size),
            ("moe-ffn-hidden-size", self.moe_intermediate_size),
            ("num-experts", self.n_routed_experts),
            ("moe-router-topk", self.num_experts_per_tok),
            ("moe-router-num-groups", self.n_group),
            ("moe-router-group-topk", self.topk_group),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(format!("--{name} must be at least 1"));
        }
        let per_group = self.n_routed_experts / self.n_group;
        if !self.n_routed_experts.is_multiple_of(self.n_group) || per_group < 2 {
            return Err("--num-experts must be a multiple of --moe-router-num-groups, two or more a group".into());
        }
        if self.topk_group > self.n_group || self.num_experts_per_tok > self.topk_group * per_group {
            return Err("--moe-router-group-topk groups must exist and hold --moe-router-topk experts".into());
        }
        if !self.qk_rope_head_dim.is_multiple_of(2) {
            return Err("--qk-pos-emb-head-dim must be even".into());
        }
        Ok(())
    }
}
