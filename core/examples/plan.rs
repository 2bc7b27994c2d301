//! How long it takes to read the job of 16 nodes and to plan its launch: `cargo run --release --example plan`.

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use rldeck_core::{job::Job, plan::ray};

const TIMES: u32 = 200;

fn main() {
    let hosts: Vec<String> = (1..=16).map(|n| format!("10.0.0.{n}")).collect();
    let mut times = Vec::new();
    let mut words = 0;
    for _ in 0..TIMES {
        let begin = Instant::now();
        let Ok((job, _)) = Job::from_recipe("deepseek-r1", &|_| None) else {
            eprintln!("the recipe has errors");
            std::process::exit(1);
        };
        let read = begin.elapsed();
        let launch = black_box(ray::launch(&job, &BTreeMap::new(), &hosts, &[]));
        words = launch.submit.len();
        times.push((begin.elapsed(), read));
    }
    times.sort();
    let show = |name: &str, at: usize| {
        let (all, read) = times[at];
        println!("{name:>8}: {all:>9.1?} in all, of which reading the job {read:>9.1?}");
    };
    println!("deepseek-r1 on {} hosts, {words} words to submit, {TIMES} times", hosts.len());
    show("median", times.len() / 2);
    show("slowest", times.len() - 1);
}
