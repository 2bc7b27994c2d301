use std::collections::BTreeMap;

use super::{
    nonce,
    ray::{self, Start, TOKEN, bracketed, dashboard},
};
use crate::{
    job::{Job, Paths},
    run::Run,
    shard::{Role, ShardId, Spec},
};

/// What Megatron's scheduler compares with the checkpoint that it resumes from, and refuses when it differs.
const SCHEDULED: [&str; 12] = [
    "lr",
    "min-lr",
    "weight-decay",
    "lr-decay-style",
    "lr-decay-iters",
    "lr-warmup-iters",
    "lr-warmup-fraction",
    "num-rollout",
    "rollout-batch-size",
    "n-samples-per-prompt",
    "num-steps-per-rollout",
    "global-batch-size",
];

/// The shards of a run of slime: a node of the Ray cluster on every host, and the driver on the first.
pub(super) fn shards(run: &Run, job: &Job) -> Vec<Spec> {
    // Short: the sockets that Ray keeps there have at most 107 bytes. And of this attempt alone.
    let scratch = format!("/tmp/rldeck-{:08x}-{}", hash(&format!("{}{}", run.id, run.launched)), run.attempt);
    let job = &Job { slime: Paths { temp_dir: Some(scratch.clone()), ..job.slime.clone() }, ..job.clone() };
    let overrides = run.in_force();
    let launch = ray::launch(job, &overrides, &run.hosts, &resume(run));
    let starts: Vec<&Start> = std::iter::once(&launch.head).chain(&launch.workers).collect();
    let steps = job.with(&overrides).value("num-steps-per-rollout").unwrap_or_default();
    let spec = |role: Role, rank: u32, name: String, node: &str, argv: Vec<String>, env, scratch| {
        let id = ShardId { attempt: run.attempt, name, life: 0 };
        let nonce = nonce(run, &id);
        Spec { run: run.id.clone(), node: node.to_owned(), role, rank, argv, env, nonce, id, scratch }
    };
    let mut shards = Vec::new();
    for (rank, start) in (0..).zip(&starts) {
        // Its own on each node, also where nodes share a machine.
        let own = format!("{scratch}-{rank}");
        let mut argv = rldeck(["ray", "node", "--scratch", &own]);
        if rank > 0 {
            argv.extend(["--after".to_owned(), format!("{}:{}", bracketed(&starts[0].host), job.slime.gcs_port)]);
        }
        argv.push("--".to_owned());
        let of_all = format!("--temp-dir={scratch}");
        argv.extend(start.full_argv().into_iter().map(|word| match word == of_all {
            true => format!("--temp-dir={own}"),
            false => word,
        }));
        let mut env = env_of(start, &run.secret);
        env.insert("RLDECK_STEPS_PER_ROLLOUT".to_owned(), steps.clone());
        shards.push(spec(Role::Ray, rank, format!("ray-{rank}"), &start.host, argv, env, Some(own)));
    }
    let mut env_vars = launch.env_vars.clone();
    env_vars.extend(launch.added.env_vars.clone());
    let address = format!("http://{}", dashboard(&job.slime));
    let submission = format!("{}-{}", run.id, run.attempt);
    let mut argv = rldeck(["ray", "job", "--address", &address, "--submission", &submission]);
    argv.extend(["--entrypoint".to_owned(), launch.entrypoint.clone()]);
    for start in &starts {
        argv.extend(["--node".to_owned(), start.host.clone()]);
    }
    if let Some(dir) = job.value("load").or_else(|| job.value("save")) {
        argv.extend(["--checkpoints".to_owned(), dir]);
    }
    argv.extend(["--rollouts".to_owned(), run.num_rollout().to_string()]);
    argv.extend(["--logs".to_owned(), format!("{scratch}-0/session_latest/logs")]);
    // In the environment: arguments can be read by everybody on the host, and these may hold keys.
    let env_vars = serde_json::to_string(&env_vars).unwrap_or_default();
    let env =
        BTreeMap::from([("RAY_AUTH_TOKEN".to_owned(), run.secret.clone()), ("RLDECK_JOB_ENV".to_owned(), env_vars)]);
    shards.push(spec(Role::Driver, 0, "driver".to_owned(), &starts[0].host, argv, env, None));
    shards
}

/// What the present attempt needs to go on where it is meant to.
fn resume(run: &Run) -> Vec<String> {
    let mut argv = Vec::new();
    let Some(checkpoint) = &run.checkpoint else { return argv };
    if run.chosen {
        argv.extend(["--ckpt-step".to_owned(), checkpoint.rollout.to_string()]);
    }
    // The checkpoint may hold the old value or the new one; the bridge sets the new one again at the first step.
    if run.tuning.set.keys().any(|name| SCHEDULED.contains(&name.as_str())) {
        argv.push("--use-checkpoint-opt_param-scheduler".to_owned());
    }
    argv
}

fn env_of(start: &Start, secret: &str) -> BTreeMap<String, String> {
    let value = |value: &String| if value == TOKEN { secret.to_owned() } else { value.clone() };
    start.added.env.iter().map(|(name, text)| (name.clone(), value(text))).collect()
}

fn rldeck<const N: usize>(words: [&str; N]) -> Vec<String> {
    std::iter::once("rldeck").chain(words).map(str::to_owned).collect()
}

/// FNV-1a: names a run in a few letters.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
