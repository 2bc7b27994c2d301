//! Colours of what the job is made of: phases, roles, severities.

use rldeck_core::{
    deck::Deck,
    shard::{Role, Severity, ShardId},
};

use crate::console::theme::Meaning;

/// The colour of a phase.
pub(super) fn phase(name: &str) -> Meaning {
    match name {
        "generate" | "rollout" => Meaning::PhaseGenerate,
        "logprob" | "ref" | "filter" | "reward" | "score" => Meaning::PhaseScore,
        "train" => Meaning::PhaseTrain,
        "sync" | "weights" | "load" => Meaning::PhaseSync,
        "save" => Meaning::PhaseSave,
        "eval" => Meaning::PhaseEval,
        _ => Meaning::PhaseOther,
    }
}

/// The colour of a shard's name.
pub(super) fn shard(deck: &Deck, id: &ShardId) -> Meaning {
    let role = deck.shards.get(id).map(|shard| shard.role);
    match role.or_else(|| Role::from_name(id.name.split('-').next().unwrap_or_default())) {
        Some(Role::Prepare) => Meaning::RolePrepare,
        Some(Role::Trainer | Role::Driver) => Meaning::RoleTrainer,
        Some(Role::Rollout) => Meaning::RoleRollout,
        Some(Role::Ray) => Meaning::RolePrepare,
        None => Meaning::Text,
    }
}

/// A mark before a line, and its colour.
pub(super) fn severity(severity: Severity) -> (&'static str, Meaning) {
    match severity {
        Severity::Info => (" ", Meaning::Text),
        Severity::Warning => ("!", Meaning::Warn),
        Severity::Error => ("✗", Meaning::Bad),
    }
}
