use super::nonce;
use crate::{
    job::Job,
    run::Run,
    shard::{Role, ShardId, Spec},
};

/// The shards of a run of the built-in engine.
pub(super) fn shards(run: &Run, job: &Job) -> Vec<Spec> {
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
