//! DeepSeek-V3 in miniature: multi-head latent attention, a dense first layer, then mixtures of experts.

mod backward;
mod decode;
mod forward;
mod layout;
mod shape;

pub(crate) use backward::backward;
pub(crate) use decode::{Decoder, Next};
pub(crate) use forward::{Tape, forward};
pub(crate) use layout::{Layout, Tensor};
pub(crate) use shape::Shape;

use std::ops::Range;

/// Sequences laid end to end: what one micro-batch computes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Packed {
    pub(crate) tokens: Vec<u32>,
    pub(crate) positions: Vec<u32>,
    /// Rows of each sequence.
    pub(crate) segments: Vec<Range<usize>>,
}

impl Packed {
    pub(crate) fn push(&mut self, tokens: &[u32]) {
        let start = self.tokens.len();
        self.tokens.extend(tokens);
        self.positions.extend(0..tokens.len() as u32);
        self.segments.push(start..self.tokens.len());
    }

    /// What each row is to predict: the next token of its sequence. The last row of a sequence predicts nothing that
    /// counts, and gets token 0.
    pub(crate) fn targets(&self) -> Vec<u32> {
        let mut targets = vec![0; self.tokens.len()];
        for segment in &self.segments {
            targets[segment.start..segment.end - 1].copy_from_slice(&self.tokens[segment.start + 1..segment.end]);
        }
        targets
    }
}

#[cfg(test)]
mod tests;
