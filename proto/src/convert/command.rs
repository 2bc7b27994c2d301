use rldeck_core::{
    process::Foreign,
    run::{Action, Command, Outcome, Request},
    shard::Tune,
};

use super::{alike, part};
use crate::{
    Malformed,
    wire::{self, act_request, down},
};

alike!(Outcome, ActReply { accepted, text, tune });
alike!(Foreign, Foreign { pid, start_ticks, boot_id, title, user, age, gpu, gpu_memory });

impl From<Request> for wire::ActRequest {
    fn from(Request { id, who, action }: Request) -> Self {
        use act_request::Action as Wire;
        let action = match action {
            Action::Launch { text, file, vars, hosts } => Wire::Launch(wire::Launch { text, file, vars, hosts }),
            Action::Restart { from } => Wire::Restart(wire::Restart { from }),
            Action::Stop => Wire::Stop(wire::StopRun {}),
            Action::Tune(set) => Wire::Tune(wire::Tune { set }),
            Action::Sweep { node, processes } => {
                Wire::Sweep(wire::Sweep { node, processes: processes.into_iter().map(Into::into).collect() })
            }
        };
        wire::ActRequest { id, who, action: Some(action) }
    }
}

/// [`act_request::Action::Shutdown`] is for the controller's process, not for the run.
impl TryFrom<wire::ActRequest> for Request {
    type Error = Malformed;

    fn try_from(wire::ActRequest { id, who, action }: wire::ActRequest) -> Result<Self, Malformed> {
        use act_request::Action as Wire;
        let action = match action.ok_or(Malformed("an action"))? {
            Wire::Launch(wire::Launch { text, file, vars, hosts }) => Action::Launch { text, file, vars, hosts },
            Wire::Restart(wire::Restart { from }) => Action::Restart { from },
            Wire::Stop(_) => Action::Stop,
            Wire::Tune(wire::Tune { set }) => Action::Tune(set),
            Wire::Sweep(wire::Sweep { node, processes }) => Action::Sweep { node, processes: all(processes)? },
            Wire::Shutdown(_) => return Err(Malformed("an action on the run")),
        };
        match id.is_empty() {
            true => Err(Malformed("a request id")),
            false => Ok(Request { id, who, action }),
        }
    }
}

/// A command for the agent of a shard of this run.
impl From<(&str, Command)> for wire::Down {
    fn from((run, command): (&str, Command)) -> Self {
        use down::Message as Wire;
        let run = run.to_owned();
        let message = match command {
            Command::Start(spec) => Wire::Start(spec.into()),
            Command::Stop { id, grace } => Wire::Stop(wire::Stop { id: Some(id.into()), grace_ms: grace, run }),
            Command::Tune { id, tune: Tune { version, set, from } } => {
                Wire::Tune(wire::TuneShard { id: Some(id.into()), version, set, run, from })
            }
            Command::Sweep(processes) => Wire::Sweep(wire::Sweep {
                node: String::new(),
                processes: processes.into_iter().map(Into::into).collect(),
            }),
        };
        wire::Down { message: Some(message) }
    }
}

impl TryFrom<wire::Sweep> for Command {
    type Error = Malformed;

    fn try_from(wire::Sweep { processes, .. }: wire::Sweep) -> Result<Self, Malformed> {
        Ok(Command::Sweep(all(processes)?))
    }
}

fn all(processes: Vec<wire::Foreign>) -> Result<Vec<Foreign>, Malformed> {
    processes.into_iter().map(Foreign::try_from).collect()
}

impl TryFrom<wire::TuneShard> for Command {
    type Error = Malformed;

    fn try_from(wire::TuneShard { id, version, set, from, .. }: wire::TuneShard) -> Result<Self, Malformed> {
        Ok(Command::Tune { id: part(id, "a shard")?, tune: Tune { version, set, from } })
    }
}

impl TryFrom<wire::Stop> for Command {
    type Error = Malformed;

    fn try_from(wire::Stop { id, grace_ms, .. }: wire::Stop) -> Result<Self, Malformed> {
        Ok(Command::Stop { id: part(id, "a shard")?, grace: grace_ms })
    }
}
