//! What views are drawn with: each takes plain values and an area, and knows nothing of the job.

pub(super) mod axis;
pub(super) mod bar;
pub(super) mod braille;
pub(super) mod chart;
pub(super) mod pen;
