//! Figures worked out by hand, from the shapes of DeepSeek-R1's matrices.

use super::*;
use crate::job::tests::r1::{changed, r1};

/// One expert: three matrices of 7168 x 2048.
const EXPERT: u64 = 3 * 7168 * 2048;
/// What each TP rank has whole of an attention: two down projections, their norms, the norms around.
const WHOLE: u64 = 7168 * 1536 + 7168 * (512 + 64) + 1536 + 512 + 2 * 7168;
/// What they share: two up projections and the one out.
const CUT: u64 = 1536 * 128 * (128 + 64) + 512 * 128 * (128 + 128) + 128 * 128 * 7168;
/// The router with the bias of each expert.
const ROUTER: u64 = 256 * 7168 + 256;
/// The embedding, and the head too.
const TABLE: u64 = 129_280 * 7168;
/// On one GPU of a stage of 16 mixtures, TP 8 and EP 32: experts, and the rest.
const EXPERTS: u64 = 16 * 8 * EXPERT;
const REST: u64 = 16 * (WHOLE + CUT / 8 + EXPERT / 8 + ROUTER);

fn forecast(changes: &[&str]) -> Forecast {
    Forecast::new(&changed(r1(), changes), 16, &Machine::default()).unwrap()
}

/// The one figure whose name begins so.
fn bytes(forecast: &Forecast, group: Group, name: &str) -> u64 {
    let mut found = forecast.group(group).filter(|term| term.name.starts_with(name));
    match (found.next(), found.next()) {
        (Some(term), None) => term.bytes,
        _ => panic!("{name} in {:#?}", forecast.terms),
    }
}

#[test]
fn r1_has_671_thousand_million_parameters_of_which_37_are_active() {
    let parameters = Parameters::of(&r1()).unwrap();
    let dense = 3 * (WHOLE + CUT + 3 * 7168 * 18432);
    let mixtures = 58 * (WHOLE + CUT + 257 * EXPERT + ROUTER);
    assert_eq!(parameters.total(), dense + mixtures + 2 * TABLE + 7168);
    assert_eq!(parameters.total(), 671_026_419_200);
    assert_eq!(format!("{:.2}", parameters.total() as f64 / 1e9), "671.03");
    assert_eq!(parameters.active(), dense + 58 * (WHOLE + CUT + 9 * EXPERT + ROUTER) + TABLE + 7168);
    assert_eq!(format!("{:.0}", parameters.active() as f64 / 1e9), "37");
    let formula = parameters.formula();
    assert!(formula.ends_with("58 mixtures x 11,507,286,272 + 7,168 (last norm) = 671,026,419,200"), "{formula}");
}

/// Qwen3-4B: 4,022,468,096 parameters in its published files.
#[test]
fn a_dense_model_with_grouped_queries_and_one_table() {
    let changes = [
        "-multi-latent-attention",
        "group-query-attention",
        "num-query-groups 8",
        "num-attention-heads 32",
        "kv-channels 128",
        "hidden-size 2560",
        "ffn-hidden-size 9728",
        "num-layers 36",
        "vocab-size 151936",
        "-untie-embeddings-and-output-weights",
        "-num-experts",
        "-moe-layer-freq",
    ];
    let parameters = Parameters::of(&changed(r1(), &changes)).unwrap();
    let attention = 2560 * (32 + 2 * 8) * 128 + 32 * 128 * 2560 + 2 * 128 + 2 * 2560;
    assert_eq!(parameters.total(), 36 * (attention + 3 * 2560 * 9728) + 151_936 * 2560 + 2560);
    assert_eq!((parameters.total(), parameters.active()), (4_022_468_096, 4_022_468_096));
}

#[test]
fn the_built_in_model_is_counted_too() {
    let (job, _) = Job::from_recipe("r1-mini", &|_| Some("/x".to_owned())).unwrap();
    let parameters = Parameters::of(&job);
    assert_eq!(parameters.map(|of| of.mixture_layers()), job.value("vocab-size").map(|_| 2));
}

