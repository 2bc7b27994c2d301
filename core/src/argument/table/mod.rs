//! The rows of the catalogue, one file a group.
//!
//! What a row does not say: a change needs a restart, the built-in engine does not read it, the tune view's first
//! form leaves it out.

use super::{Applies::*, Argument, Group, Kind};

mod checkpoint;
mod eval;
mod grpo;
mod misc;
mod model;
mod optimizer;
mod perf;
mod rollout;
mod sglang;
mod wandb;

/// In the order of [`Group::ALL`].
pub(super) const GROUPS: [&[Argument]; 10] = [
    model::ROWS,
    checkpoint::ROWS,
    rollout::ROWS,
    optimizer::ROWS,
    grpo::ROWS,
    wandb::ROWS,
    perf::ROWS,
    eval::ROWS,
    sglang::ROWS,
    misc::ROWS,
];

const FLAG: Kind = Kind::Flag;
const TEXT: Kind = Kind::Text;
const PATH: Kind = Kind::Path;
const LIST: Kind = Kind::List;
/// 1, 2, 3, ...
const COUNT: Kind = Kind::Int { min: 1, max: i64::MAX };
/// 0, 1, 2, ...
const WHOLE: Kind = Kind::Int { min: 0, max: i64::MAX };
/// Whole, or -1 for "no limit".
const LIMIT: Kind = Kind::Int { min: -1, max: i64::MAX };
/// Any number.
const NUMBER: Kind = Kind::Float { min: f64::NEG_INFINITY, max: f64::INFINITY, above: false };
/// 0 or more.
const AMOUNT: Kind = Kind::Float { min: 0.0, max: f64::INFINITY, above: false };
/// More than 0.
const POSITIVE: Kind = Kind::Float { min: 0.0, max: f64::INFINITY, above: true };
/// From 0 to 1.
const SHARE: Kind = Kind::Float { min: 0.0, max: 1.0, above: false };
/// More than 0, at most 1.
const PART: Kind = Kind::Float { min: 0.0, max: 1.0, above: true };
