//! Whole jobs with real processes, small enough for a test. The test program itself is what they run.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use rldeck_core::shard::{EVENTS, Event, Report, Severity, TUNE, Tune};

const SHAPE: &str = "--hidden-size 32 --num-layers 2 --moe-layer-freq [0,1] --num-attention-heads 2 --q-lora-rank 16 \
    --kv-lora-rank 16 --qk-head-dim 8 --qk-pos-emb-head-dim 8 --v-head-dim 8 --ffn-hidden-size 48 --moe-ffn-hidden-size 16 \
    --moe-shared-expert-intermediate-size 16 --num-experts 4 --moe-router-num-groups 2 --moe-router-group-topk 2";
/// No filter: an untrained model is always wrong, and its groups are trained on all the same (the KL pulls).
const JOB: &str = "--generate-data arithmetic --prompt-data ../train.jsonl --cold-start ../cold --cold-start-steps 30 \
    --load ../save --save ../save --exchange ../exchange.sock --num-rollout 10 --rollout-batch-size 4 \
    --n-samples-per-prompt 4 --rollout-max-response-len 24 --num-steps-per-rollout 2 --lr 1e-3 --use-kl-loss \
    --kl-loss-coef 0.1 --entropy-coef 0.01 --sglang-max-running-requests 8";

/// A job in a directory; what it started dies with it.
struct Job {
    dir: tempfile::TempDir,
    running: Vec<(String, Child)>,
}

impl Job {
    fn new() -> Job {
        let job = Job { dir: tempfile::tempdir().unwrap(), running: Vec::new() };
        let mut prepare = job.command("prepare", "prepare", "").spawn().unwrap();
        assert!(prepare.wait().unwrap().success(), "{}", job.log("prepare"));
        job
    }