#[test]
fn a_training_gpu() {
    let forecast = forecast(&[]);
    assert_eq!(forecast.stage, 1);
    assert_eq!(bytes(&forecast, Group::Gpu, "weights"), 2 * (EXPERTS + REST));
    assert_eq!(bytes(&forecast, Group::Gpu, "gradients"), 4 * (EXPERTS + REST));
    // 16384 tokens over 8 TP ranks; stage 1 of 4 has passes of itself and the two stages behind under way.
    assert_eq!(bytes(&forecast, Group::Gpu, "activations kept"), 2048 * 7168 * 2 * 16 * 3);
    // 16 heads of queries and keys (192 wide), values and outputs (128); latents of 1536, 512 and 64 numbers; a
    // shared expert of 256 in three; of 2048 tokens eight copies in and out, and an expert's inside in three.
    let attention = 16 * 2 * (128 + 64 + 128) + 1536 + 512 + 64;
    let inside = 16384 * (attention + 3 * 256) + 2048 * 8 * (2 * 7168 + 3 * 2048);
    assert_eq!(bytes(&forecast, Group::Gpu, "layers computed again"), 2 * 2 * inside);
    let total = 6 * (EXPERTS + REST) + 2048 * 7168 * 2 * 16 * 3 + 4 * inside;
    assert_eq!(forecast.total(Group::Gpu), total);
    assert!(!forecast.terms.iter().any(|term| term.group == Group::Gpu && term.name == "optimizer"));
}

#[test]
fn gradients_of_two_bytes_and_an_optimizer_on_the_gpu() {
    let less = forecast(&["main-grads-dtype bf16"]);
    assert_eq!(bytes(&less, Group::Gpu, "gradients"), 2 * (EXPERTS + REST));
    // The four context parallel ranks share what is not an expert.
    let on = forecast(&["-optimizer-cpu-offload", "exp-avg-dtype bf16"]);
    assert_eq!(bytes(&on, Group::Gpu, "optimizer"), (4 + 2 + 4) * (EXPERTS + REST / 4));
    assert_eq!(on.group(Group::Host).count(), 3);
}

/// The last stage has the head, and a vocabulary padded to a multiple of 128 x 8.
#[test]
fn logits_in_the_last_stage() {
    let last = forecast(&["decoder-last-pipeline-num-layers 22"]);
    assert_eq!(last.stage, 3);
    let columns = 130_048 / 8;
    assert_eq!(bytes(&last, Group::Gpu, "logits"), 16384 * columns * 4);
    assert_eq!(bytes(&last, Group::Gpu, "gradient of the logits"), 16384 * columns * 4);
    let mixture = WHOLE + CUT / 8 + EXPERT / 8 + ROUTER + 8 * EXPERT;
    assert_eq!(bytes(&last, Group::Gpu, "weights"), 2 * (22 * mixture + 7168 + columns * 7168));
    let chunked = forecast(&["decoder-last-pipeline-num-layers 22", "log-probs-chunk-size 1024"]);
    assert_eq!(bytes(&chunked, Group::Gpu, "logits"), 1024 * columns * 4);
}

#[test]
fn without_recomputing_all_layers_are_kept() {
    let forecast = forecast(&["-recompute-granularity", "-recompute-method", "-recompute-num-layers"]);
    let again = 2 * (16384 * (12352 + 768) + 2048 * 163_840);
    assert_eq!(bytes(&forecast, Group::Gpu, "activations"), again * forecast.stage_layers() * forecast.in_flight());
}

impl Forecast {
    /// Layers of the fullest stage.
    fn stage_layers(&self) -> u64 {
        [16, 16, 16, 13][self.stage]
    }

    /// Passes under way in it.
    fn in_flight(&self) -> u64 {
        4 - self.stage as u64
    }
}

