//! Checkpoints on disk.

use super::{Group, Parameters, Term, gpu::width, number::grouped};
use crate::{job::Job, layout::count};

/// One checkpoint, and all that the job leaves.
pub(super) fn terms(job: &Job, parameters: &Parameters) -> Vec<Term> {
    let all = parameters.total() + parameters.further * parameters.further_layer();
    let written = grouped(all);
    let mut terms =
        vec![Term::new(Group::Checkpoint, "weights, bf16", all * 2, format!("{written} parameters x 2 bytes"))];
    if !job.flag("no-save-optim") {
        let states = ["main-params-dtype", "exp-avg-dtype", "exp-avg-sq-dtype"].map(|name| width(job, name));
        let each: u64 = states.iter().sum();
        terms.push(Term::new(
            Group::Checkpoint,
            "optimizer: master weights and two moments",
            all * each,
            format!("{written} parameters x ({} + {} + {}) bytes", states[0], states[1], states[2]),
        ));
    }
    if job.value("save").is_some()
        && let (Some(every), Some(rollouts)) = (count(job, "save-interval"), count(job, "num-rollout"))
    {
        let each: u64 = terms.iter().map(|term| term.bytes).sum();
        // After each interval, and after the last rollout in any case.
        let (every, name) = match count(job, "save-retain-interval") {
            Some(retained) => (retained.max(every), "checkpoints at the end: the others are removed"),
            None => (every, "checkpoints at the end: none is removed"),
        };
        let times = rollouts.div_ceil(every);
        let formula = format!("{times} checkpoints ({rollouts} rollouts, one every {every}) x {} bytes", grouped(each));
        terms.push(Term::new(Group::Kept, name, each.saturating_mul(times), formula));
    }
    terms
}
