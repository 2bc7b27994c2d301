//! The sizes of a model.

use super::{Law, law::Scope};
use crate::argument;

const EXPERTS: &str = "num-experts";
const GROUPS: &str = "moe-router-num-groups";
const CHOSEN: &str = "moe-router-topk";
const CHOSEN_GROUPS: &str = "moe-router-group-topk";

fn more(name: &str, value: Option<u64>, of: &str, limit: Option<u64>) -> Option<String> {
    let (value, limit) = (value?, limit?);
    (value > limit).then(|| format!("{name} ({value}) is more than {of} ({limit})"))
}

pub(super) const LAWS: &[Law] = &[
    Law::error(Scope::Any, "model.groups", "the groups of experts are equal", &[EXPERTS, GROUPS], |case| {
        let (experts, groups) = (case.whole(EXPERTS)?, case.whole(GROUPS)?);
        let rest = experts.checked_rem(groups)?;
        (rest != 0).then(|| format!("num-experts ({experts}) is not a multiple of moe-router-num-groups ({groups})"))
    }),
    Law::error(
        Scope::Any,
        "model.topk",
        "a token goes to no more experts than there are",
        &[CHOSEN, EXPERTS],
        |case| more(CHOSEN, case.whole(CHOSEN), EXPERTS, case.whole(EXPERTS)),
    ),
    Law::error(
        Scope::Any,
        "model.group-topk",
        "a token goes to no more groups than there are",
        &[CHOSEN_GROUPS, GROUPS],
        |case| more(CHOSEN_GROUPS, case.whole(CHOSEN_GROUPS), GROUPS, case.whole(GROUPS)),
    ),
    Law::error(
        Scope::Any,
        "model.group-experts",
        "the chosen groups have as many experts as a token goes to",
        &[CHOSEN, CHOSEN_GROUPS, EXPERTS, GROUPS],
        |case| {
            let each = case.whole(EXPERTS)?.checked_div(case.whole(GROUPS)?)?;
            let (chosen, of) = (case.whole(CHOSEN)?, case.whole(CHOSEN_GROUPS)?);
            // The built-in engine says so itself about groups of one.
            let told = case.is(Scope::BuiltIn) && each < 2;
            let beyond = chosen > of.saturating_mul(each) && chosen <= case.whole(EXPERTS)?;
            (beyond && !told).then(|| {
                format!(
                    "moe-router-topk ({chosen}) is more than the experts of moe-router-group-topk ({of}) groups of {each}"
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "model.group-routing",
        "groups are chosen only where there are groups",
        &[CHOSEN_GROUPS, GROUPS],
        |case| {
            (case.set(CHOSEN_GROUPS) && !case.set(GROUPS))
                .then(|| "moe-router-group-topk needs moe-router-num-groups below [model]".to_owned())
        },
    ),
    Law::error(
        Scope::Megatron,
        "model.layer-freq",
        "each layer is marked as dense or as a mixture",
        &["moe-layer-freq", "num-layers"],
        |case| {
            let (pattern, layers) = (case.job.value("moe-layer-freq")?, case.count("num-layers")?);
            let inner = pattern.trim().strip_prefix('[')?.strip_suffix(']')?;
            // Python's list arithmetic, as the scripts write it, is left to Python.
            let marks: Vec<&str> = inner.split(',').map(str::trim).collect();
            let plain = marks.iter().all(|mark| matches!(*mark, "0" | "1"));
            (plain && marks.len() as u64 != layers).then(|| {
                format!(
                    "moe-layer-freq has {} marks, but num-layers is {layers}: write one for each layer",
                    marks.len()
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "model.latent-groups",
        "attention is latent or grouped, not both",
        &["group-query-attention", "multi-latent-attention"],
        |case| {
            (case.flag("group-query-attention") && case.flag("multi-latent-attention")).then(|| {
                "group-query-attention and multi-latent-attention exclude each other: leave out the former for DeepSeek"
                    .to_owned()
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "model.bias-score",
        "a bias of the experts goes with sigmoid scores",
        &["moe-router-score-function", "moe-router-enable-expert-bias"],
        |case| {
            let score = case.text("moe-router-score-function").unwrap_or_else(|| "softmax".to_owned());
            (case.flag("moe-router-enable-expert-bias") && score != "sigmoid").then(|| {
                format!(
                    "moe-router-enable-expert-bias needs sigmoid scores, but moe-router-score-function is {}: write \"sigmoid\"",
                    argument::quoted(&score)
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "model.mtp",
        "layers that predict further tokens are trained only where there are any",
        &["enable-mtp-training", "mtp-num-layers"],
        |case| {
            (case.flag("enable-mtp-training") && case.count("mtp-num-layers").is_none())
                .then(|| "enable-mtp-training needs mtp-num-layers below [model]: 1 for DeepSeek".to_owned())
        },
    ),
];