/// The guide says 1.4 to 1.5 TB on each of 16 nodes.
#[test]
fn a_node_of_r1_needs_what_its_guide_says() {
    let forecast = forecast(&[]);
    // Eight GPUs of a middle stage; the four context parallel ranks share what is not an expert.
    let (weights, optimizer) = (8 * (EXPERTS + REST), 8 * (EXPERTS + REST / 4));
    let host = |name: &str| bytes(&forecast, Group::Host, name);
    assert_eq!(host("master weights"), 4 * optimizer);
    assert_eq!((host("first moment"), host("second moment")), (4 * optimizer, 4 * optimizer));
    assert_eq!(host("gradients"), 4 * optimizer);
    assert_eq!(host("first copy"), 2 * optimizer);
    assert_eq!((host("weights of the actor"), host("weights of the reference")), (2 * weights, 2 * weights));
    // An expert's matrices are 4096 x 7168 and 7168 x 2048. In 4 bytes 112 and 56 MiB, which take 128 and 64; in 2
    // half of that. 1024 experts of a node, master weights and gradients, and three copies of 2 bytes.
    assert_eq!(host("pinned memory rounded"), 1024 * ((2 * (16 + 8) + 3 * (8 + 4)) << 20));
    assert_eq!(bytes(&forecast, Group::HostOffload, "weights and gradients"), 6 * weights);
    assert_eq!(bytes(&forecast, Group::HostSave, "weights on their way"), 2 * weights);
    let lasting = 18 * optimizer + 4 * weights + 1024 * (84 << 20);
    assert_eq!(forecast.total(Group::Host), lasting);
    assert_eq!(forecast.host_peak(), lasting + 6 * weights);
    let peak = forecast.host_peak() as f64 / 1e12;
    assert!((1.4..1.5).contains(&peak), "{peak} TB");
    assert_eq!(gigabytes(forecast.host_peak()), "1.43 TB");
}

#[test]
fn what_a_node_is_spared() {
    let all = forecast(&[]).host_peak();
    let weights = 8 * (EXPERTS + REST);
    // Without a reference model: its copy, and what rounding took of it.
    assert_eq!(all - forecast(&["-use-kl-loss"]).host_peak(), 2 * weights + 1024 * (12 << 20));
    let apart = changed(r1(), &["apart", "rollout-num-gpus 128"]);
    let apart = Forecast::new(&apart, 32, &Machine::default()).unwrap();
    assert_eq!(all - apart.host_peak(), 6 * weights - 2 * weights);
    // Twice the nodes, each with half the optimizer of the experts.
    let wide = Forecast::new(&changed(r1(), &["hosts 32"]), 32, &Machine::default()).unwrap();
    assert_eq!(bytes(&wide, Group::Host, "first moment"), 4 * 8 * (EXPERTS / 2 + REST / 8));
}

/// Of 64 GPUs in an engine each has 4 experts of a layer, and 8 of them share an attention.
#[test]
fn a_gpu_of_an_engine() {
    let forecast = forecast(&[]);
    let fp8 = |parameters: u64| parameters + parameters.div_ceil(16_384) * 4;
    let engine = |name: &str| bytes(&forecast, Group::Engine, name);
    assert_eq!(engine("experts"), fp8(58 * 4 * EXPERT));
    assert_eq!(engine("shared experts"), fp8(58 * EXPERT));
    assert_eq!(engine("attention"), fp8(61 * (WHOLE + CUT / 8)));
    assert_eq!(engine("absorbed"), 61 * 16 * 256 * 512 * 2);
    assert_eq!(engine("dense layers"), fp8(3 * 3 * 7168 * 18432));
    assert_eq!(engine("routers"), 58 * ROUTER * 2);
    assert_eq!(engine("embedding"), (TABLE + TABLE / 8) * 2);
    let guesses = 4 * EXPERT + EXPERT + WHOLE + CUT / 8 + ROUTER + 2 * 7168 * 7168;
    assert_eq!(engine("layer that guesses"), fp8(guesses));
    let bf16 = Machine { fp8: Some(false), ..Machine::default() };
    let bf16 = Forecast::new(&r1(), 16, &bf16).unwrap();
    assert_eq!(bytes(&bf16, Group::Engine, "experts"), 58 * 4 * EXPERT * 2);
}

#[test]
fn the_cache_of_the_engines() {
    let forecast = forecast(&[]);
    // 61 layers and the one that guesses ahead.
    assert_eq!(forecast.count("bytes of a token in the cache"), Some((512 + 64) * 62 * 2));
    let room = (81_008_u64 << 20) as f64 * 0.7;
    let tokens = (room as u64 - forecast.total(Group::Engine)) / 71_424;
    assert_eq!(forecast.count("tokens in the cache of a GPU"), Some(tokens));
    assert_eq!(forecast.count("tokens in the caches of all engines"), Some(tokens * 8 * 2));
    assert!((500_000..600_000).contains(&tokens), "{tokens}");
    let plain = ["-sglang-speculative-algorithm", "sglang-kv-cache-dtype fp8_e4m3"];
    assert_eq!(self::forecast(&plain).count("bytes of a token in the cache"), Some((512 + 64) * 61));
    let silent = self::forecast(&["-sglang-mem-fraction-static"]);
    assert_eq!(silent.count("tokens in the cache of a GPU"), None);
    let small = Forecast::new(&r1(), 16, &Machine { gpu_bytes: 1 << 30, fp8: None }).unwrap();
    assert_eq!(small.count("tokens in the cache of a GPU"), Some(0));
}

