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
/// 0 or more.
const AMOUNT: Kind = Kind::Float { min: 0.0, max: f64::INFINITY, above: false };
/// More than 0.
const POSITIVE: Kind = Kind::Float { min: 0.0, max: f64::INFINITY, above: true };
/// From 0 to 1.
const SHARE: Kind = Kind::Float { min: 0.0, max: 1.0, above: false };
/// More than 0, at most 1.
const PART: Kind = Kind::Float { min: 0.0, max: 1.0, above: true };
/// From 0 to 10.
const RATE: Kind = Kind::Float { min: 0.0, max: 10.0, above: false };
/// From 0 to almost 1.
const MEMORY: Kind = Kind::Float { min: 0.0, max: 0.999_999, above: false };
/// From 0 to 1000.
const WEIGHT: Kind = Kind::Float { min: 0.0, max: 1000.0, above: false };
/// slime allows all above 0; what is less than this is greedy all the same.
const HEAT: Kind = Kind::Float { min: 0.001, max: 100.0, above: false };
