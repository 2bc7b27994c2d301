//! The plan: which processes a run consists of, and what each one runs.

mod embedded;
pub mod ray;
mod slime;

use crate::{
    job::Engine,
    run::Run,
    shard::{ShardId, Spec},
};

/// The shards of the run's present attempt, the preparation first.
pub fn shards(run: &Run) -> Vec<Spec> {
    match run.job.as_ref() {
        None => Vec::new(),
        Some(job) if job.engine == Engine::Embedded => embedded::shards(run, job),
        Some(job) => slime::shards(run, job),
    }
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
