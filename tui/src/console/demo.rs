//! A believable run of the built-in job, as changes: what tests draw.

use std::collections::BTreeMap;

use rldeck_core::{
    deck::{
        Alert, Change, Frame, Gpu, Host, LogLine, Node, Points, Process, Progress, RunStatus, Setting, ShardStatus,
        Span,
    },
    run::{Entry, Fact, Intent, ShardState, State},
    shard::{Funnel, Millis, Role, Sample, Severity, ShardId},
};

/// The time of every picture: 14:22:07 UTC.
pub(crate) const NOW: Millis = 1_795_357_327_000;
const ROLLOUTS: u64 = 82;
/// The second attempt goes on after this rollout; the first one had come four rollouts further.
const CUT: u64 = 49;

pub(crate) fn id(attempt: u32, name: &str, life: u32) -> ShardId {
    ShardId { attempt, name: name.to_owned(), life }
}

/// Noise that is the same every time.
fn noise(x: u64, salt: u64) -> f64 {
    let mut h = (x + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h = (h ^ (h >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((h ^ (h >> 29)) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
}

fn run(state: State) -> RunStatus {
    RunStatus {
        id: "20261123-141500-r1-mini".into(),
        job: "r1-mini".into(),
        engine: "embedded".into(),
        state,
        reason: String::new(),
        since: NOW - 61_000,
        launched: NOW - 427_000,
        attempt: 2,
        rollout: Some(ROLLOUTS - 1),
        step: Some(ROLLOUTS * 2 - 1),
        num_rollout: 200,
        checkpoint: Some(79),
    }
}

fn node(name: &str, cpus: &[f32], memory: u64, processes: Vec<Process>) -> Change {
    Change::Node(Node {
        name: name.to_owned(),
        connected: true,
        seen: NOW - 400,
        version: "0.1.0".into(),
        pid: 4011,
        frame: Some(Frame {
            at: NOW - 400,
            host: Host { cpus: cpus.to_vec(), memory_used: memory, memory_total: 16 << 30 },
            gpus: Vec::new(),
            processes,
            note: "no NVIDIA driver: CPUs only".into(),
        }),
    })
}

fn process(name: &str, pid: u32, cpu: f32, memory: u64) -> Process {
    Process { pid, name: "rldeck".into(), shard: Some(id(2, name, 0)), cpu, memory, ..Process::default() }
}

pub(crate) fn nodes() -> Vec<Change> {
    vec![
        node(
            "node0",
            &[96.0, 83.0, 12.0, 5.0],
            3_400 << 20,
            vec![process("trainer", 4121, 171.0, 412 << 20), process("rollout-0", 4122, 88.0, 96 << 20)],
        ),
        node("node1", &[64.0, 71.0], 1_900 << 20, vec![process("rollout-1", 5220, 91.0, 98 << 20)]),
    ]
}

fn shard(attempt: u32, name: &str, role: Role, rank: u32, node: &str, pid: u32, state: ShardState) -> Change {
    let id = id(attempt, name, 0);
    Change::Shard(ShardStatus { id, role, rank, node: node.to_owned(), state, pid, since: NOW - 60_000 })
}

fn values(rollout: u64, attempt: u32, changes: &mut Vec<Change>) {
    let x = rollout as f64;
    let at = NOW - (ROLLOUTS - rollout) * 1_900;
    let learnt = 1.0 - (-x / 28.0).exp();
    let reward = 0.31 + 0.62 * learnt + noise(rollout, u64::from(attempt)) * 0.11;
    let mut of: BTreeMap<String, f64> = BTreeMap::new();
    of.insert("rollout/sampled_reward".into(), reward.min(1.0));
    of.insert("rollout/response_len/mean".into(), 34.0 + 19.0 * learnt + noise(rollout, 7) * 4.0);
    of.insert("perf/tokens_per_gpu_per_sec".into(), 5_130.0 + noise(rollout, 9) * 700.0);
    of.insert("perf/actor_train_tok_per_s".into(), 9_420.0 + noise(rollout, 10) * 500.0);
    of.insert("rollout/truncated_ratio".into(), (0.12 - 0.12 * learnt + noise(rollout, 17) * 0.02).max(0.0));
    if rollout.is_multiple_of(10) {
        of.insert("eval/arithmetic".into(), 0.24 + 0.6 * learnt);
    }
    changes.push(Change::Points(Points { attempt, rollout, step: None, at, values: of }));
    for step in [rollout * 2, rollout * 2 + 1] {
        let of = [
            ("train/ppo_kl", 2.1e-4 + noise(step, 3).abs() * 4e-4 + 6e-4 * (-x / 9.0).exp()),
            ("train/pg_clipfrac", (0.011 + noise(step, 4) * 0.012).max(0.0)),
            ("train/entropy_loss", 0.62 * (-x / 50.0).exp() + 0.09 + noise(step, 5) * 0.02),
            ("train/train_rollout_logprob_abs_diff", 0.0021 + noise(step, 6).abs() * 0.0009),
            ("train/grad_norm", 0.31 + noise(step, 8) * 0.12 + if step == 77 { 1.1 } else { 0.0 }),
        ];
        let values = of.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        changes.push(Change::Points(Points { attempt, rollout, step: Some(step), at, values }));
    }
}

fn phases(changes: &mut Vec<Change>) {
    let span = |name: &str, shard: &str, rollout, start| {
        Change::Span(Span { shard: id(2, shard, 0), name: name.to_owned(), rollout, start, end: None })
    };
    for back in (0..8).rev() {
        let rollout = ROLLOUTS - back;
        let start = NOW - 840 - back * 1_900 - noise(rollout, 21).abs() as u64 * 300;
        changes.push(span("generate", "trainer", rollout, start));
        changes.push(span("generate", "rollout-0", rollout, start + 20));
        changes.push(span("generate", "rollout-1", rollout, start + 30));
        if back > 0 {
            changes.push(span("", "rollout-0", rollout, start + 960));
            changes.push(span("", "rollout-1", rollout, start + 1_050));
            changes.push(span("logprob", "trainer", rollout, start + 1_060));
            changes.push(span("train", "trainer", rollout, start + 1_210));
            if rollout % 5 == 4 {
                changes.push(span("save", "trainer", rollout, start + 1_690));
            }
            changes.push(span("sync", "trainer", rollout, start + 1_790));
        }
    }
    let progress = |shard: &str, done, total| {
        Change::Progress(Progress { shard: id(2, shard, 0), unit: "samples".into(), done, total, at: NOW })
    };
    changes.extend([progress("trainer", 141, 256), progress("rollout-0", 80, 128), progress("rollout-1", 61, 128)]);
}

fn prints(changes: &mut Vec<Change>) {
    let mut offset = 0;
    let mut print = |shard: &str, at: Millis, severity, text: String| {
        offset += text.len() as u64 + 1;
        let node = if shard == "rollout-1" { "node1" } else { "node0" };
        let shard = id(2, shard, 0);
        changes.push(Change::Log(LogLine { shard, node: node.to_owned(), offset, at, severity, text }));
    };
    for rollout in ROLLOUTS - 40..ROLLOUTS {
        let at = NOW - (ROLLOUTS - rollout) * 1_900;
        let n = 128 - rollout % 7 * 3;
        print("rollout-0", at, Severity::Info, format!("rollout {rollout}: {n} samples, 5,{:03} tok/s", 100 + rollout));
        print("rollout-1", at + 90, Severity::Info, format!("rollout {rollout}: 128 samples, longest 71 tok"));
        if rollout == ROLLOUTS - 3 {
            print("rollout-1", at + 200, Severity::Warning, "weights of rollout 78 came late: waited 1.2 s".into());
        }
        let loss = noise(rollout, 30) * 2e-2;
        let text = format!("step {} loss {loss:.2e} grad 0.31 lr 1e-3 kl 2.4e-4 clip 0.012", rollout * 2 + 1);
        print("trainer", at + 1_700, Severity::Info, text);
    }
    let escape = "\x1b[31mred\x1b[0m \u{202e}evil\u{202c} 数学は楽しい\t<think>\r".to_owned();
    print("rollout-0", NOW - 600, Severity::Info, escape);
    print(
        "trainer",
        NOW - 300,
        Severity::Error,
        "cannot write checkpoint: No space left on device (os error 28)".into(),
    );
}

fn entry(seq: u64, at: Millis, who: &str, fact: Fact) -> Change {
    Change::Journal(Entry { seq, at, who: who.to_owned(), fact })
}

fn journal() -> Vec<Change> {
    let state = |state, reason: &str| Fact::State { state, reason: reason.to_owned(), then: Intent::Stop, until: 0 };
    let shard = |name: &str, role, node: &str, pid, state| Fact::Shard {
        asked: false,
        id: id(1, name, 0),
        role,
        rank: 0,
        node: node.to_owned(),
        state,
        pid,
    };
    let t = NOW - 427_000;
    let me = "ada@node0";
    let tune = [("lr".to_owned(), "5e-4".to_owned())];
    let facts = vec![
        (t, me, Fact::Launched { run: "20261123-141500-r1-mini".into(), job: String::new() }),
        (
            t,
            me,
            Fact::Attempt {
                barren: 0,
                attempt: 1,
                from: None,
                nodes: vec!["node0".into(), "node1".into()],
                reason: "launched".into(),
            },
        ),
        (t + 10, me, state(State::Preparing, "launched")),
        (t + 21_000, "rldeck", state(State::Starting, "")),
        (t + 21_010, "node0", shard("trainer", Role::Trainer, "node0", 4021, ShardState::Running)),
        (t + 21_900, "rldeck", state(State::Running, "")),
        (
            t + 90_000,
            "node0",
            Fact::Checkpoint { said: 1, rollout: 49, path: "checkpoints/iter_0000049".into(), bytes: 5_400_000 },
        ),
        (t + 301_000, "node1", shard("rollout-1", Role::Rollout, "node1", 5101, ShardState::Killed { signal: 9 })),
        (
            t + 361_000,
            me,
            Fact::Answered {
                id: "7".into(),
                action: "restart".into(),
                accepted: true,
                text: "attempt 2 will go on after rollout 49".into(),
                tune: None,
            },
        ),
        (t + 361_000, me, state(State::Stopping, "restart asked for by ada@node0")),
        (
            t + 362_000,
            "rldeck",
            Fact::Attempt {
                barren: 0,
                attempt: 2,
                from: Some(49),
                nodes: vec!["node0".into(), "node1".into()],
                reason: "restart asked for by ana@node0".into(),
            },
        ),
        (t + 362_900, "rldeck", state(State::Running, "")),
        (t + 400_000, me, Fact::Tune { version: 1, set: tune.clone().into() }),
        (
            t + 400_700,
            "node0",
            Fact::Tuned { version: 1, step: 140, rollout: 70, set: BTreeMap::new(), refused: BTreeMap::new() },
        ),
        (
            t + 410_000,
            me,
            Fact::Answered {
                id: "8".into(),
                action: "tune".into(),
                accepted: false,
                text: "eps-clip is \"abc\": it must be a number, at least 0".into(),
                tune: None,
            },
        ),
    ];
    facts.into_iter().zip(1..).map(|((at, who, fact), seq)| entry(seq, at, who, fact)).collect()
}

pub(crate) fn settings() -> Vec<Change> {
    let of = [
        ("lr", "5e-4", None, ""),
        ("rollout-temperature", "1.0", Some("0.8"), ""),
        ("eps-clip", "0.2", None, ""),
        ("eps-clip-high", "0.28", None, ""),
        ("kl-loss-coef", "0.0", None, "use-kl-loss is off: restart with it first"),
        ("entropy-coef", "0.0", None, ""),
        ("n-samples-per-prompt", "8", None, ""),
        ("rollout-batch-size", "16", None, ""),
        ("save-interval", "5", None, ""),
        ("num-rollout", "200", None, ""),
    ];
    let setting = |(name, value, pending, refused): (&str, &str, Option<&str>, &str)| {
        let (name, value) = (name.to_owned(), value.to_owned());
        Change::Setting(Setting { name, value, pending: pending.map(str::to_owned), refused: refused.to_owned() })
    };
    of.into_iter().map(setting).collect()
}

/// A run in its second attempt, after 82 rollouts, with something to complain about.
pub(crate) fn running() -> Vec<Change> {
    let mut changes = vec![Change::Reset, Change::Run(run(State::Running))];
    changes.extend(nodes());
    for attempt in [1, 2] {
        let state = |n| if attempt == 1 { ShardState::Killed { signal: n } } else { ShardState::Running };
        let pid = attempt * 100;
        changes.push(shard(attempt, "trainer", Role::Trainer, 0, "node0", 3921 + pid, state(15)));
        changes.push(shard(attempt, "rollout-0", Role::Rollout, 0, "node0", 3922 + pid, state(15)));
        changes.push(shard(attempt, "rollout-1", Role::Rollout, 1, "node1", 5020 + pid, state(9)));
    }
    (0..CUT + 5).for_each(|rollout| values(rollout, 1, &mut changes));
    (CUT + 1..ROLLOUTS).for_each(|rollout| values(rollout, 2, &mut changes));
    phases(&mut changes);
    for rollout in ROLLOUTS - 30..ROLLOUTS {
        let right = 3 + rollout % 5;
        let wrong = 9 - rollout % 4;
        let dropped = [("zero_std_0.0".to_owned(), wrong), ("zero_std_1.0".to_owned(), right)].into();
        changes.push(Change::Funnel(Funnel { rollout, sampled: 16 + right + wrong, dropped, kept: 16 }));
    }
    changes.push(Change::Sample(Sample {
        rollout: ROLLOUTS - 1,
        group: 3,
        prompt: "What is 47 * 6?".into(),
        response: "<think>40 * 6 = 240. 7 * 6 = 42. 240 + 42 = 282.</think> The answer is \\boxed{282}".into(),
        label: "282".into(),
        reward: 1.0,
        tokens: 71,
        truncated: false,
        dropped: None,
    }));
    prints(&mut changes);
    changes.extend(journal());
    let alert = |id: &str, severity, since, text: &str| {
        Change::Raise(Alert { id: id.to_owned(), severity, since, text: text.to_owned() })
    };
    changes.push(alert(
        "shard:attempt-2/trainer",
        Severity::Error,
        NOW - 300,
        "trainer: cannot write checkpoint: no space left in /data; free some, the run goes on",
    ));
    changes.push(alert(
        "notice",
        Severity::Warning,
        NOW - 5_700,
        "rollout-1: weights of rollout 78 came late: waited 1.2 s",
    ));
    changes.extend(settings());
    changes
}

/// Sixteen nodes of eight GPUs, one of them throttled, one not heard.
pub(crate) fn cluster() -> Vec<Change> {
    let mut changes = running();
    for n in 0..16u64 {
        let gpus = (0..8).map(|index| Gpu {
            index,
            name: "NVIDIA H100 80GB HBM3".into(),
            utilisation: Some(if n == 5 && index == 3 {
                11
            } else {
                93 + (noise(n * 8 + u64::from(index), 50) * 12.0) as u32
            }),
            memory_used: 71 << 30,
            memory_total: 80 << 30,
            power: Some(641.0),
            power_limit: Some(700.0),
            temperature: Some(61 + n as u32 % 7),
            sm_clock: Some(1755),
            memory_clock: Some(2619),
            error: String::new(),
        });
        let host = Host { cpus: vec![34.0; 192], memory_used: 610 << 30, memory_total: 2_048 << 30 };
        let frame = Frame { at: NOW - 400, host, gpus: gpus.collect(), processes: Vec::new(), note: String::new() };
        let (name, connected) = (format!("node{n}"), n != 11);
        let seen = if connected { NOW - 400 } else { NOW - 21_000 };
        changes.push(Change::Node(Node { name, connected, seen, version: "0.1.0".into(), pid: 1, frame: Some(frame) }));
    }
    changes
}

/// The cold start of a first launch.
pub(crate) fn preparing() -> Vec<Change> {
    let status = RunStatus {
        attempt: 1,
        rollout: None,
        step: None,
        checkpoint: None,
        reason: "launched".into(),
        ..run(State::Preparing)
    };
    let mut changes = vec![Change::Reset, Change::Run(status)];
    changes.extend(nodes());
    changes.push(shard(1, "prepare", Role::Prepare, 0, "node0", 4019, ShardState::Running));
    let shard = id(1, "prepare", 0);
    changes.push(Change::Span(Span {
        shard: shard.clone(),
        name: "cold-start".into(),
        rollout: 0,
        start: NOW - 12_400,
        end: None,
    }));
    changes.push(Change::Progress(Progress { shard, unit: "steps".into(), done: 212, total: 400, at: NOW }));
    for step in 0..212 {
        let loss = 3.9 * (-(step as f64) / 60.0).exp() + 0.35 + noise(step, 40) * 0.15;
        let values = [("cold_start/loss".to_owned(), loss)].into();
        changes.push(Change::Points(Points { attempt: 1, rollout: 0, step: Some(step), at: NOW, values }));
    }
    changes.extend(settings());
    changes
}
