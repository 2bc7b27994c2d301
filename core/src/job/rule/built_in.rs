//! What the built-in engine cannot do.

use super::{Law, law::Scope};
use crate::argument;

const GROUPS: &str = "moe-router-num-groups";

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::BuiltIn,
        "built-in.clip",
        "a probability falls by all of itself at most",
        &["eps-clip", "engine"],
        |case| {
            let clip = case.job.number("eps-clip").filter(|clip| *clip > 1.0)?;
            Some(format!("eps-clip ({clip}) is more than 1: no probability falls further"))
        },
    ),
    Law::error(
        Scope::BuiltIn,
        "built-in.eval-sets",
        "the built-in engine evaluates one set",
        &["eval-prompt-data", "engine"],
        |case| {
            let sets = case.job.list("eval-prompt-data").len();
            (sets > 2 && sets.is_multiple_of(2)).then(|| {
                "the built-in engine evaluates one set: write eval-prompt-data = [\"NAME\", \"FILE\"]".to_owned()
            })
        },
    ),
    Law::error(
        Scope::BuiltIn,
        "built-in.positions",
        "positions turn pairs of numbers",
        &["qk-pos-emb-head-dim", "engine"],
        |case| {
            (case.whole("qk-pos-emb-head-dim")? % 2 == 1)
                .then(|| "qk-pos-emb-head-dim must be even: positions turn pairs".to_owned())
        },
    ),
    Law::error(
        Scope::BuiltIn,
        "built-in.group",
        "a group has two experts at least",
        &[GROUPS, "num-experts", "moe-router-topk", "moe-router-group-topk", "engine"],
        |case| {
            (case.whole("num-experts")?.checked_div(case.whole(GROUPS)?)? < 2)
                .then(|| "a group of experts must have at least 2: write fewer moe-router-num-groups".to_owned())
        },
    ),
    Law::error(
        Scope::BuiltIn,
        "built-in.shared-expert",
        "the shared expert is so many experts wide",
        &["moe-shared-expert-intermediate-size", "moe-ffn-hidden-size", "engine"],
        |case| {
            let (shared, width) =
                (case.whole("moe-shared-expert-intermediate-size")?, case.whole("moe-ffn-hidden-size")?);
            (shared.checked_rem(width)? > 0).then(|| {
                format!(
                    "moe-shared-expert-intermediate-size ({shared}) is not a multiple of moe-ffn-hidden-size ({width})"
                )
            })
        },
    ),
    Law::error(
        Scope::BuiltIn,
        "built-in.layers",
        "dense layers come first, then mixtures",
        &["moe-layer-freq", "num-layers", "engine"],
        |case| {
            let (pattern, layers) = (case.job.value("moe-layer-freq")?, case.whole("num-layers")?);
            let inner = pattern.trim().trim_start_matches('[').trim_end_matches(']');
            let marks: Vec<&str> = inner.split(',').map(str::trim).collect();
            let mixtures = marks.iter().skip_while(|mark| **mark == "0");
            (marks.len() as u64 != layers || mixtures.into_iter().any(|mark| *mark != "1")).then(|| {
                format!(
                    "moe-layer-freq is {}: it must be {layers} marks (num-layers), 0 for dense layers first, then 1 for mixtures, like \"[0,1,1]\"",
                    argument::quoted(&pattern)
                )
            })
        },
    ),
];
