//! How the layers are dealt to the stages of training.

use super::{Case, Law, law::Scope};
use crate::layout::stage;

const PP: &str = "pipeline-model-parallel-size";
const FIRST: &str = "decoder-first-pipeline-num-layers";
const LAST: &str = "decoder-last-pipeline-num-layers";
const VIRTUAL: &str = "num-layers-per-virtual-pipeline-stage";

fn ends(case: &Case<'_>) -> bool {
    case.count(FIRST).is_some() || case.count(LAST).is_some()
}

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::Megatron,
        "layout.stages",
        "the layers are shared evenly by the stages, or the ends say how many they have",
        &[PP, "num-layers", LAST, FIRST],
        |case| if ends(case) { None } else { stage::of(case.job)?.err() },
    ),
    Law::error(Scope::Megatron, "layout.one-stage", "a single stage has all layers", &[LAST, FIRST, PP], |case| {
        if ends(case) && case.sizes.pp == 1 { stage::of(case.job)?.err() } else { None }
    }),
    Law::error(
        Scope::Megatron,
        "layout.uneven-stages",
        "what the ends leave of the layers is shared evenly by the stages between",
        &[LAST, FIRST, PP, "num-layers"],
        |case| if ends(case) && case.sizes.pp > 1 { stage::of(case.job)?.err() } else { None },
    ),
    Law::error(
        Scope::Megatron,
        "layout.virtual-stages",
        "virtual stages divide equal stages",
        &[VIRTUAL, FIRST, LAST, PP, "num-layers"],
        |case| {
            let each = case.count(VIRTUAL)?;
            if ends(case) {
                return Some(format!(
                    "{VIRTUAL} needs equal stages: with {FIRST} or {LAST} write num-virtual-stages-per-pipeline-rank"
                ));
            }
            let stages = stage::of(case.job)?.ok()?;
            let layers = *stages.first()?;
            (!layers.is_multiple_of(each))
                .then(|| format!("{VIRTUAL} is {each}, which does not divide the {layers} layers of a stage"))
        },
    ),
];
