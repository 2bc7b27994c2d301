//! Experts in training: how they are shared out, and how tokens reach them.

use super::{Case, Law, case::uneven, law::Scope};

const EP: &str = "expert-model-parallel-size";
const TP: &str = "tensor-model-parallel-size";
const DISPATCH: &str = "moe-token-dispatcher-type";
const DEEPEP: &str = "moe-enable-deepep";

fn dispatcher(case: &Case<'_>) -> String {
    case.text(DISPATCH).unwrap_or_else(|| "allgather".to_owned())
}

pub(super) const LAWS: &[Law] = &[
    Law::error(Scope::Megatron, "expert.parallel", "each EP rank has as many experts", &[EP, "num-experts"], |case| {
        let (experts, ep) = (case.count("num-experts")?, case.sizes.ep);
        uneven(experts, ep).then(|| format!("num-experts ({experts}) is not a multiple of {EP} ({ep})"))
    }),
    Law::error(
        Scope::Megatron,
        "expert.none",
        "experts are shared out only where there are experts",
        &[EP, "num-experts"],
        |case| {
            (case.sizes.ep > 1 && case.count("num-experts").is_none())
                .then(|| format!("{EP} is {}, but the model has no num-experts: leave it out", case.sizes.ep))
        },
    ),
    Law::error(
        Scope::Megatron,
        "expert.deepep",
        "DeepEP works with the flex dispatcher",
        &[DISPATCH, DEEPEP, "moe-flex-dispatcher-backend"],
        |case| {
            let dispatcher = dispatcher(case);
            (case.flag(DEEPEP) && dispatcher != "flex").then(|| {
                format!(
                    "moe-enable-deepep needs the flex dispatcher, but moe-token-dispatcher-type is {dispatcher:?}: write \
                     \"flex\" below [misc]"
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "expert.flex",
        "the flex dispatcher has several GPUs to send tokens to",
        &[DISPATCH, TP, EP],
        |case| {
            let sizes = case.sizes;
            (dispatcher(case) == "flex" && sizes.etp.saturating_mul(sizes.ep) == 1).then(|| {
                format!(
                    "moe-token-dispatcher-type = \"flex\" needs ETP x EP above 1, but they are {} and {}: write \"alltoall\"",
                    sizes.etp, sizes.ep
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "expert.overlap",
        "the shared expert overlaps only with the alltoall dispatcher",
        &["moe-shared-expert-overlap", DISPATCH],
        |case| {
            // slime itself makes alltoall of allgather.
            (case.flag("moe-shared-expert-overlap") && dispatcher(case) == "flex").then(|| {
                "moe-shared-expert-overlap needs moe-token-dispatcher-type = \"alltoall\", but it is \"flex\": leave out \
                 one of them"
                    .to_owned()
            })
        },
    ),
];
