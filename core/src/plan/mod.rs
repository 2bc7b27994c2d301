//! The plan: which processes a run consists of, and what each one runs.

pub mod ray;

use crate::{
    run::Run,
    shard::{Role, ShardId, Spec},
};

/// The shards of the run's present attempt, the preparation first.
pub fn shards(run: &Run) -> Vec<Spec> {
    let Some(job) = &run.job else { return Vec::new() };
    let arguments = job.argv(&run.in_force());
    let exchange = format!("{}/attempt-{}/exchange.sock", run.dir(&run.id), run.attempt);
    // The trainer's node gets the first rollout shard, the next node the second, and so on around.
    let node = |rank: u32| run.hosts.get(rank as usize % run.hosts.len().max(1)).cloned().unwrap_or_default();
    let shard = |role: Role, rank: u32, name: String, own: &[(&str, String)]| {
        let mut argv = vec!["rldeck".to_owned(), "engine".to_owned(), role.name().to_owned()];
        for (name, value) in own {
            argv.extend([format!("--{name}"), value.clone()]);
        }
        argv.extend(arguments.iter().cloned());
        let id = ShardId { attempt: run.attempt, name, life: 0 };
        let nonce = nonce(run, &id);
        Spec { run: run.id.clone(), node: node(rank), role, rank, argv, env: job.env.clone(), nonce, id, scratch: None }
    };
    let exchanged = ("exchange", exchange);
    let mut shards = vec![
        shard(Role::Prepare, 0, "prepare".to_owned(), &[]),
        shard(Role::Trainer, 0, "trainer".to_owned(), std::slice::from_ref(&exchanged)),
    ];
    shards.extend((0..job.cluster.rollout_shards).map(|rank| {
        shard(Role::Rollout, rank, format!("rollout-{rank}"), &[("rank", rank.to_string()), exchanged.clone()])
    }));
    shards
}

/// What one shard of the present attempt runs, in any of its lives.
pub fn spec(run: &Run, id: &ShardId) -> Option<Spec> {
    let spec = shards(run).into_iter().find(|spec| spec.id.attempt == id.attempt && spec.id.name == id.name)?;
    Some(Spec { nonce: nonce(run, id), id: id.clone(), ..spec })
}

/// Unique on every node, and the same when the controller starts again: the launch time tells runs of other homes apart.
fn nonce(run: &Run, id: &ShardId) -> String {
    format!("{}:{:x}:{}", run.id, run.launched, id.dir())
}
