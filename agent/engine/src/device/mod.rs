//! What the model asks of a machine: about twenty primitives, each backward beside its forward.
//!
//! Parameters live in one flat buffer and are named by handles ([`Matrix`], [`Vector`]); their gradients live in a second
//! buffer with the same handles. Activations are row-major, one row a token. **Every backward adds to its results.**

mod cpu;
mod gemm;

use std::ops::Range;

pub(crate) use cpu::Cpu;

/// A row-major matrix in the flat parameter buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Matrix {
    pub(crate) start: usize,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
}

impl Matrix {
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.start + self.rows * self.cols
    }
}

/// A vector in the flat parameter buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Vector {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

impl Vector {
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

/// Some columns of an activation whose rows hold `stride` values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    pub(crate) start: usize,
    pub(crate) width: usize,
    pub(crate) stride: usize,
}

impl Columns {
    /// All of them.
    pub(crate) fn all(width: usize) -> Columns {
        Columns { start: 0, width, stride: width }
    }

    fn of(self, row: usize) -> Range<usize> {
        let start = row * self.stride + self.start;
        start..start + self.width
    }
}

/// The shape of multi-head latent attention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Heads {
    pub(crate) count: usize,
    /// Width of the part of query and key without position.
    pub(crate) nope: usize,
    /// Width of the rotated part; its key is shared by all heads.
    pub(crate) rope: usize,
    pub(crate) value: usize,
    /// Width of the latent that keys and values are made of.
    pub(crate) latent: usize,
}

impl Heads {
    pub(crate) fn query(self) -> usize {
        self.nope + self.rope
    }

    pub(crate) fn key_value(self) -> usize {
        self.nope + self.value
    }

    fn scale(self) -> f32 {
        1.0 / (self.query() as f32).sqrt()
    }
}

/// How tokens choose their experts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Router {
    pub(crate) experts: usize,
    pub(crate) top: usize,
    pub(crate) groups: usize,
    pub(crate) top_groups: usize,
    pub(crate) scale: f32,
}

/// Which expert gets which token: `experts[e]` is a range of slots, a slot is one (token, weight).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Routing {
    pub(crate) experts: Vec<Range<usize>>,
    pub(crate) tokens: Vec<u32>,
    pub(crate) weights: Vec<f32>,
}

/// Rates of one AdamW step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdamW {
    pub(crate) lr: f32,
    pub(crate) beta1: f32,
    pub(crate) beta2: f32,
    pub(crate) decay: f32,
    /// Counts from 1.
    pub(crate) step: u64,
    /// Gradients are multiplied by this first (clipping).
    pub(crate) grad_scale: f32,
}

/// What the response tokens score: one value a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scores {
    /// Log-probability of the target.
    pub(crate) log_prob: Vec<f32>,
    /// Entropy of the whole distribution, in nats.
    pub(crate) entropy: Vec<f32>,
}

/// A machine that computes. `Mem` is a buffer of f32 in its memory.
pub(crate) trait Device: Sync {
    type Mem: Send + Sync + Default;

    fn upload(&self, host: &[f32]) -> Self::Mem;
    fn download(&self, mem: &Self::Mem) -> Vec<f32>;
    /// Makes room for `len` values, whatever they are.
    fn fit(&self, mem: &mut Self::Mem, len: usize);
    /// Makes room for `len` zeros.
    fn zero(&self, mem: &mut Self::Mem, len: usize);
    /// `to = from`
    fn copy(&self, from: &Self::Mem, to: &mut Self::Mem);
    /// `to += from`
    fn add(&self, from: &Self::Mem, to: &mut Self::Mem);
    /// Adds values from the host to a vector of parameters.
    fn add_at(&self, host: &[f32], at: Vector, params: &mut Self::Mem);
    fn sum_of_squares(&self, mem: &Self::Mem) -> f64;

    /// Rows of a table.
    fn embed(&self, params: &Self::Mem, table: Matrix, tokens: &[u32], out: &mut Self::Mem);
    fn embed_backward(&self, dout: &Self::Mem, table: Matrix, tokens: &[u32], grads: &mut Self::Mem);

    /// `y[rows] = x[rows] Wᵀ`, or `+=` when `add`.
    fn linear(&self, x: &Self::Mem, rows: Range<usize>, w: (&Self::Mem, Matrix), y: &mut Self::Mem, add: bool);
    /// `dx += dy W`, `dW += dyᵀ x`
    #[allow(clippy::too_many_arguments)]
    fn linear_backward(
        &self,
        x: &Self::Mem,
        rows: Range<usize>,
        w: (&Self::Mem, Matrix),
        dy: &Self::Mem,
        dx: &mut Self::Mem,
        grads: &mut Self::Mem,
    );

