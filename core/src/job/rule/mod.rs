//! What must hold between arguments.
//!
//! Each file has the rules of one idea as a table; what is said about a job, what `allow` may name and what the
//! operator can look up all come from these tables.

mod attention;
mod batch;
mod built_in;
mod case;
mod checkpoint;
mod expert;
mod facts;
mod known;
mod law;
mod layout;
mod loss;
mod memory;
mod model;
mod network;
mod placement;
mod recompute;
mod resume;
mod schedule;
mod sglang;
mod speculative;
mod stage;
mod tokens;
mod written;

use case::Case;
use law::Law;

use super::Job;
use crate::{
    finding::{Finding, Rule},
    shard::Severity,
};

pub use facts::{Checkpoints, Facts};
pub(super) use written::Written;

/// The tables, in the order in which they are judged.
const TABLES: [&[Law]; 19] = [
    batch::LAWS,
    tokens::LAWS,
    loss::LAWS,
    checkpoint::LAWS,
    model::LAWS,
    built_in::LAWS,
    placement::LAWS,
    layout::LAWS,
    stage::LAWS,
    expert::LAWS,
    sglang::LAWS,
    attention::LAWS,
    speculative::LAWS,
    memory::LAWS,
    recompute::LAWS,
    schedule::LAWS,
    resume::LAWS,
    network::LAWS,
    network::FAULTS,
];

/// All rules.
pub(crate) fn rules() -> Vec<Rule> {
    TABLES.into_iter().flatten().map(|law| law.rule).collect()
}

/// Checks a job: each argument by itself, then all rules.
pub(super) fn check(job: &Job, written: &Written, facts: &Facts) -> Vec<Finding> {
    let mut findings = known::check(job, written);
    let broken = judge(job, written, facts, None);
    findings.extend(broken.into_iter().filter_map(|finding| allowed(job, finding)));
    findings
}

/// The rules, or only some of them, that a job breaks, whatever it allows.
fn judge(job: &Job, written: &Written, facts: &Facts, only: Option<&[&str]>) -> Vec<Finding> {
    let case = Case::new(job, facts);
    let mut findings = Vec::new();
    for Law { rule, scope, names, judge } in TABLES.into_iter().flatten() {
        if only.is_none_or(|ids| ids.contains(&rule.id))
            && case.is(*scope)
            && written.clear(names)
            && let Some(text) = judge(&case)
        {
            let id = Some(rule.id.to_owned());
            findings.push(Finding { id, severity: rule.severity, place: written.first(names), text });
        }
    }
    findings
}

/// What becomes of a finding whose rule the job allows to be broken: an error is still told, as a warning; the rest
/// need not be told again.
fn allowed(job: &Job, mut finding: Finding) -> Option<Finding> {
    if !finding.id.as_ref().is_some_and(|id| job.allow.contains(id)) {
        return Some(finding);
    }
    if finding.severity != Severity::Error {
        return None;
    }
    finding.severity = Severity::Warning;
    finding.text.push_str(" (allowed: it does not keep the job from being launched)");
    Some(finding)
}

impl Job {
    /// All that is to be said about the job with what is known about its nodes, without lines of a file.
    pub fn findings(&self, facts: &Facts) -> Vec<Finding> {
        check(self, &Written::default(), facts)
    }

    /// Those of the rules `ids` that it breaks, whether or not it allows that.
    pub(crate) fn broken(&self, facts: &Facts, ids: &[&str]) -> Vec<Finding> {
        judge(self, &Written::default(), facts, Some(ids))
    }
}