/// Grouped queries: 8 heads of 128 over 8 GPUs that share attention, keys and values.
#[test]
fn the_cache_of_grouped_queries() {
    let job = changed(r1(), &["-multi-latent-attention", "group-query-attention", "num-query-groups 8"]);
    let parameters = Parameters::of(&job).unwrap();
    let (bytes, formula) = engine::token(&job, &parameters).unwrap();
    assert_eq!((bytes, formula.as_str()), (2 * 128 * 61 * 2, "2 x 1 heads x 128 x 61 layers x 2 bytes"));
}

#[test]
fn checkpoints() {
    let forecast = forecast(&[]);
    assert_eq!(forecast.total(Group::Checkpoint), 14 * 671_026_419_200);
    assert_eq!(gigabytes(forecast.total(Group::Checkpoint)), "9.39 TB");
    assert_eq!(forecast.total(Group::Kept), 150 * 14 * 671_026_419_200);
    assert_eq!(self::forecast(&["no-save-optim"]).total(Group::Checkpoint), 2 * 671_026_419_200);
    assert_eq!(self::forecast(&["save-retain-interval 1000"]).total(Group::Kept), 3 * 14 * 671_026_419_200);
    let layer = WHOLE + CUT + 257 * EXPERT + ROUTER + 2 * 7168 * 7168 + 3 * 7168;
    let further = self::forecast(&["mtp-num-layers 1"]);
    assert_eq!(further.total(Group::Checkpoint), 14 * (671_026_419_200 + layer));
}

#[test]
fn tokens_of_a_rollout() {
    let forecast = forecast(&[]);
    assert_eq!(forecast.count("tokens that a rollout trains on"), Some(128 * 8 * 32_768));
    assert_eq!(forecast.count("tokens sampled at a time"), Some(256 * 8 * 32_768));
    assert_eq!(forecast.count("requests at a time"), Some(1024 * 2));
}

#[test]
fn each_figure_has_its_formula_and_each_group_its_figures() {
    let forecast = forecast(&[]);
    for group in Group::ALL {
        assert!(forecast.group(group).count() > 0, "{}", group.label());
    }
    assert!(forecast.terms.iter().all(|term| term.bytes > 0 && term.formula.contains(" x ")), "{:#?}", forecast.terms);
}

/// A file may say anything.
#[test]
fn absurd_sizes_overflow_nothing() {
    let names = [
        "num-layers",
        "hidden-size",
        "ffn-hidden-size",
        "num-attention-heads",
        "kv-lora-rank",
        "q-lora-rank",
        "qk-head-dim",
        "v-head-dim",
        "vocab-size",
        "num-experts",
        "moe-ffn-hidden-size",
        "mtp-num-layers",
        "max-tokens-per-gpu",
        "rollout-max-response-len",
        "num-rollout",
        "save-interval",
        "micro-batch-size",
        "make-vocab-size-divisible-by",
        "recompute-num-layers",
        "rollout-batch-size",
        "moe-router-topk",
        "moe-shared-expert-intermediate-size",
        "sglang-server-concurrency",
        "sglang-dp-size",
        "seq-length",
    ];
    for value in [1_u64 << 20, (1 << 20) - 8, 1 << 40, i64::MAX as u64] {
        for name in names {
            let job = changed(r1(), &[&format!("{name} {value}"), "moe-layer-freq 1"]);
            let facts = crate::job::Facts { gpu_bytes: Some(1), host_bytes: Some(1), ..crate::job::Facts::default() };
            let _ = job.findings(&facts);
            let _ = Forecast::new(&job, 16, &Machine::default());
        }
        let all: Vec<String> = names.iter().map(|name| format!("{name} {value}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let _ = Forecast::new(&changed(r1(), &all), 16, &Machine::default());
    }
}