    fn home(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, name: &str, role: &str, more: &str) -> Command {
        fs::create_dir_all(self.home(name)).unwrap();
        let log = fs::OpenOptions::new().create(true).append(true).open(self.home(name).join("out.log")).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "process", "--nocapture"]).env(WORDS, [role, SHAPE, JOB, more].join(" "));
        command.current_dir(self.home(name)).stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log);
        command
    }

    fn start(&mut self, name: &str, more: &str) {
        let role = name.split(['-', '.']).next().unwrap();
        let child = self.command(name, role, more).spawn().unwrap();
        self.running.push((name.to_owned(), child));
    }

    /// Trainer and two rollout shards.
    fn start_all(&mut self, trainer: &str, more: &str) {
        self.start(trainer, more);
        self.start("rollout-0", "--rank 0");
        self.start("rollout-1", "--rank 1");
    }

    fn child(&mut self, name: &str) -> &mut Child {
        &mut self.running.iter_mut().find(|(running, _)| running == name).unwrap().1
    }

    fn kill(&mut self, name: &str) {
        let at = self.running.iter().position(|(running, _)| running == name).unwrap();
        let (_, mut child) = self.running.remove(at);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks to stop; returns how long that took.
    fn stop(&mut self, name: &str) -> Duration {
        let begin = Instant::now();
        let pid = self.child(name).id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.wait(name);
        begin.elapsed()
    }

    fn wait(&mut self, name: &str) {
        let at = self.running.iter().position(|(running, _)| running == name).unwrap();
        let (_, mut child) = self.running.remove(at);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(60) {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{name}: {status}\n{}", self.log(name));
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        panic!("{name} does not end\n{}", self.log(name));
    }

    fn log(&self, name: &str) -> String {
        fs::read_to_string(self.home(name).join("out.log")).unwrap_or_default()
    }

    fn events(&self, name: &str) -> Vec<Report> {
        let text = fs::read_to_string(self.home(name).join(EVENTS)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok()).map(|event| event.report).collect()
    }

    fn until(&self, name: &str, what: &str, found: impl Fn(&Report) -> bool) {
        let begin = Instant::now();
        while !self.events(name).iter().any(&found) {
            assert!(begin.elapsed() < Duration::from_secs(60), "never {what}\n{}", self.log(name));
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// (rollout, step, value) of a metric.
    fn metric(&self, name: &str, metric: &str) -> Vec<(u64, Option<u64>, f64)> {
        let of = |report: Report| match report {
            Report::Metrics { rollout, step, values } => values.get(metric).map(|value| (rollout, step, *value)),
            _ => None,
        };
        self.events(name).into_iter().filter_map(of).collect()
    }

    fn weights(&self, rollout: u64) -> Vec<u8> {
        self.saved(rollout, "model.safetensors")
    }

    fn saved(&self, rollout: u64, file: &str) -> Vec<u8> {
        fs::read(self.dir.path().join(format!("save/iter_{rollout:07}")).join(file)).unwrap()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The words of a process's command line, when this program is to be one.
const WORDS: &str = "RLDECK_ENGINE_TEST_WORDS";

/// Not a test: what [`Job::command`] starts.
#[test]
fn process() {
    if let Ok(words) = std::env::var(WORDS) {
        let words: Vec<String> = words.split_whitespace().map(String::from).collect();
        let ended = rldeck_engine::main(&words);
        std::process::exit(if ended == ExitCode::SUCCESS { 0 } else { 1 });
    }
}

fn rollout_done(rollout: u64) -> impl Fn(&Report) -> bool {
    move |report| matches!(report, Report::Metrics { rollout: of, values, .. } if *of == rollout && values.contains_key("perf/step_time"))
}

/// Ten rollouts at one go are, to the last bit, five, a stop, and five more: with other shards, one of them killed.
#[test]
fn a_resumed_job_is_the_same_job() {
    let mut straight = Job::new();
    straight.start_all("trainer", "");
    straight.wait("trainer");

    let mut halting = Job::new();
    halting.start_all("trainer", "--save-interval 1000");
    halting.until("trainer", "rollout 4", rollout_done(4));
    let took = halting.stop("trainer");
    assert!(took < Duration::from_millis(700), "stopping took {took:?}");
    let first = halting.metric("trainer", "rollout/sampled_reward");
    halting.start("trainer.2", "");
    halting.until("trainer.2", "a rollout", |report| matches!(report, Report::Funnel(_)));
    halting.kill("rollout-0");
    halting.wait("trainer.2");
    let second = halting.metric("trainer.2", "rollout/sampled_reward");

    let notices = halting.events("trainer.2");
    let gone =
        |report: &Report| matches!(report, Report::Notice { text, .. } if text.starts_with("rollout shard 0 is gone"));
    assert!(notices.iter().any(gone), "the lost shard is named");
    let last = halting.saved(9, "rldeck_state.json");
    assert_eq!(last, straight.saved(9, "rldeck_state.json"), "progress and checksums of all files");
    assert_eq!(halting.weights(9), straight.weights(9));
    // What was sampled in vain when the stop came may be told twice, but only what was trained counts once.
    let resumed = second[0].0;
    assert!(first.iter().any(|(rollout, ..)| rollout + 1 == resumed), "{first:?} then {second:?}");
    let steps = |job: &Job, name: &str| job.metric(name, "train/loss");
    let both: Vec<_> = steps(&halting, "trainer").into_iter().chain(steps(&halting, "trainer.2")).collect();
    assert_eq!(both, steps(&straight, "trainer"), "every step once, with the same loss");
}

#[test]
fn lr_0_freezes_the_weights_from_the_acknowledged_step_on() {
    let mut job = Job::new();
    job.start_all("trainer", "--num-rollout 100000 --save-interval 1");
    job.until("trainer", "rollout 1", rollout_done(1));
    let tune = |version: u64, set: &[(&str, &str)]| {
        let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let aside = job.home("trainer").join("tune.partial");
        fs::write(&aside, serde_json::to_vec(&Tune { version, set, ..Tune::default() }).unwrap()).unwrap();
        fs::rename(aside, job.home("trainer").join(TUNE)).unwrap();
    };
    tune(1, &[("lr", "0"), ("rollout-temperature", "0.1"), ("hidden-size", "64"), ("eps-clip", "x")]);
    job.until("trainer", "an acknowledgement", |report| matches!(report, Report::Tuned { version: 1, .. }));
    let found = job.events("trainer").into_iter().find_map(|report| match report {
        Report::Tuned { step, rollout, set, refused, .. } => Some((step, rollout, set, refused)),
        _ => None,
    });
    let (step, rollout, set, refused) = found.unwrap();
    assert_eq!(set.keys().collect::<Vec<_>>(), ["lr", "rollout-temperature"]);
    assert_eq!(refused.keys().collect::<Vec<_>>(), ["eps-clip", "hidden-size"]);
    job.until("trainer", "three more rollouts", rollout_done(rollout + 3));
    assert_eq!(job.weights(rollout + 1), job.weights(rollout + 3));
    let norms = job.metric("trainer", "train/weight_norm");
    let frozen: Vec<f64> = norms.iter().filter(|(_, at, _)| *at >= Some(step)).map(|(.., norm)| *norm).collect();
    assert!(frozen.len() > 2 && frozen.iter().all(|norm| *norm == frozen[0]), "{norms:?} from step {step}");
    assert_ne!(norms[0].2, norms[1].2, "it did learn before");
    let entropy = job.metric("trainer", "train/entropy_loss");
    let mean = |cold: bool| {
        let values: Vec<f64> = entropy.iter().filter(|(of, ..)| (*of >= rollout) == cold).map(|(.., x)| *x).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    assert!(mean(true) < 0.9 * mean(false), "a lower temperature, a lower entropy: {entropy:?}");
    // Taken back: what is not in the file is as the command line has it.
    tune(2, &[]);
    job.until("trainer", "an acknowledgement", |report| matches!(report, Report::Tuned { version: 2, .. }));
    job.stop("trainer");
    assert!(job.metric("trainer", "train/lr-pg_0").iter().any(|(.., lr)| *lr == 0.0));
}

#[test]
fn a_truncated_checkpoint_is_said_and_the_one_before_is_used() {
    let mut job = Job::new();
    job.start_all("trainer", "--num-rollout 4 --save-interval 2");
    job.wait("trainer");
    let path = job.dir.path().join("save/iter_0000003/optimizer.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    job.start("trainer.2", "--num-rollout 6");
    job.wait("trainer.2");
    let damaged = |report: &Report| matches!(report, Report::Notice { severity: Severity::Error, text } if text.contains("iter_0000003/optimizer.safetensors"));
    assert!(job.events("trainer.2").iter().any(damaged), "{}", job.log("trainer.2"));
    assert_eq!(job.metric("trainer.2", "rollout/sampled_reward")[0].0, 2);
    assert_eq!(fs::read_to_string(job.dir.path().join("save/latest_checkpointed_iteration.txt")).unwrap(), "5");
}

#[test]
fn mistakes_are_named() {
    let job = Job { dir: tempfile::tempdir().unwrap(), running: Vec::new() };
    for (more, expected) in [
        ("--learning-rat 1", "unknown argument --learning-rat; the nearest known is --"),
        ("--lr fast", "--lr: expected a number from 0 to 10, not \"fast\""),
        ("--prompt-data /nowhere/x.jsonl", "cannot read /nowhere/x.jsonl"),
        ("--cold-start /nowhere", "run `prepare` with the same arguments first"),
        ("--num-experts 5", "--num-experts must be a multiple"),
        ("--over-sampling-batch-size 1", "--over-sampling-batch-size must be at least"),
    ] {
        let status = job.command("trainer", "trainer", more).status().unwrap();
        assert!(!status.success());
        let errors = job.events("trainer");
        let Some(Report::Notice { severity: Severity::Error, text }) = errors.last() else {
            panic!("{more}: no notice")
        };
        // Without a cold start every trainer fails with that, unless it fails before.
        assert!(text.contains(expected) || text.contains("run `prepare`"), "{more}: {text}");
        fs::remove_file(job.home("trainer").join(EVENTS)).unwrap();
    }
}
