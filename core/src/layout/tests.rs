use std::collections::BTreeSet;

use super::*;
use crate::job::tests::r1::{changed, r1};

fn layout(changes: &[&str], nodes: usize) -> Layout {
    Layout::new(&changed(r1(), changes), nodes).unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// Why there is none.
fn none(changes: &[&str], nodes: usize) -> Vec<String> {
    let findings = Layout::new(&changed(r1(), changes), nodes).unwrap_err();
    findings.into_iter().filter_map(|finding| finding.id).collect()
}

#[test]
fn r1_on_sixteen_nodes() {
    let layout = layout(&[], 16);
    assert_eq!((layout.world(), layout.replicas()), (128, (1, 1)));
    assert_eq!(layout.stage_layers(), [16, 16, 16, 13]);
    assert_eq!((layout.first_layer(0), layout.first_layer(3)), (0, 48));
    assert_eq!((layout.metric_rank(), layout.timer_rank()), (96, 0));
    assert_eq!(layout.rank(96).label(), "r96 pp3 tp0 cp0 ep0");
    for rank in layout.ranks() {
        let r = rank.rank;
        assert_eq!((rank.node, rank.gpu), (r / 8, r % 8));
        assert_eq!((rank.tp, rank.cp, rank.pp, rank.dp), (r % 8, r / 8 % 4, r / 32, 0));
        assert_eq!((rank.ep, rank.etp, rank.edp), (r % 32, 0, 0));
    }
}

/// By hand: rank 77 of TP 2, CP 2, PP 2 on 16 GPUs x 8: 77 = 1 + 2 (0 + 2 (3 + 16 x 1)).
#[test]
fn replicas_lie_between_the_ranks_of_a_stage_and_the_stages() {
    let sizes = [
        "tensor-model-parallel-size 2",
        "context-parallel-size 2",
        "pipeline-model-parallel-size 2",
        "expert-model-parallel-size 8",
        "decoder-last-pipeline-num-layers 30",
    ];
    let first = layout(&sizes, 16);
    assert_eq!((first.replicas(), first.stage_layers()), ((16, 8), vec![31, 30]));
    let rank = first.rank(77);
    assert_eq!((rank.tp, rank.cp, rank.dp, rank.pp), (1, 0, 3, 1));
    assert_eq!((rank.etp, rank.ep, rank.edp), (0, 5, 1));
    assert_eq!(rank.label(), "r77 pp1 tp1 cp0 dp3 ep5");
    assert_eq!(first.metric_rank(), 64);

    // Stages before replicas needs as many replicas of experts: 77 = 1 + 2 (0 + 2 (1 + 2 x 9)).
    let other = [&sizes[..3], &["expert-model-parallel-size 4", sizes[4], "use-tp-pp-dp-mapping"]].concat();
    let second = layout(&other, 16);
    let rank = second.rank(77);
    assert_eq!((rank.tp, rank.cp, rank.pp, rank.dp, rank.ep, rank.edp), (1, 0, 1, 9, 1, 9));
    assert_eq!(second.metric_rank(), 4);
}

/// No two ranks have the same part, in whatever order, and the metric rank is the one that is first of the last stage.
#[test]
fn each_part_is_had_once() {
    let small = ["tensor-model-parallel-size 4", "expert-model-parallel-size 4", "expert-tensor-parallel-size 4"];
    let mapped = [&small[..], &["use-tp-pp-dp-mapping"]].concat();
    for (changes, nodes) in [(&[][..], 16), (&[], 64), (&small[..], 32), (&mapped[..], 32)] {
        let layout = layout(changes, nodes);
        let ranks = layout.ranks();
        assert_eq!(ranks.len(), nodes * 8);
        let dense: BTreeSet<_> = ranks.iter().map(|rank| (rank.tp, rank.cp, rank.dp, rank.pp)).collect();
        let expert: BTreeSet<_> = ranks.iter().map(|rank| (rank.etp, rank.ep, rank.edp, rank.pp)).collect();
        assert_eq!((dense.len(), expert.len()), (ranks.len(), ranks.len()));
        let last = layout.sizes().pp as u32 - 1;
        let metric = ranks.iter().find(|rank| (rank.tp, rank.cp, rank.dp, rank.pp) == (0, 0, 0, last));
        assert_eq!(metric.map(|rank| rank.rank), Some(layout.metric_rank()));
    }
}

#[test]
fn the_engines_of_r1() {
    let layout = layout(&[], 16);
    let engines = layout.engines();
    assert_eq!(engines.iter().map(|engine| engine.ranks.len()).collect::<Vec<_>>(), [64, 64]);
    for (at, rank) in engines[1].ranks.iter().enumerate() {
        let at = at as u32;
        assert_eq!((rank.node, rank.gpu, rank.node_rank), (8 + at / 8, at % 8, at / 8));
        assert_eq!((rank.tp, rank.dp, rank.ep, rank.pp), (at, at / 8, at, 0));
    }
    assert_eq!(engines[0].ranks[9].label(), "DP1 TP9 EP9");
}

#[test]
fn engines_with_stages_and_fewer_parts_of_experts() {
    let changes = [
        "-sglang-speculative-algorithm",
        "sglang-pp-size 2",
        "sglang-dp-size 4",
        "sglang-moe-a2a-backend none",
        "sglang-ep-size 8",
        "rollout-num-gpus-per-engine 32",
    ];
    let layout = layout(&changes, 16);
    let engine = &layout.engines()[2];
    let rank = engine.ranks[21];
    // 21 = 5 of the second stage's 16; of 4 replicas each has 4 GPUs, of 8 parts of the experts each 2.
    assert_eq!((rank.pp, rank.tp, rank.dp, rank.ep), (1, 5, 1, 2));
    assert_eq!((rank.node, rank.gpu, rank.node_rank), (10, 5, 2));
}

#[test]
fn engines_that_do_not_share_have_the_last_gpus() {
    let changes = [
        "apart",
        "rollout-num-gpus 128",
        "rollout-num-gpus-per-engine 4",
        "sglang-dp-size 1",
        "-sglang-enable-dp-attention",
    ];
    let layout = layout(&changes, 32);
    assert_eq!((layout.world(), layout.engines().len()), (128, 32));
    let first = layout.engines()[1].ranks[0];
    assert_eq!((first.node, first.gpu, first.node_rank), (16, 4, 0));
}

#[test]
fn what_does_not_come_out_even_says_why() {
    assert_eq!(none(&[], 15), ["layout.world", "layout.expert-world", "sglang.engines"]);
    assert_eq!(none(&["expert-model-parallel-size 64"], 16), ["layout.expert-world"]);
    assert_eq!(none(&["-decoder-last-pipeline-num-layers"], 16), ["layout.stages"]);
    assert_eq!(none(&["rollout-num-gpus-per-engine 24"], 16), ["sglang.engines"]);
    // That a rule may be broken does not make an arithmetic of it.
    let mut job = r1();
    job.allow = vec!["layout.world".to_owned(), "layout.expert-world".to_owned()];
    assert!(Layout::new(&job, 15).is_err());
    for nodes in [0, usize::MAX] {
        assert!(Layout::new(&r1(), nodes).is_err());
    }
    assert!(Layout::new(&changed(r1(), &["pipeline-model-parallel-layout E|t*61|L"]), 16).is_err());
}

/// A file may say anything.
#[test]
fn absurd_sizes_are_refused() {
    let huge = i64::MAX.to_string();
    for name in [
        "tensor-model-parallel-size",
        "pipeline-model-parallel-size",
        "context-parallel-size",
        "expert-model-parallel-size",
        "rollout-num-gpus",
        "rollout-num-gpus-per-engine",
    ] {
        let change = format!("{name} {huge}");
        assert!(Layout::new(&changed(r1(), &[&change]), 16).is_err(), "{name}");
        let without = changed(r1(), &[&change, "-num-layers"]);
        let _ = Layout::new(&without, 16);
        let _ = Layout::new(&changed(without, &["debug-rollout-only"]), 16);
    }
}

#[test]
fn the_built_in_engine_has_one_rank() {
    let (job, _) = Job::from_recipe("r1-mini", &|_| Some("/x".to_owned())).unwrap();
    let layout = Layout::new(&job, 1).unwrap();
    assert_eq!((layout.world(), layout.stage_layers(), layout.engines().len()), (1, vec![3], 0));
}

#[test]
fn layers_are_dealt_as_megatron_deals_them() {
    let deal = |layers, stages, first, last| stage::deal(layers, stages, first, last).ok();
    assert_eq!(deal(61, 4, None, Some(13)), Some(vec![16, 16, 16, 13]));
    assert_eq!(deal(61, 8, Some(7), Some(6)), Some(vec![7, 8, 8, 8, 8, 8, 8, 6]));
    assert_eq!(deal(10, 2, Some(4), Some(6)), Some(vec![4, 6]));
    assert_eq!(deal(10, 2, Some(4), Some(5)), None);
    assert_eq!(deal(10, 3, Some(4), Some(6)), None);
    assert_eq!(deal(10, 1, None, Some(10)), None);
    assert_eq!(deal(10, 4, None, Some(11)), None);
    let said = |layers, stages, last| stage::deal(layers, stages, None, last).unwrap_err();
    assert_eq!(said(61, 4, None), "61 layers over 4 stages leave 1: write decoder-last-pipeline-num-layers = 13");
    assert!(said(61, 4, Some(12)).ends_with("decoder-last-pipeline-num-layers = 13 alone goes"));
    // What is suggested goes, or nothing is suggested.
    for layers in 1..100 {
        for stages in 1..20 {
            if let Err(text) = stage::deal(layers, stages, None, None)
                && let Some((_, last)) = text.rsplit_once(" = ")
            {
                let last = last.parse().unwrap();
                assert!(stage::deal(layers, stages, None, Some(last)).is_ok(), "{layers} {stages}: {text}");
            }
        }
    }
}

/// A budget, not a measurement: without optimisation, on a busy machine.
#[test]
fn a_thousand_nodes_are_laid_out_at_once() {
    let changes = ["rollout-batch-size 1024"];
    let begun = std::time::Instant::now();
    let layout = layout(&changes, 1024);
    assert_eq!((layout.ranks().len(), layout.engines().len()), (8192, 128));
    assert!(begun.elapsed().as_millis() < 500, "{:?}", begun.elapsed());
}
