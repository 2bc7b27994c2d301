use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Perf, name, kind, default, help)
}

const GRAIN: Kind = Kind::Choice(&["full", "selective"]);
const AMOUNT_OF: Kind = Kind::Choice(&["full", "delta"]);
const CARRIER: Kind = Kind::Choice(&["nccl", "disk"]);
const DELTA: Kind = Kind::Choice(&["xor", "overwrite"]);
const SUMS: Kind = Kind::Choice(&["xxh3-128", "blake3", "adler32"]);
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
    arg("account-for-embedding-in-pipeline-split", FLAG,   "", "the embedding counts as a layer"),
    arg("account-for-loss-in-pipeline-split",     FLAG,   "", "the loss counts as a layer"),
    arg("pipeline-model-parallel-layout",         TEXT,   "", "which layers each stage has, written out"),
    arg("num-layers-per-virtual-pipeline-stage",  COUNT,  "",   "layers of a virtual stage"),
    arg("num-virtual-stages-per-pipeline-rank",   COUNT,  "", "virtual stages of a rank"),
    arg("no-overlap-p2p-communication",           FLAG,   "", "stages wait for each other's messages"),
    arg("use-tp-pp-dp-mapping",                   FLAG,   "", "ranks are numbered stages before replicas"),
    arg("cp-comm-type",                           LIST,   "p2p", "how a shared sequence is exchanged: p2p, all_gather, a2a, a2a+p2p"),
    arg("allgather-cp",                           FLAG,   "", "gather the whole sequence (DeepSeek V3.2, GLM 5)"),
    arg("recompute-granularity",                  GRAIN,  "",   "what is computed again in the backward pass"),
    arg("recompute-method",                       METHOD, "",   "how layers are chosen for it"),
    arg("recompute-num-layers",                   COUNT,  "",   "layers computed again at a time"),
    arg("recompute-modules",                      LIST,   "",   "modules computed again"),
    arg("recompute-loss-function",                FLAG,   "", "the loss is computed again too"),
    arg("use-dynamic-batch-size",                 FLAG,   "",   "pack samples up to max-tokens-per-gpu"),
    arg("max-tokens-per-gpu",                     COUNT,  "",   "tokens of a forward pass on one GPU").slime(NextRollout).built_in(Restart),
    arg("log-probs-max-tokens-per-gpu",           COUNT,  "",   "the same for log probabilities"),
    arg("log-probs-chunk-size",                   LIMIT,  "-1", "tokens of which log probabilities are taken at a time"),
    arg("data-pad-size-multiplier",               COUNT,  "128", "packed batches are padded to a multiple of this"),
    arg("balance-by-flops",                       FLAG,   "",   "ranks get equal work instead of equal tokens"),
    arg("overlap-grad-reduce",                    FLAG,   "",   "sum gradients during the backward pass"),
    arg("overlap-param-gather",                   FLAG,   "",   "gather weights during the forward pass"),
    arg("tp-comm-overlap",                        FLAG,   "", "exchange inside matrices during their product"),
    arg("no-gradient-accumulation-fusion",        FLAG,   "", "gradients are added without the fused kernel"),
    arg("manual-gc",                              FLAG,   "", "Python's garbage is collected at set times"),
    arg("manual-gc-interval",                     WHOLE,  "0", "steps between them"),
    arg("update-weight-buffer-size",              COUNT,  "536870912", "bytes of weights sent to the engines at a time"),
    arg("update-weights-interval",                COUNT,  "1",  "new weights for the engines every so many rollouts"),
    arg("update-weight-mode",                     AMOUNT_OF, "full", "send all weights or what changed"),
    arg("update-weight-transport",                CARRIER, "nccl", "send them through NCCL or through files"),
    arg("update-weight-disk-dir",                 PATH,   "", "where those files lie, for trainer and engines alike"),
    arg("update-weight-disk-keep-files",          FLAG,   "", "do not remove them"),
    arg("update-weight-local-checkpoint-dir",     PATH,   "", "disk of each engine's node that changes are collected on"),
    arg("update-weight-delta-encoding",           DELTA,  "xor", "how changes are written"),
    arg("update-weight-delta-checksum",           SUMS,   "xxh3-128", "how they are verified"),
    arg("custom-update-weight-post-write-path",   PATH,   "", "Python function called once the files are written"),
    arg("release-train",                          FLAG,   "", "training ends for the time of a rollout and starts again"),
    arg("distributed-backend",                    TEXT,   "nccl", "what collectives go through"),
    arg("distributed-timeout-minutes",            COUNT,  "10", "a collective that takes longer is a fault"),
    arg("train-memory-margin-bytes",              WHOLE,  "",   "bytes left free on a training GPU"),
];
