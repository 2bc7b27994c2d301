//! The built-in job without any console: `mini DIR [--argument value ...]` runs it in DIR and prints a line a rollout.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use rldeck_core::shard::{EVENTS, Event, LOG, Report, Role};

/// The job's own choices; what follows on the command line comes after them and wins.
const JOB: &str = "--generate-data arithmetic --prompt-data ../train.jsonl --eval-prompt-data arithmetic ../eval.jsonl \
    --cold-start ../cold --load ../save --save ../save --exchange ../exchange.sock --num-rollout 300 --eval-interval 20 \
    --rollout-batch-size 24 --over-sampling-batch-size 32 --n-samples-per-prompt 16 --num-steps-per-rollout 2 \
    --rollout-max-response-len 56 --lr 3e-4 --adam-beta2 0.98 --weight-decay 0.1 --eps-clip-high 0.28 \
    --dynamic-sampling-filter-path slime.rollout.filter_hub.dynamic_sampling_filters.check_reward_nonzero_std";

fn start(dir: &Path, name: &str, role: Role, rank: u32, more: &[String]) -> io::Result<Child> {
    let home = dir.join(name);
    fs::create_dir_all(&home)?;
    let log = fs::OpenOptions::new().create(true).append(true).open(home.join(LOG))?;
    let rank = rank.to_string();
    let args = JOB.split_whitespace().chain(["--rank", &rank]).map(String::from).chain(more.iter().cloned());
    Command::new(env::current_exe()?)
        .arg(role.name())
        .args(args)
        .current_dir(home)
        .stdin(Stdio::null())
        .stderr(log.try_clone()?)
        .stdout(log)
        .spawn()
}

/// Prints what is new in the trainer's events; returns where the next look begins.
fn follow(events: &Path, from: usize, begin: Instant, row: &mut BTreeMap<String, f64>) -> usize {
    let text = fs::read_to_string(events).unwrap_or_default();
    let end = text.rfind('\n').map_or(from, |end| end + 1);
    for line in text.get(from..end).unwrap_or_default().lines() {
        match serde_json::from_str::<Event>(line).map(|event| event.report) {
            Ok(Report::Metrics { rollout, values, .. }) => {
                let last = values.contains_key("perf/step_time");
                row.extend(values);
                let of = |name: &str| row.get(name).copied().unwrap_or(f64::NAN);
                if last {
                    println!(
                        "{:6.1}s rollout {rollout:3}  sampled {:.3}  kept {:.3}  len {:4.1}  entropy {:.3}  gap {:.4}  clip {:.4}  \
                         grad {:.3}  eval {:.3}  gen {:.2}s  old {:.2}s  train {:.2}s",
                        begin.elapsed().as_secs_f64(),
                        of("rollout/sampled_reward"),
                        of("rollout/raw_reward"),
                        of("rollout/response_len/mean"),
                        of("train/entropy_loss"),
                        of("train/train_rollout_logprob_abs_diff"),
                        of("train/pg_clipfrac"),
                        of("train/grad_norm"),
                        of("eval/arithmetic"),
                        of("perf/rollout_time"),
                        of("perf/log_probs_time"),
                        of("perf/actor_train_time"),
                    );
                }
            }
            Ok(Report::Notice { severity, text }) => println!("{severity:?}: {text}"),
            _ => {}
        }
    }
    end
}

fn run(dir: &Path, more: &[String]) -> io::Result<ExitCode> {
    let begin = Instant::now();
    if !start(dir, "prepare", Role::Prepare, 0, more)?.wait()?.success() {
        eprintln!("prepare failed: see {}", dir.join("prepare").join(LOG).display());
        return Ok(ExitCode::FAILURE);
    }
    println!("{:6.1}s prepared", begin.elapsed().as_secs_f64());
    let begin = Instant::now();
    let mut trainer = start(dir, "trainer", Role::Trainer, 0, more)?;
    let mut shards = Vec::new();
    for rank in 0..2 {
        shards.push(start(dir, &format!("rollout-{rank}"), Role::Rollout, rank, more)?);
    }
    let events = dir.join("trainer").join(EVENTS);
    let (mut at, mut row) = (0, BTreeMap::new());
    let status = loop {
        let ended = trainer.try_wait()?;
        at = follow(&events, at, begin, &mut row);
        match ended {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(50)),
        }
    };
    for shard in &mut shards {
        shard.kill()?;
        shard.wait()?;
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let Some(first) = args.first() else {
        eprintln!("usage: mini DIR [--argument value ...]");
        return ExitCode::FAILURE;
    };
    if Role::from_name(first).is_some() {
        return rldeck_engine::main(&args);
    }
    let dir = fs::create_dir_all(first).and_then(|()| PathBuf::from(first).canonicalize());
    dir.and_then(|dir| run(&dir, &args[1..])).unwrap_or_else(|error| {
        eprintln!("{first}: {error}");
        ExitCode::FAILURE
    })
}
