//! Any change of R1's numbers gets the verdict that arithmetic gives, stated here once more and in other words.

use super::{
    r1::{changed, r1},
    *,
};

/// The numbers that are changed.
#[derive(Clone, Debug)]
struct Numbers {
    nodes: u64,
    per_node: u64,
    tp: u64,
    pp: u64,
    cp: u64,
    ep: u64,
    etp: u64,
    layers: u64,
    last: u64,
    heads: u64,
    ffn: u64,
    expert_ffn: u64,
    shared_ffn: u64,
    experts: u64,
    groups: u64,
    group_topk: u64,
    topk: u64,
    sequence: u64,
    prompts: u64,
    samples: u64,
    steps: u64,
    oversampled: u64,
    micro: u64,
    engine: u64,
    dp: u64,
    dense_tp: u64,
    sequence_parallel: bool,
    deepep: bool,
    engine_ep: u64,
}

const START: Numbers = Numbers {
    nodes: 16,
    per_node: 8,
    tp: 8,
    pp: 4,
    cp: 4,
    ep: 32,
    etp: 1,
    layers: 61,
    last: 13,
    heads: 128,
    ffn: 18432,
    expert_ffn: 2048,
    shared_ffn: 2048,
    experts: 256,
    groups: 8,
    group_topk: 4,
    topk: 8,
    sequence: 4096,
    prompts: 128,
    samples: 8,
    steps: 4,
    oversampled: 256,
    micro: 1,
    engine: 64,
    dp: 8,
    dense_tp: 1,
    sequence_parallel: true,
    deepep: true,
    engine_ep: 64,
};

impl Numbers {
    /// Whether slime, Megatron and SGLang would all take them.
    fn go(&self) -> bool {
        let n = self;
        let divides = |part: u64, whole: u64| part > 0 && whole / part * part == whole;
        let world = n.nodes * n.per_node;
        let replica = n.tp * n.pp * n.cp;
        let expert_replica = n.etp * n.ep * n.pp;
        let layout = divides(replica, world) && divides(expert_replica, world);
        let layers = if n.pp == 1 {
            false // The last stage may not be given when it is the only one.
        } else {
            n.layers > n.last && divides(n.pp - 1, n.layers - n.last)
        };
        let widths = divides(n.tp, n.heads)
            && divides(n.tp, n.ffn)
            && divides(n.etp, n.expert_ffn)
            && divides(n.tp, n.shared_ffn)
            && (n.cp == 1 || divides(2 * n.cp, n.sequence));
        let experts = divides(n.ep, n.experts)
            && divides(n.groups, n.experts)
            && n.group_topk <= n.groups
            && n.topk <= n.group_topk * (n.experts / n.groups)
            && n.ep * n.etp > 1
            && (n.ep == 1 || n.tp == 1 || n.sequence_parallel);
        let total = n.prompts * n.samples;
        let global = total / n.steps;
        let batch = n.oversampled >= n.prompts
            && global > 0
            && (!layout || divides(n.micro * (world / replica), global))
            && n.samples > 1;
        let tp = n.engine;
        let ep = if n.deepep { tp } else { n.engine_ep };
        let attention = if divides(n.dp, tp) { tp / n.dp } else { 0 };
        let engines = divides(n.engine, world)
            && (divides(n.engine, n.per_node) || divides(n.per_node, n.engine))
            && n.per_node == 8
            && divides(n.dp, tp)
            && divides(attention, n.heads)
            && divides(ep, tp)
            && divides(ep, n.experts)
            && divides(tp / ep.min(tp), n.expert_ffn)
            && (n.dense_tp == 1 || n.dense_tp == tp);
        layout && layers && widths && experts && batch && engines
    }

