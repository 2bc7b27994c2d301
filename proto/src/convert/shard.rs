use rldeck_core::{
    run::{ShardReport, ShardState, State},
    shard::{Role, Severity, ShardId, Spec},
};

use super::{named, part};
use crate::{
    Malformed,
    wire::{self, shard_state},
};

named!(State, State { Idle, Preparing, Starting, Running, Stopping, Stopped, Failed, Finished });
named!(Severity, Severity { Info, Warning, Error });

impl From<Role> for wire::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Prepare => wire::Role::Prepare,
            Role::Trainer => wire::Role::Trainer,
            Role::Rollout => wire::Role::Rollout,
            Role::Ray => wire::Role::Ray,
            Role::Driver => wire::Role::Driver,
        }
    }
}

impl TryFrom<wire::Role> for Role {
    type Error = Malformed;

    fn try_from(role: wire::Role) -> Result<Self, Malformed> {
        match role {
            wire::Role::Unspecified => Err(Malformed("a role")),
            wire::Role::Prepare => Ok(Role::Prepare),
            wire::Role::Trainer => Ok(Role::Trainer),
            wire::Role::Rollout => Ok(Role::Rollout),
            wire::Role::Ray => Ok(Role::Ray),
            wire::Role::Driver => Ok(Role::Driver),
        }
    }
}

impl From<ShardId> for wire::ShardId {
    fn from(ShardId { attempt, name, life }: ShardId) -> Self {
        wire::ShardId { attempt, name, life }
    }
}

impl TryFrom<wire::ShardId> for ShardId {
    type Error = Malformed;

    /// The name becomes a directory: it must not lead anywhere else.
    fn try_from(wire::ShardId { attempt, name, life }: wire::ShardId) -> Result<Self, Malformed> {
        let id = ShardId { attempt, name, life };
        match ShardId::from_dir(&id.dir()) == Some(id.clone()) && !id.name.starts_with('.') {
            true => Ok(id),
            false => Err(Malformed("a proper shard name")),
        }
    }
}

impl From<ShardState> for wire::ShardState {
    fn from(state: ShardState) -> Self {
        use shard_state::State;
        let state = match state {
            ShardState::Starting => State::Starting(wire::Starting {}),
            ShardState::Running => State::Running(wire::Running {}),
            ShardState::Stopping => State::Stopping(wire::Stopping {}),
            ShardState::Exited { code, error } => State::Exited(wire::Exited { code, error }),
            ShardState::Killed { signal } => State::Killed(signal),
            ShardState::Lost => State::Lost(wire::LostState {}),
        };
        wire::ShardState { state: Some(state) }
    }
}

impl TryFrom<wire::ShardState> for ShardState {
    type Error = Malformed;

    fn try_from(state: wire::ShardState) -> Result<Self, Malformed> {
        use shard_state::State;
        Ok(match state.state.ok_or(Malformed("a shard state"))? {
            State::Starting(_) => ShardState::Starting,
            State::Running(_) => ShardState::Running,
            State::Stopping(_) => ShardState::Stopping,
            State::Exited(wire::Exited { code, error }) => ShardState::Exited { code, error },
            State::Killed(signal) => ShardState::Killed { signal },
            State::Lost(_) => ShardState::Lost,
        })
    }
}

impl From<ShardReport> for wire::ShardReport {
    fn from(ShardReport { id, state, pid }: ShardReport) -> Self {
        wire::ShardReport { id: Some(id.into()), state: Some(state.into()), pid }
    }
}

impl TryFrom<wire::ShardReport> for ShardReport {
    type Error = Malformed;

    fn try_from(wire::ShardReport { id, state, pid }: wire::ShardReport) -> Result<Self, Malformed> {
        Ok(ShardReport { id: part(id, "a shard")?, state: part(state, "a shard state")?, pid })
    }
}

impl From<Spec> for wire::Spec {
    fn from(Spec { run, id, node, role, rank, argv, env, nonce, scratch }: Spec) -> Self {
        let role = wire::Role::from(role).into();
        wire::Spec { run, id: Some(id.into()), node, role, rank, argv, env, nonce, scratch }
    }
}

impl TryFrom<wire::Spec> for Spec {
    type Error = Malformed;

    fn try_from(spec: wire::Spec) -> Result<Self, Malformed> {
        let role = spec.role().try_into()?;
        let wire::Spec { run, id, node, rank, argv, env, nonce, scratch, .. } = spec;
        Ok(Spec { run, id: part(id, "a shard")?, node, role, rank, argv, env, nonce, scratch })
    }
}
