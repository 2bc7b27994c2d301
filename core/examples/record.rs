//! How fast log lines are read, in MB/s on one core: `cargo run --release -p rldeck-core --example record`.

use std::{fmt::Write, hint::black_box, time::Instant};

use rldeck_core::record::{Context, Reader, parse};

const SIZE: usize = 16 << 20;

fn main() {
    println!("{:24} {:>12} {:>12} {:>10} {:>10}", "log", "parse MB/s", "reader MB/s", "records", "reports");
    for (name, write) in [
        ("mostly noise", noise as fn(usize, &mut String)),
        ("noise, forwarded", forwarded),
        ("metric lines", metrics),
        ("progress bars", bars),
    ] {
        let mut log = String::with_capacity(SIZE + 4096);
        let mut at = 0;
        while log.len() < SIZE {
            write(at, &mut log);
            at += 1;
        }
        let log = log.as_bytes();
        let mut records = 0u64;
        let parsed = fastest(log.len(), || {
            records = 0;
            lines(log, |line| {
                parse(line, &mut |record| {
                    black_box(&record);
                    records += 1;
                })
            });
        });
        let mut reports = 0u64;
        let read = fastest(log.len(), || {
            reports = 0;
            let mut reader = Reader::new(Context { steps_per_rollout: 4, ..Context::default() });
            let mut now = 0;
            lines(log, |line| {
                // About 5,000 lines a second.
                now += 1;
                reader.line(line, now / 5, &mut |report| {
                    black_box(&report);
                    reports += 1;
                });
            });
        });
        println!("{name:24} {parsed:12.0} {read:12.0} {records:10} {reports:10}");
    }
}

fn lines(log: &[u8], mut take: impl FnMut(&[u8])) {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', log) {
        take(&log[start..end]);
        start = end + 1;
    }
}

/// The best of twenty, in MB/s: what the machine does besides is not measured.
fn fastest(bytes: usize, mut run: impl FnMut()) -> f64 {
    let times = (0..20).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    bytes as f64 / 1e6 / times.fold(f64::INFINITY, f64::min)
}

/// What the nodes of a healthy job print: one line in a hundred says something.
fn noise(at: usize, log: &mut String) {
    let rank = at % 128;
    _ = match at % 100 {
        0 => writeln!(log, "[2026-11-23 16:29:51] timer.py:24 - Timer log_probs start"),
        1..=45 => {
            writeln!(log, "[2026-11-23 14:10:37] INFO:     10.0.0.{rank}:62932 - \"POST /generate HTTP/1.1\" 200 OK")
        }
        46..=60 => writeln!(
            log,
            "node{rank}:{at}:33018 [{}] NCCL INFO Channel {:02}/0 : {rank}[{rank}] -> {}[3] via P2P/CUMEM/read",
            rank % 8,
            at % 32,
            (rank + 1) % 128
        ),
        61..=70 => {
            writeln!(log, "AMEM pid:{at} sharedNetBuffersInit 561 dptr:0x7ed63c000000 sz:268435456 defensive remove")
        }
        71..=85 => writeln!(
            log,
            "[2026-11-23 14:07:56 DP{} TP{rank} EP{rank}] Decode batch, #running-req: 6, #token: {at}, token usage: 0.04, \
             accept len: 2.91, accept rate: 0.64, cuda graph: True, gen throughput (token/s): 1374.02, #queue-req: 0",
            rank / 8
        ),
        86..=95 => writeln!(
            log,
            "[2026-11-23 03:21:03] memory_utils.py:41 - [Rank {rank}] Memory-Usage after wake_up model: {{'gpu': '1', \
             'total_GB': 79.11, 'free_GB': 45.51, 'used_GB': 33.6, 'allocated_GB': 2.76, 'reserved_GB': 3.74}}"
        ),
        _ => writeln!(log, "[2026-11-23 14:07:56 TP{rank}] Cache flushed successfully!"),
    };
}

/// The same as the driver's log holds it.
fn forwarded(at: usize, log: &mut String) {
    _ = write!(log, "\x1b[36m(MegatronTrainRayActor pid={}, ip=10.0.0.{})\x1b[0m ", at % 40_000, at % 16);
    noise(at, log);
}

fn metrics(at: usize, log: &mut String) {
    _ = writeln!(
        log,
        "[2026-11-23 14:10:28] model.py:918 - step {at}: {{'train/loss': -6.05359673500061e-09, 'train/pg_loss': \
         -6.05359673500061e-09, 'train/entropy_loss': 0.18443581461906433, 'train/pg_clipfrac': 0.0, 'train/ppo_kl': 0.0, \
         'train/train_rollout_logprob_abs_diff': 0.018386833369731903, 'train/kl_loss': 0.002021021908149123, \
         'train/grad_norm': 0.07986056034213801, 'train/lr-pg_0': 1e-06, 'train/lr-pg_1': 1e-06, 'train/step': {at}}}"
    );
}

fn bars(at: usize, log: &mut String) {
    let done = at % 1024;
    let filled = done / 103;
    _ = write!(
        log,
        "\rRollout generation: {:3}%|{}{}| {done}/1024 [04:51<02:52,  7.19s/it]",
        done * 100 / 1024,
        "█".repeat(filled),
        " ".repeat(10 - filled)
    );
    if at % 64 == 63 {
        log.push('\n');
    }
}
