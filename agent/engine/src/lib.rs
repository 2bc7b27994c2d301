//! The built-in engine: a real R1 in miniature, trained with GRPO on the CPU.
//!
//! A job is three kinds of process, each in a directory of its own (the shard contract, [`rldeck_core::shard`]): `prepare`
//! writes data and the cold start, then one `trainer` and any number of `rollout` shards work together over a Unix socket.
//! All three take the same arguments, named as slime names them.

mod argument;
mod checkpoint;
mod cold_start;
mod config;
mod device;
mod exchange;
mod fp8;
mod grpo;
mod learner;
mod model;
mod pack;
mod prepare;
mod random;
mod report;
mod rollout;
mod sampler;
mod stop;
mod task;
mod trainer;

use std::process::ExitCode;

use rldeck_core::shard::{Role, Severity};

pub use argument::{ARGUMENTS, Applies, Argument, Kind};

/// Exit code of a `prepare` that was told to stop: what a shell says of a process ended by SIGTERM.
const STOPPED: u8 = 143;

/// Runs one process of a job in the current directory: `prepare`, `trainer` or `rollout`, then its arguments.
pub fn main(role_and_args: &[String]) -> ExitCode {
    match run(role_and_args) {
        Ok(code) => code,
        Err(error) => {
            report::Reporter::new().notice(Severity::Error, error);
            ExitCode::FAILURE
        }
    }
}

fn run(role_and_args: &[String]) -> Result<ExitCode, String> {
    let (role, args) = role_and_args.split_first().ok_or("expected prepare, trainer or rollout")?;
    let role = Role::from_name(role).ok_or_else(|| format!("{role:?} is none of prepare, trainer, rollout"))?;
    let stop = stop::flag().map_err(|error| format!("cannot catch signals: {error}"))?;
    let given = argument::Given::parse(args)?;
    match role {
        Role::Prepare => match prepare::run(&config::Config::new(&given)?, &stop) {
            Ok(()) => {}
            Err(prepare::Unfinished::Stopped) => return Ok(ExitCode::from(STOPPED)),
            Err(prepare::Unfinished::Failed(error)) => return Err(error),
        },
        Role::Trainer => trainer::Trainer::new(given, stop)?.run(),
        Role::Rollout => rollout::run(&config::Config::new(&given)?, &stop),
        Role::Ray | Role::Driver => return Err(format!("{} is no part of the built-in engine", role.name())),
    }
    Ok(ExitCode::SUCCESS)
}
