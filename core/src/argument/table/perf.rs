use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Perf, name, kind, default, help)
}

const GRAIN: Kind = Kind::Choice(&["full", "selective"]);
const METHOD: Kind = Kind::Choice(&["uniform", "block"]);

#[rustfmt::skip]
pub(super) const ROWS: &[Argument] = &[
    arg("tensor-model-parallel-size",             COUNT,  "1",  "GPUs that share each matrix (TP)"),
    arg("sequence-parallel",                      FLAG,   "",   "TP ranks share the sequence outside of matrices"),
    arg("pipeline-model-parallel-size",           COUNT,  "1",  "stages that share the layers (PP)"),
    arg("context-parallel-size",                  COUNT,  "1",  "GPUs that share each sequence (CP)"),
    arg("expert-model-parallel-size",             COUNT,  "1",  "GPUs that share the experts (EP)"),
    arg("expert-tensor-parallel-size",            COUNT,  "",   "GPUs that share each expert's matrices (ETP)"),
    arg("decoder-first-pipeline-num-layers",      COUNT,  "",   "layers of the first stage"),
    arg("decoder-last-pipeline-num-layers",       COUNT,  "",   "layers of the last stage"),
    arg("num-layers-per-virtual-pipeline-stage",  COUNT,  "",   "layers of a virtual stage"),
    arg("recompute-granularity",                  GRAIN,  "",   "what is computed again in the backward pass"),
    arg("recompute-method",                       METHOD, "",   "how layers are chosen for it"),
    arg("recompute-num-layers",                   COUNT,  "",   "layers computed again at a time"),
    arg("recompute-modules",                      LIST,   "",   "modules computed again"),
    arg("use-dynamic-batch-size",                 FLAG,   "",   "pack samples up to max-tokens-per-gpu"),
    arg("max-tokens-per-gpu",                     COUNT,  "",   "tokens of a forward pass on one GPU").slime(NextRollout).built_in(Restart),
    arg("log-probs-max-tokens-per-gpu",           COUNT,  "",   "the same for log probabilities"),
    arg("log-probs-chunk-size",                   LIMIT,  "-1", "tokens of which log probabilities are taken at a time"),
    arg("data-pad-size-multiplier",               COUNT,  "128", "packed batches are padded to a multiple of this"),
    arg("balance-by-flops",                       FLAG,   "",   "ranks get equal work instead of equal tokens"),
    arg("overlap-grad-reduce",                    FLAG,   "",   "sum gradients during the backward pass"),
    arg("overlap-param-gather",                   FLAG,   "",   "gather weights during the forward pass"),
    arg("update-weight-buffer-size",              COUNT,  "536870912", "bytes of weights sent to the engines at a time"),
    arg("update-weights-interval",                COUNT,  "1",  "new weights for the engines every so many rollouts"),
    arg("distributed-timeout-minutes",            COUNT,  "10", "a collective that takes longer is a fault"),
    arg("train-memory-margin-bytes",              WHOLE,  "",   "bytes left free on a training GPU"),
];
