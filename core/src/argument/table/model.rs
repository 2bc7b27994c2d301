use super::*;

const fn arg(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Argument {
    Argument::new(Group::Model, name, kind, default, help)
}

const NORMS: Kind = Kind::Choice(&["LayerNorm", "RMSNorm"]);
const POSITION: Kind = Kind::Choice(&["learned_absolute", "rope", "mrope", "yarn", "none"]);
const SCORES: Kind = Kind::Choice(&["softmax", "sigmoid"]);
const DTYPES: Kind = Kind::Choice(&["fp32", "fp64"]);
const GDN: Kind = Kind::Choice(&["fla", "flashqla"]);
const DISPATCH: Kind = Kind::Choice(&["allgather", "alltoall", "flex"]);

#[rustfmt::skip]
pub(super) const ROWS: &[Argument] = &[
    arg("disable-bias-linear",                    FLAG,     "",      "no bias in linear layers"),
    arg("num-layers",                             COUNT,    "",      "transformer layers").built_in(Restart),
    arg("hidden-size",                            COUNT,    "",      "width of the residual stream").built_in(Restart),
    arg("ffn-hidden-size",                        COUNT,    "",      "inner width of a dense feed-forward layer").built_in(Restart),
    arg("num-attention-heads",                    COUNT,    "",      "attention heads").built_in(Restart),
    arg("group-query-attention",                  FLAG,     "",      "several query heads share keys and values"),
    arg("num-query-groups",                       COUNT,    "1",     "groups of query heads that share keys and values"),
    arg("kv-channels",                            COUNT,    "",      "width of a head's keys and values"),
    arg("normalization",                          NORMS,    "LayerNorm", "kind of normalisation"),
    arg("position-embedding-type",                POSITION, "learned_absolute", "how positions enter"),
    arg("norm-epsilon",                           POSITIVE, "1e-5",  "added under the root of a norm"),
    arg("swiglu",                                 FLAG,     "",      "gated feed-forward with SiLU"),
    arg("untie-embeddings-and-output-weights",    FLAG,     "",      "the output head has weights of its own"),
    arg("vocab-size",                             COUNT,    "",      "tokens in the vocabulary"),
    arg("make-vocab-size-divisible-by",           COUNT,    "128",   "the vocabulary is padded to a multiple of this times TP"),
    arg("padded-vocab-size",                      COUNT,    "", "the vocabulary with its padding"),
    arg("seq-length",                             COUNT,    "4096",  "sequence length that Megatron plans for"),
    arg("max-position-embeddings",                COUNT,    "",      "longest position"),
    arg("add-qkv-bias",                           FLAG,     "",      "bias in the query, key and value projections"),
    arg("attention-output-gate",                  FLAG,     "", "attention's output is gated"),
    arg("init-method-std",                        POSITIVE, "0.02", "spread of fresh weights"),
    arg("multi-latent-attention",                 FLAG,     "",      "attention with low-rank queries, keys and values"),
    arg("q-lora-rank",                            COUNT,    "",      "rank of the query projection").built_in(Restart),
    arg("kv-lora-rank",                           COUNT,    "32",    "rank of the key and value projection").built_in(Restart),
    arg("qk-head-dim",                            COUNT,    "128",   "width of a head's part without positions").built_in(Restart),
    arg("qk-pos-emb-head-dim",                    COUNT,    "64",    "width of a head's part with rotary positions").built_in(Restart),
    arg("v-head-dim",                             COUNT,    "128",   "width of a head's values").built_in(Restart),
    arg("qk-layernorm",                           FLAG,     "",      "normalise queries and keys"),
    arg("rotary-base",                            POSITIVE, "10000", "base of the rotary frequencies"),
    arg("rotary-percent",                         PART,     "1.0",   "share of a head that is rotated"),
    arg("rotary-scaling-factor",                  POSITIVE, "1.0",   "how far positions are stretched (yarn)"),
    arg("use-rotary-position-embeddings",         FLAG,     "",      "rotary positions (old name)"),
    arg("use-rope-scaling",                       FLAG,     "", "positions are stretched as in Llama 3.1"),
    arg("rope-scaling-factor",                    POSITIVE, "8.0", "how far Llama 3.1 stretches them"),
    arg("mscale",                                 AMOUNT,   "1.0",   "yarn's attention scale"),
    arg("mscale-all-dim",                         AMOUNT,   "0.0",   "yarn's attention scale over all dimensions"),
    arg("no-rope-fusion",                         FLAG,     "",      "rotary positions without the fused kernel"),
    arg("attention-softmax-in-fp32",              FLAG,     "",      "softmax of attention in 32 bits"),
    arg("num-experts",                            COUNT,    "",      "routed experts of a mixture layer").built_in(Restart),
    arg("moe-layer-freq",                         TEXT,     "1",     "which layers are mixtures: a period, or a list like [0,1,1]").built_in(Restart),
    arg("moe-ffn-hidden-size",                    COUNT,    "",      "inner width of one expert").built_in(Restart),
    arg("moe-router-topk",                        COUNT,    "2",     "experts that a token goes to").built_in(Restart),
    arg("moe-shared-expert-intermediate-size",    WHOLE,    "",      "inner width of the shared expert").built_in(Restart),
    arg("moe-shared-expert-overlap",              FLAG,     "",      "the shared expert runs during the exchange of tokens"),
    arg("moe-router-pre-softmax",                 FLAG,     "",      "scores before the choice of experts"),
    arg("moe-router-score-function",              SCORES,   "softmax", "how scores are made from logits"),
    arg("moe-router-enable-expert-bias",          FLAG,     "",      "a bias per expert balances the load"),
    arg("moe-router-bias-update-rate",            AMOUNT,   "1e-3",  "how fast that bias moves").built_in(Restart),
    arg("moe-router-load-balancing-type",         LIST,     "aux_loss", "none, aux_loss, seq_aux_loss, sinkhorn"),
    arg("moe-aux-loss-coeff",                     LIST,     "0.0",   "weight of the balancing loss"),
    arg("moe-z-loss-coeff",                       AMOUNT,   "", "weight of the loss that keeps the router's logits small"),
    arg("moe-router-num-groups",                  COUNT,    "",      "groups that experts are chosen within").built_in(Restart),
    arg("moe-router-group-topk",                  COUNT,    "",      "groups that a token may go to").built_in(Restart),
    arg("moe-router-topk-scaling-factor",         POSITIVE, "",      "the chosen scores are multiplied by this").built_in(Restart),
    arg("moe-router-dtype",                       DTYPES,   "",      "number format of the router"),
    arg("moe-token-dispatcher-type",              DISPATCH, "allgather", "how tokens reach their experts"),
    arg("moe-grouped-gemm",                       FLAG,     "",      "all experts of a rank in one matrix product"),
    arg("moe-permute-fusion",                     FLAG,     "",      "fused reordering of tokens"),
    arg("moe-router-fusion",                      FLAG,     "", "fused kernel of the router"),
    arg("mtp-num-layers",                         COUNT,    "",      "layers that predict further tokens"),
    arg("enable-mtp-training",                    FLAG,     "",      "train those layers too"),
    arg("mtp-loss-scaling-factor",                AMOUNT,   "0.1", "weight of their loss"),
    arg("model-name",                             TEXT,     "", "how weights are named for the engines; from hf-checkpoint when not given"),
    arg("spec",                                   LIST,     "", "Python module and function of a layer's parts"),
    arg("custom-model-provider-path",             PATH,     "", "Python function that builds the model"),
    arg("qwen-gdn-backend",                       GDN,      "fla", "kernel of Qwen's linear attention"),
    arg("only-train-params-name-list",            LIST,     "", "patterns of the weights that are trained, all others stay"),
    arg("freeze-params-name-list",                LIST,     "", "patterns of the weights that stay, all others are trained"),
];