    /// RMSNorm of some columns; `inverse` keeps 1/rms of each row for the way back.
    fn norm(&self, x: &Self::Mem, at: Columns, gain: (&Self::Mem, Vector), y: &mut Self::Mem, inverse: &mut Self::Mem);
    #[allow(clippy::too_many_arguments)]
    fn norm_backward(
        &self,
        x: &Self::Mem,
        at: Columns,
        gain: (&Self::Mem, Vector),
        inverse: &Self::Mem,
        dy: &Self::Mem,
        dx: &mut Self::Mem,
        grads: &mut Self::Mem,
    );

    /// Rotates pairs of neighbouring columns by the angle of their position, in place; `back` undoes it (and is its backward).
    fn rope(&self, x: &mut Self::Mem, at: Columns, positions: &[u32], back: bool);

    /// Causal attention within each segment of packed rows. `keys.1` says where the rotated shared key stands.
    #[allow(clippy::too_many_arguments)]
    fn attention(
        &self,
        heads: Heads,
        segments: &[Range<usize>],
        q: &Self::Mem,
        kv: &Self::Mem,
        keys: (&Self::Mem, Columns),
        out: &mut Self::Mem,
        probs: &mut Self::Mem,
    );
    #[allow(clippy::too_many_arguments)]
    fn attention_backward(
        &self,
        heads: Heads,
        segments: &[Range<usize>],
        q: (&Self::Mem, &mut Self::Mem),
        kv: (&Self::Mem, &mut Self::Mem),
        keys: (&Self::Mem, &mut Self::Mem, Columns),
        probs: &Self::Mem,
        dout: &Self::Mem,
    );
    /// Attention of one new token a row over the cached latents of its slot, with the latent's two projections (`kv_b`)
    /// taken into query and output. Appends the new latent and rotated key (`keys`) to the cache first.
    #[allow(clippy::too_many_arguments)]
    fn attend_cached(
        &self,
        heads: Heads,
        q: &Self::Mem,
        kv_b: (&Self::Mem, Matrix),
        latent: &Self::Mem,
        keys: (&Self::Mem, Columns),
        cache: &mut Self::Mem,
        places: &[Place],
        out: &mut Self::Mem,
    );
    /// Copies the first `rows` positions of a slot to another.
    fn fork_cache(&self, heads: Heads, cache: &mut Self::Mem, capacity: usize, from: usize, to: usize, rows: usize);

    /// `h = silu(gate) * up`, where a row of `x` is gate, then up.
    fn swiglu(&self, x: &Self::Mem, width: usize, h: &mut Self::Mem);
    fn swiglu_backward(&self, x: &Self::Mem, width: usize, dh: &Self::Mem, dx: &mut Self::Mem);

    /// Sigmoid scores, bias for the selection only, group-limited top-k, normalised and scaled weights.
    fn route(&self, router: Router, logits: &Self::Mem, bias: (&Self::Mem, Vector), rows: usize) -> Routing;
    fn route_backward(
        &self,
        router: Router,
        logits: &Self::Mem,
        routing: &Routing,
        dweights: &[f32],
        dlogits: &mut Self::Mem,
    );
    /// Slot rows from token rows.
    fn dispatch(&self, x: &Self::Mem, width: usize, routing: &Routing, out: &mut Self::Mem);
    fn dispatch_backward(&self, dout: &Self::Mem, width: usize, routing: &Routing, dx: &mut Self::Mem);
    /// Token rows from weighted slot rows, added.
    fn combine(&self, y: &Self::Mem, width: usize, routing: &Routing, out: &mut Self::Mem);
    /// Returns the gradients of the weights.
    fn combine_backward(
        &self,
        y: &Self::Mem,
        width: usize,
        routing: &Routing,
        dout: &Self::Mem,
        dy: &mut Self::Mem,
    ) -> Vec<f32>;

    /// Log-probabilities of the targets, and entropies, of `softmax(logits / temperature)`.
    fn score(&self, logits: &Self::Mem, vocab: usize, targets: &[u32], temperature: f32) -> Scores;
    /// From the gradients of both.
    #[allow(clippy::too_many_arguments)]
    fn score_backward(
        &self,
        logits: &Self::Mem,
        vocab: usize,
        targets: &[u32],
        temperature: f32,
        dscores: &Scores,
        dlogits: &mut Self::Mem,
    );

    /// Draws a token for each (row, temperature, uniform number); with its log-probability. At temperature 0 the likeliest.
    fn sample(&self, logits: &Self::Mem, vocab: usize, asked: &[(usize, f32, f32)]) -> Vec<(u32, f32)>;

    /// One step of AdamW with decoupled decay; only `decayed` ranges decay. With `lr` 0 no bit of `params` changes.
    fn adamw(
        &self,
        params: &mut Self::Mem,
        grads: &Self::Mem,
        moments: (&mut Self::Mem, &mut Self::Mem),
        decayed: &[Range<usize>],
        rates: AdamW,
    );
}

/// Where a row of a decoding batch stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// First row of its slot in the cache.
    pub(crate) start: usize,
    pub(crate) position: usize,
}