    fn job(&self) -> Job {
        let n = self;
        let set = |name: &str, value: u64| format!("{name} {value}");
        let mut changes = vec![
            set("hosts", n.nodes),
            set("gpus-per-node", n.per_node),
            set("tensor-model-parallel-size", n.tp),
            set("pipeline-model-parallel-size", n.pp),
            set("context-parallel-size", n.cp),
            set("expert-model-parallel-size", n.ep),
            set("expert-tensor-parallel-size", n.etp),
            set("num-layers", n.layers),
            format!("moe-layer-freq [0]*3+[1]*{}", n.layers - 3),
            set("decoder-last-pipeline-num-layers", n.last),
            set("num-attention-heads", n.heads),
            set("ffn-hidden-size", n.ffn),
            set("moe-ffn-hidden-size", n.expert_ffn),
            set("moe-shared-expert-intermediate-size", n.shared_ffn),
            set("num-experts", n.experts),
            set("moe-router-num-groups", n.groups),
            set("moe-router-group-topk", n.group_topk),
            set("moe-router-topk", n.topk),
            set("seq-length", n.sequence),
            set("rollout-batch-size", n.prompts),
            set("n-samples-per-prompt", n.samples),
            set("num-steps-per-rollout", n.steps),
            set("over-sampling-batch-size", n.oversampled),
            set("micro-batch-size", n.micro),
            set("rollout-num-gpus-per-engine", n.engine),
            set("sglang-dp-size", n.dp),
            set("sglang-moe-dense-tp-size", n.dense_tp),
            set("sglang-ep-size", n.engine_ep),
        ];
        if !n.sequence_parallel {
            changes.push("-sequence-parallel".to_owned());
        }
        if !n.deepep {
            changes.push("sglang-moe-a2a-backend none".to_owned());
        }
        changed(r1(), &changes.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// One to three numbers replaced by others that a person might try.
fn mutated(next: &mut impl FnMut(usize) -> usize) -> Numbers {
    let mut n = START;
    for _ in 0..=next(3) {
        let mut any = |of: &[u64]| of[next(of.len())];
        let which = any(&(0..29).collect::<Vec<_>>());
        match which {
            0 => n.nodes = any(&[1, 2, 8, 12, 15, 16, 24, 32, 64]),
            1 => n.per_node = any(&[4, 8]),
            2 => n.tp = any(&[1, 2, 4, 6, 8, 16]),
            3 => n.pp = any(&[1, 2, 3, 4, 8, 16]),
            4 => n.cp = any(&[1, 2, 3, 4, 8]),
            5 => n.ep = any(&[1, 2, 8, 16, 24, 32, 64, 128]),
            6 => n.etp = any(&[1, 2, 3, 8]),
            7 => n.layers = any(&[28, 45, 60, 61, 62, 64]),
            8 => n.last = any(&[1, 10, 12, 13, 14, 16, 61, 70]),
            9 => n.heads = any(&[16, 60, 64, 96, 120, 128]),
            10 => n.ffn = any(&[18432, 18433, 10_240, 9000]),
            11 => n.expert_ffn = any(&[2048, 1536, 2049, 96]),
            12 => n.shared_ffn = any(&[2048, 4096, 2044]),
            13 => n.experts = any(&[64, 128, 160, 192, 256, 288]),
            14 => n.groups = any(&[1, 4, 7, 8, 16, 32]),
            15 => n.group_topk = any(&[1, 2, 4, 8, 9]),
            16 => n.topk = any(&[1, 6, 8, 64, 200, 300]),
            17 => n.sequence = any(&[4096, 4100, 8192, 6144]),
            18 => n.prompts = any(&[1, 32, 100, 128, 256, 512]),
            19 => n.samples = any(&[1, 2, 4, 7, 8, 16]),
            20 => n.steps = any(&[1, 2, 3, 4, 16, 2000]),
            21 => n.oversampled = any(&[64, 128, 256, 512]),
            22 => n.micro = any(&[1, 2, 3, 4]),
            23 => n.engine = any(&[1, 4, 8, 12, 16, 24, 32, 64, 128]),
            24 => n.dp = any(&[1, 2, 6, 8, 16, 64]),
            25 => n.dense_tp = any(&[1, 8, 32, 64]),
            26 => n.sequence_parallel = false,
            27 => n.deepep = false,
            _ => (n.deepep, n.engine_ep) = (false, any(&[1, 8, 24, 32, 64])),
        }
    }
    n
}

#[test]
fn any_change_of_its_numbers_gets_the_verdict_of_arithmetic() {
    assert!(START.go());
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let (mut wrong, mut good) = (String::new(), 0);
    for _ in 0..400 {
        let numbers = mutated(&mut next);
        let findings = numbers.job().findings(&Facts::default());
        let errors: Vec<_> = findings.iter().filter(|finding| finding.blocks()).map(Finding::to_string).collect();
        good += u32::from(numbers.go());
        if errors.is_empty() != numbers.go() {
            wrong.push_str(&format!("{numbers:?}\n    goes: {}, but {errors:#?}\n", numbers.go()));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!((60..340).contains(&good), "{good} of 400 go: the changes do not try both sides");
}
