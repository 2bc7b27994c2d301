use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Sglang, name, kind, default, help)
}

const A2A: Kind = Kind::Choice(&["none", "deepep", "mooncake", "nixl", "mori", "ascend_fuseep", "flashinfer"]);
const DEEPEP: Kind = Kind::Choice(&["auto", "normal", "low_latency"]);

#[rustfmt::skip]
pub(super) const ROWS: &[Argument] = &[
    arg("rollout-num-gpus",                        WHOLE, "",     "GPUs of all engines; those of training when colocated"),
    arg("rollout-num-gpus-per-engine",             COUNT, "1",    "GPUs of one engine"),
    arg("num-gpus-per-node",                       COUNT, "8",    "GPUs of a node that engines may use"),
    arg("sglang-mem-fraction-static",              PART,  "",     "share of GPU memory for weights and cache"),
    arg("sglang-server-concurrency",               COUNT, "512",  "requests to an engine at a time").slime(NextRollout),
    arg("sglang-ep-size",                          COUNT, "1",    "GPUs that share the experts"),
    arg("sglang-dp-size",                          COUNT, "1",    "replicas of attention"),
    arg("sglang-pp-size",                          COUNT, "1",    "stages that share the layers"),
    arg("sglang-enable-dp-attention",              FLAG,  "",     "replicas of attention inside one engine"),
    arg("sglang-enable-dp-lm-head",                FLAG,  "",     "replicas of the output head too"),
    arg("sglang-moe-dense-tp-size",                COUNT, "",     "GPUs that share the dense layers"),
    arg("sglang-moe-a2a-backend",                  A2A,   "none", "how tokens reach their experts"),
    arg("sglang-moe-runner-backend",               TEXT,  "auto", "kernel of the experts"),
    arg("sglang-deepep-mode",                      DEEPEP, "auto", "DeepEP's mode"),
    arg("sglang-attention-backend",                TEXT,  "",     "kernel of attention"),
    arg("sglang-speculative-algorithm",            TEXT,  "",     "guess tokens ahead, and how"),
    arg("sglang-speculative-num-steps",            COUNT, "",     "steps guessed ahead"),
    arg("sglang-speculative-eagle-topk",           COUNT, "",     "guesses of a step"),
    arg("sglang-speculative-num-draft-tokens",     COUNT, "",     "tokens checked at a time"),
    arg("sglang-speculative-draft-model-path",     PATH,  "",     "model that guesses"),
    arg("sglang-chunked-prefill-size",             LIMIT, "",     "tokens of a prompt read at a time; -1 is all"),
    arg("sglang-max-running-requests",             COUNT, "",     "responses written at a time").built_in(Restart),
    arg("sglang-context-length",                   COUNT, "",     "longest prompt and response together"),
    arg("sglang-cuda-graph-bs",                    LIST,  "",     "batch sizes recorded as CUDA graphs"),
    arg("sglang-cuda-graph-max-bs",                COUNT, "",     "greatest of them"),
    arg("sglang-disable-cuda-graph",               FLAG,  "",     "no CUDA graphs"),
    arg("sglang-disable-radix-cache",              FLAG,  "",     "no reuse of common beginnings"),
    arg("sglang-enable-metrics",                   FLAG,  "",     "engines report metrics"),
    arg("sglang-page-size",                        COUNT, "",     "tokens of a page of the cache"),
    arg("sglang-kv-cache-dtype",                   TEXT,  "auto", "number format of the cache"),
    arg("sglang-quantization",                     TEXT,  "",     "number format of the weights"),
    arg("sglang-log-level",                        TEXT,  "info", "how much engines log"),
    arg("sglang-watchdog-timeout",                 POSITIVE, "",  "seconds after which a stuck engine ends"),
    arg("sglang-router-ip",                        TEXT,  "",     "address of a router that runs already"),
    arg("sglang-router-port",                      COUNT, "",     "its port"),
    arg("sglang-router-request-timeout-secs",      COUNT, "14400", "longest time of a request"),
    arg("sglang-config",                           PATH,  "",     "YAML of engine groups"),
    arg("use-fault-tolerance",                     FLAG,  "",     "an engine that does not answer is started again"),
    arg("rollout-health-check-interval",           POSITIVE, "30", "seconds between questions to an engine"),
    arg("rollout-health-check-timeout",            POSITIVE, "30", "seconds that it may take to answer"),
    arg("rollout-health-check-first-wait",         AMOUNT, "0",   "seconds before the first question"),
];
