use std::ops::Range;

use super::Shape;
use crate::{
    device::{Matrix, Vector},
    random::{Purpose, Random},
};

/// One tensor of the checkpoint, and where it stands in the flat buffer.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    /// Hugging Face's name for it.
    pub(crate) name: String,
    pub(crate) start: usize,
    pub(crate) rows: usize,
    /// None for a vector.
    pub(crate) cols: Option<usize>,
    /// Sent as fp8 blocks at weight sync.
    pub(crate) quantised: bool,
    /// Standard deviation at birth; None for a vector, which begins with this value.
    birth: Birth,
}

#[derive(Clone, Copy, Debug)]
enum Birth {
    Normal(f32),
    Constant(f32),
}

impl Tensor {
    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.start + self.rows * self.cols.unwrap_or(1)
    }
}

/// Gate and up-projection stand next to each other, so that one product computes both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mlp {
    pub(crate) gate_up: Matrix,
    pub(crate) down: Matrix,
}

#[derive(Clone, Debug)]
pub(crate) struct Moe {
    pub(crate) gate: Matrix,
    pub(crate) bias: Vector,
    pub(crate) experts: Vec<Mlp>,
}

#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) norm: Vector,
    /// Down-projections of query and key-value, one product.
    pub(crate) down: Matrix,
    pub(crate) q_norm: Vector,
    pub(crate) q_up: Matrix,
    pub(crate) kv_norm: Vector,
    pub(crate) kv_up: Matrix,
    pub(crate) out: Matrix,
    pub(crate) mlp_norm: Vector,
    /// The dense MLP, or the shared expert.
    pub(crate) mlp: Option<Mlp>,
    pub(crate) moe: Option<Moe>,
}

/// Every parameter of a shape in one flat buffer.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) shape: Shape,
    pub(crate) embed: Matrix,
    pub(crate) layers: Vec<Layer>,
    pub(crate) norm: Vector,
    pub(crate) head: Matrix,
    pub(crate) tensors: Vec<Tensor>,
    /// Values in all.
    pub(crate) len: usize,
}

struct Builder {
    tensors: Vec<Tensor>,
    len: usize,
}

impl Builder {
    fn add(&mut self, name: String, rows: usize, cols: Option<usize>, quantised: bool, birth: Birth) -> usize {
        let start = self.len;
        self.len += rows * cols.unwrap_or(1);
        self.tensors.push(Tensor { name, start, rows, cols, quantised, birth });
        start
    }

    fn vector(&mut self, name: String, len: usize, value: f32) -> Vector {
        Vector { start: self.add(name, len, None, false, Birth::Constant(value)), len }
    }

    fn matrix(&mut self, name: String, rows: usize, cols: usize, quantised: bool, deviation: f32) -> Matrix {
        Matrix { start: self.add(name, rows, Some(cols), quantised, Birth::Normal(deviation)), rows, cols }
    }

    fn projection(&mut self, name: String, rows: usize, cols: usize, gain: f32) -> Matrix {
        self.matrix(name, rows, cols, true, gain / (cols as f32).sqrt())
    }

    fn mlp(&mut self, prefix: &str, hidden: usize, width: usize, gain: f32) -> Mlp {
        let gate = self.projection(format!("{prefix}.gate_proj.weight"), width, hidden, 1.0);
        self.projection(format!("{prefix}.up_proj.weight"), width, hidden, 1.0);
        let down = self.projection(format!("{prefix}.down_proj.weight"), hidden, width, gain);
        Mlp { gate_up: Matrix { rows: 2 * width, ..gate }, down }
    }
}

impl Layout {
    pub(crate) fn new(shape: &Shape) -> Layout {
        let mut to = Builder { tensors: Vec::new(), len: 0 };
        let hidden = shape.hidden_size;
        let embed = to.matrix("model.embed_tokens.weight".into(), shape.vocab_size, hidden, false, 0.5);
        let layers = (0..shape.num_hidden_layers).map(|index| Layout::layer(&mut to, shape, index)).collect();
        let norm = to.vector("model.norm.weight".into(), hidden, 1.0);
        let head = to.matrix("lm_head.weight".into(), shape.vocab_size, hidden, false, 0.5 / (hidden as f32).sqrt());
        Layout { shape: shape.clone(), embed, layers, norm, head, tensors: to.tensors, len: to.len }
    }

