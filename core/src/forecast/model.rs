//! How many parameters a model has, and where they are.

use serde::Serialize;

use super::{
    number::grouped,
    shape::{attention, feed_forward, is, mixtures},
};
use crate::{
    job::{Engine, Job},
    layout::count,
};

/// No size of a model is larger: with more, a slip of the keyboard would overflow the sums.
const LARGEST: u64 = 1 << 20;
/// No model has more parameters: some 70 million millions.
const MOST: u128 = 1 << 46;

/// The arguments that sizes are read from.
const SIZES: [&str; 17] = [
    "hidden-size",
    "num-layers",
    "vocab-size",
    "ffn-hidden-size",
    "num-attention-heads",
    "num-query-groups",
    "kv-channels",
    "q-lora-rank",
    "kv-lora-rank",
    "qk-head-dim",
    "qk-pos-emb-head-dim",
    "v-head-dim",
    "num-experts",
    "moe-ffn-hidden-size",
    "moe-router-topk",
    "moe-shared-expert-intermediate-size",
    "mtp-num-layers",
];

/// The parameters of one layer's attention, or of one feed-forward part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Matrices that tensor parallel ranks share.
    pub cut: u64,
    /// What each of them has whole.
    pub whole: u64,
}

impl Part {
    /// All of it.
    pub fn total(self) -> u64 {
        self.cut + self.whole
    }
}

/// The parameters of a model, from its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameters {
    /// Which layers are mixtures of experts.
    pub mixtures: Vec<bool>,
    /// Width of the residual stream.
    pub hidden: u64,
    /// One row of the embedding a token.
    pub vocabulary: u64,
    /// The embedding, and the output head where it has weights of its own.
    pub tables: u64,
    /// Attention of a layer, with the norms before and after it.
    pub attention: Part,
    /// The feed-forward part of a dense layer.
    pub dense: Part,
    /// Experts of a mixture.
    pub experts: u64,
    /// One of them.
    pub expert: u64,
    /// Experts that a token goes to.
    pub chosen: u64,
    /// The shared expert of a mixture.
    pub shared: Part,
    /// The router of a mixture.
    pub router: u64,
    /// The norm after the last layer.
    pub last: u64,
    /// Layers that predict further tokens; each has a layer of its own and a projection.
    pub further: u64,
}

impl Parameters {
    /// Of the model of a job; nothing when the job does not describe it.
    pub fn of(job: &Job) -> Option<Parameters> {
        if SIZES.iter().any(|name| count(job, name).is_some_and(|size| size > LARGEST)) {
            return None;
        }
        let hidden = count(job, "hidden-size")?;
        let layers = count(job, "num-layers")?;
        let vocabulary = count(job, "vocab-size")?;
        let experts = count(job, "num-experts").unwrap_or(0);
        let norm = if is(job, "normalization", "RMSNorm") { hidden } else { 2 * hidden };
        let mixtures = if experts > 0 { mixtures(job, layers)? } else { vec![false; usize::try_from(layers).ok()?] };
        let width = count(job, "ffn-hidden-size").unwrap_or(4 * hidden);
        let expert = count(job, "moe-ffn-hidden-size").unwrap_or(width);
        let shared = count(job, "moe-shared-expert-intermediate-size").unwrap_or(0);
        let bias = job.flag("moe-router-enable-expert-bias") || job.engine == Engine::Embedded;
        let tied = !job.flag("untie-embeddings-and-output-weights") && job.engine != Engine::Embedded;
        let mut attention = attention(job, hidden)?;
        attention.whole += 2 * norm;
        let parameters = Parameters {
            mixtures,
            hidden,
            vocabulary,
            tables: if tied { 1 } else { 2 },
            attention,
            dense: feed_forward(job, hidden, width),
            experts,
            expert: feed_forward(job, hidden, expert).total(),
            chosen: count(job, "moe-router-topk").unwrap_or(2).min(experts),
            shared: if shared > 0 { feed_forward(job, hidden, shared) } else { Part::default() },
            router: experts * hidden + if bias { experts } else { 0 },
            last: norm,
            further: count(job, "mtp-num-layers").unwrap_or(0),
        };
        parameters.is_sane().then_some(parameters)
    }

    /// Whether all sums fit.
    fn is_sane(&self) -> bool {
        let layer = u128::from(self.layer(false).max(self.layer(true)));
        let tables = u128::from(self.table()) * 2;
        let further = u128::from(self.further) * (layer + 2 * u128::from(self.hidden) * u128::from(self.hidden));
        layer * self.mixtures.len() as u128 + tables + further < MOST
    }

    /// Layers that are mixtures.
    pub fn mixture_layers(&self) -> u64 {
        self.mixtures.iter().filter(|mixture| **mixture).count() as u64
    }

    /// Of one layer.
    pub fn layer(&self, mixture: bool) -> u64 {
        let ffn = match mixture {
            true => self.experts * self.expert + self.shared.total() + self.router,
            false => self.dense.total(),
        };
        self.attention.total() + ffn
    }

    /// Of all layers.
    fn layers(&self) -> u64 {
        let mixtures = self.mixture_layers();
        (self.mixtures.len() as u64 - mixtures) * self.layer(false) + mixtures * self.layer(true)
    }

    /// All of the main model: what its name promises. Layers that predict further tokens are not counted.
    pub fn total(&self) -> u64 {
        self.layers() + self.tables * self.table() + self.last
    }

    /// What one token passes through: its experts only, and of the embedding one row, which does not count.
    pub fn active(&self) -> u64 {
        let idle = self.mixture_layers() * (self.experts - self.chosen) * self.expert;
        self.layers() - idle + self.table() + self.last
    }

    /// The embedding, or the output head.
    pub fn table(&self) -> u64 {
        self.vocabulary * self.hidden
    }

    /// One layer that predicts a further token: a layer like the last, a projection of two streams to one, norms.
    pub fn further_layer(&self) -> u64 {
        self.layer(self.mixtures.last().copied().unwrap_or(false)) + 2 * self.hidden * self.hidden + 3 * self.last
    }

    /// [`Parameters::total`] written out.
    pub fn formula(&self) -> String {
        let (mixtures, layers) = (self.mixture_layers(), self.mixtures.len() as u64);
        let dense = layers - mixtures;
        let mut terms = vec![format!("{} tables x {}", self.tables, grouped(self.table()))];
        if dense > 0 {
            terms.push(format!("{dense} dense layers x {}", grouped(self.layer(false))));
        }
        if mixtures > 0 {
            terms.push(format!("{mixtures} mixtures x {}", grouped(self.layer(true))));
        }
        terms.push(format!("{} (last norm)", grouped(self.last)));
        format!("{} = {}", terms.join(" + "), grouped(self.total()))
    }
}
