//! What lies in GPU and host memory and on disk.

use super::{Case, Law, law::Scope};
use crate::forecast::{Forecast, Group, Machine, Parameters, gigabytes};

const OFFLOAD: &str = "optimizer-cpu-offload";
const PRECISION: &str = "use-precision-aware-optimizer";

/// The forecast of a job whose nodes are known.
fn forecast(case: &Case<'_>) -> Option<Forecast> {
    let machine = Machine::default();
    let machine = Machine { gpu_bytes: case.facts.gpu_bytes.unwrap_or(machine.gpu_bytes), ..machine };
    Forecast::new(case.job, usize::try_from(case.nodes()?).ok()?, &machine)
}

pub(super) const LAWS: &[Law] = &[
    Law::error(
        Scope::Megatron,
        "memory.precision",
        "an optimizer in host memory is precision-aware",
        &[PRECISION, OFFLOAD],
        |case| {
            (case.flag(OFFLOAD) && !case.flag(PRECISION)).then(|| {
                "optimizer-cpu-offload needs use-precision-aware-optimizer = true below [optimizer]".to_owned()
            })
        },
    ),
    Law::warning(
        Scope::Megatron,
        "memory.overlap",
        "copies to the host overlap with an optimizer in host memory",
        &["overlap-cpu-optimizer-d2h-h2d", OFFLOAD],
        |case| {
            (case.flag("overlap-cpu-optimizer-d2h-h2d") && !case.flag(OFFLOAD))
                .then(|| "overlap-cpu-optimizer-d2h-h2d does nothing without optimizer-cpu-offload".to_owned())
        },
    ),
    Law::error(
        Scope::Megatron,
        "memory.gradients",
        "gradients that are summed in 32 bits are kept in 32 bits",
        &["main-grads-dtype", "accumulate-allreduce-grads-in-fp32"],
        |case| {
            let kept = case.job.value("main-grads-dtype").filter(|kept| kept != "fp32")?;
            case.flag("accumulate-allreduce-grads-in-fp32").then(|| {
                format!("accumulate-allreduce-grads-in-fp32 needs main-grads-dtype = \"fp32\", but it is {kept:?}")
            })
        },
    ),
    Law::warning(
        Scope::Megatron,
        "memory.reference",
        "a reference model that takes memory has a weight",
        &["kl-loss-coef", "use-kl-loss", "kl-coef"],
        |case| {
            let weighed = case.weight("kl-loss-coef").is_some() || case.weight("kl-coef").is_some();
            if weighed || !case.flag("use-kl-loss") {
                return None;
            }
            let copy = Parameters::of(case.job).zip(case.nodes()).map(|(parameters, nodes)| {
                format!(" ({} of host memory a node)", gigabytes(parameters.total().saturating_mul(2) / nodes))
            });
            Some(format!(
                "kl-loss-coef is 0, but use-kl-loss loads a reference model: a full copy of the weights in host memory{} \
                 and a forward pass each rollout; leave out use-kl-loss, unless kl-loss-coef is to be raised while the job runs",
                copy.unwrap_or_default()
            ))
        },
    ),
    Law::error(
        Scope::Megatron,
        "memory.host",
        "the optimizer and the copies of the weights fit into host memory",
        &[OFFLOAD, "use-kl-loss", "cluster.hosts"],
        |case| {
            let (has, forecast) = (case.facts.host_bytes?, forecast(case)?);
            let needs = forecast.total(Group::Host);
            (needs > has).then(|| {
                format!(
                    "training needs {} of host memory on a node, but the smallest node has {}: use more nodes{}",
                    gigabytes(needs),
                    gigabytes(has),
                    if case.flag("use-kl-loss") { ", or leave out use-kl-loss" } else { "" }
                )
            })
        },
    ),
    Law::warning(
        Scope::Megatron,
        "memory.host-peak",
        "host memory has room for what leaves the GPUs for a while",
        &[OFFLOAD, "use-kl-loss", "cluster.hosts", "cluster.colocate"],
        |case| {
            let (has, forecast) = (case.facts.host_bytes?, forecast(case)?);
            let (lasting, peak) = (forecast.total(Group::Host), forecast.host_peak());
            (lasting <= has && peak > has).then(|| {
                format!(
                    "training can need {} of host memory on a node at times ({} always), but the smallest node has {}: \
                     a process may be killed; use more nodes",
                    gigabytes(peak),
                    gigabytes(lasting),
                    gigabytes(has)
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "memory.gpu",
        "weights, gradients and activations of training fit into a GPU",
        &["max-tokens-per-gpu", "tensor-model-parallel-size", "expert-model-parallel-size", OFFLOAD, "cluster.hosts"],
        |case| {
            let (has, forecast) = (case.facts.gpu_bytes?, forecast(case)?);
            let needs = forecast.total(Group::Gpu);
            (needs > has).then(|| {
                format!(
                    "training needs about {} of memory on a GPU, which has {}: write a smaller max-tokens-per-gpu, a larger \
                     tensor-, pipeline- or expert-model-parallel-size, or optimizer-cpu-offload = true",
                    gigabytes(needs),
                    gigabytes(has)
                )
            })
        },
    ),
    Law::error(
        Scope::Sglang,
        "memory.engine",
        "the weights of an engine leave room for its cache",
        &["sglang-mem-fraction-static", "rollout-num-gpus-per-engine", "cluster.hosts"],
        |case| {
            let has = case.facts.gpu_bytes?;
            let forecast = forecast(case)?;
            let (weights, share) = (forecast.total(Group::Engine), forecast.static_bytes()?);
            (weights >= share).then(|| {
                format!(
                    "an engine's weights take {} of a GPU, but mem-fraction-static leaves it {} of {}: write a larger \
                     mem-fraction-static or rollout-num-gpus-per-engine",
                    gigabytes(weights),
                    gigabytes(share),
                    gigabytes(has)
                )
            })
        },
    ),
    Law::error(
        Scope::Megatron,
        "memory.disk",
        "there is room for the next checkpoint",
        &["save", "no-save-optim"],
        |case| {
            case.set("save").then_some(())?;
            let (free, forecast) = (case.facts.free_bytes?, forecast(case)?);
            let needs = forecast.total(Group::Checkpoint);
            (needs > free).then(|| {
                format!(
                    "a checkpoint takes {}, but {} are free where save is: make room, or write save elsewhere",
                    gigabytes(needs),
                    gigabytes(free)
                )
            })
        },
    ),
];