    fn layer(to: &mut Builder, shape: &Shape, index: usize) -> Layer {
        let (hidden, heads) = (shape.hidden_size, shape.heads());
        let prefix = format!("model.layers.{index}");
        let attention = format!("{prefix}.self_attn");
        // What adds to the residual stream begins smaller the more layers do.
        let gain = (2.0 * shape.num_hidden_layers as f32).sqrt().recip();
        let norm = to.vector(format!("{prefix}.input_layernorm.weight"), hidden, 1.0);
        let q_down = to.projection(format!("{attention}.q_a_proj.weight"), shape.q_lora_rank, hidden, 1.0);
        let kv_down = shape.kv_lora_rank + shape.qk_rope_head_dim;
        to.projection(format!("{attention}.kv_a_proj_with_mqa.weight"), kv_down, hidden, 1.0);
        let q_norm = to.vector(format!("{attention}.q_a_layernorm.weight"), shape.q_lora_rank, 1.0);
        let q_rows = heads.count * heads.query();
        let q_up = to.projection(format!("{attention}.q_b_proj.weight"), q_rows, shape.q_lora_rank, 1.0);
        let kv_norm = to.vector(format!("{attention}.kv_a_layernorm.weight"), shape.kv_lora_rank, 1.0);
        let kv_rows = heads.count * heads.key_value();
        let kv_up = to.projection(format!("{attention}.kv_b_proj.weight"), kv_rows, shape.kv_lora_rank, 1.0);
        let out = to.projection(format!("{attention}.o_proj.weight"), hidden, heads.count * heads.value, gain);
        let mlp_norm = to.vector(format!("{prefix}.post_attention_layernorm.weight"), hidden, 1.0);
        let mut layer = Layer {
            norm,
            down: Matrix { rows: shape.down(), ..q_down },
            q_norm,
            q_up,
            kv_norm,
            kv_up,
            out,
            mlp_norm,
            mlp: None,
            moe: None,
        };
        if index < shape.first_k_dense_replace {
            layer.mlp = Some(to.mlp(&format!("{prefix}.mlp"), hidden, shape.intermediate_size, gain));
            return layer;
        }
        let experts = shape.n_routed_experts;
        let deviation = 1.0 / (hidden as f32).sqrt();
        layer.moe = Some(Moe {
            gate: to.matrix(format!("{prefix}.mlp.gate.weight"), experts, hidden, false, deviation),
            bias: to.vector(format!("{prefix}.mlp.gate.e_score_correction_bias"), experts, 0.0),
            experts: (0..experts)
                .map(|e| to.mlp(&format!("{prefix}.mlp.experts.{e}"), hidden, shape.moe_intermediate_size, gain))
                .collect(),
        });
        if shape.n_shared_experts > 0 {
            let width = shape.n_shared_experts * shape.moe_intermediate_size;
            layer.mlp = Some(to.mlp(&format!("{prefix}.mlp.shared_experts"), hidden, width, gain));
        }
        layer
    }

    /// Matrices decay; gains and biases do not.
    pub(crate) fn decayed(&self) -> Vec<Range<usize>> {
        self.tensors.iter().filter(|tensor| tensor.cols.is_some()).map(Tensor::range).collect()
    }

    /// Weights at birth.
    pub(crate) fn birth(&self, seed: u64) -> Vec<f32> {
        let mut random = Random::new(Purpose::Weights, &[seed]);
        let mut weights = Vec::with_capacity(self.len);
        for tensor in &self.tensors {
            weights.extend(tensor.range().map(|_| match tensor.birth {
                Birth::Normal(deviation) => deviation * random.normal(),
                Birth::Constant(value) => value,
            }));
        }
        weights
    }
}
