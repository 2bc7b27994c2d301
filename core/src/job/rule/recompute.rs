//! What is computed again in the backward pass.

use super::{Law, law::Scope};

const GRAIN: &str = "recompute-granularity";
const METHOD: &str = "recompute-method";
const LAYERS: &str = "recompute-num-layers";

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::Megatron,
        "recompute.method",
        "layers that are computed again whole are chosen in some way",
        &[METHOD, GRAIN],
        |case| {
            (case.holds(GRAIN, "full") && !case.set(METHOD)).then(|| {
                "recompute-granularity = \"full\" needs recompute-method: write \"uniform\" below [perf]".to_owned()
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "recompute.layers",
        "so many layers are computed again at a time",
        &[LAYERS, GRAIN],
        |case| {
            (case.holds(GRAIN, "full") && !case.set(LAYERS))
                .then(|| "recompute-granularity = \"full\" needs recompute-num-layers: write 1 below [perf]".to_owned())
        },
    ),
    Law::error(
        Scope::Megatron,
        "recompute.selective",
        "parts that are computed again are parts of every layer",
        &[METHOD, LAYERS, GRAIN],
        |case| {
            let given = [METHOD, LAYERS].into_iter().find(|name| case.set(name))?;
            case.holds(GRAIN, "selective").then(|| {
                format!(
                    "recompute-granularity = \"selective\" does not go with {given}: leave it out, or write \"full\""
                )
            })
        },
    ),
    Law::warning(
        Scope::Megatron,
        "recompute.granularity",
        "what is computed again is said",
        &[METHOD, LAYERS, GRAIN],
        |case| {
            let given = [METHOD, LAYERS].into_iter().find(|name| case.set(name))?;
            (!case.set(GRAIN))
                .then(|| format!("{given} does nothing without recompute-granularity: write \"full\" below [perf]"))
        },
    ),
];
