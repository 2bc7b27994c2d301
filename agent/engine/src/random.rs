//! Random numbers as a function of what they are for.
//!
//! A stream is named by a few integers (seed, purpose, rollout, group, sample). Nothing but those integers has to be
//! saved for a run to continue exactly, and it does not matter which process draws from a stream, or when.

/// What a stream is for: two purposes never share one.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Weights = 1,
    ColdStart,
    Problems,
    Order,
    Sampling,
    Evaluation,
}

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(purpose: Purpose, name: &[u64]) -> Random {
        let mut state = Random(purpose as u64);
        for part in name {
            state.0 = state.next() ^ part.wrapping_mul(0xff51_afd7_ed55_8ccd);
        }
        state
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `0..n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Standard normal (Box-Muller).
    pub(crate) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * f64::from(1.0 - self.unit()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * f64::from(self.unit())).cos()) as f32
    }

    /// Fisher-Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}
