//! The command line: one file a subcommand.

mod act;
mod agent;
mod checkpoints;
mod cluster;
mod enroll;
mod import;
mod init;
mod leftovers;
mod local;
mod logs;
mod paint;
mod plan;
mod processes;
mod ray;
mod status;
mod table;
mod up;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use rldeck_agent::home::Home;

/// A terminal control console for reinforcement-learning jobs on GPU clusters.
///
/// Without a subcommand: runs the built-in job on this machine and opens the console on it.
#[derive(Debug, Parser)]
#[command(name = "rldeck", version, max_term_width = 100)]
struct Cli {
    /// Where controller, agents and runs keep their files [default: ~/.local/state/rldeck]
    #[arg(long, env = "RLDECK_HOME", global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Launch a job file and open the console on it
    Up(up::Up),
    /// Open the console on the controller of this machine
    Attach(up::Attach),
    /// Show what a job would be: layout, memory, findings and every command, starting nothing
    Plan(plan::PlanArgs),
    /// Say where the run stands
    Status(status::Status),
    /// List the checkpoints of the run, and which of them the next attempt goes on from
    Checkpoints(checkpoints::Checkpoints),
    /// List the processes of the run with their ranks and GPUs, and foreign ones on GPUs
    Processes(processes::Processes),
    /// Print what the shards print
    Logs(logs::Logs),
    /// List what earlier jobs have left running on the nodes, and end it on consent
    Leftovers(leftovers::Leftovers),
    /// Change arguments of the running job: `rldeck tune lr=1e-4 rollout-temperature=0.9`
    Tune(act::Tune),
    /// Stop the run and start its next attempt from the last checkpoint
    Restart(act::Restart),
    /// Stop the run; its last checkpoint is kept
    Stop(act::Stop),
    /// Start the next attempt of a run that was stopped or has failed
    Launch(act::Launch),
    /// End the controller and the agents of this machine; the run must stand still
    Down(act::Down),
    /// Print a recipe as a commented job file
    Init(init::Init),
    /// Make a job file of a slime launch script, running nothing of it
    Import(import::Import),
    /// Run an agent, or with --controller the controller and an agent beside it
    Agent(agent::Agent),
    /// Ask for a certificate on stdout, keep the one that comes on stdin; `rldeck up` runs it on other hosts
    #[command(hide = true)]
    Enroll(enroll::Enroll),
    /// Run a part of the built-in engine
    #[command(hide = true)]
    Engine(agent::Engine),
    /// Run a part of a slime job
    #[command(hide = true)]
    Ray(ray::Ray),
    /// Start an agent again whenever it is killed
    #[command(hide = true)]
    Keep(agent::Keep),
    /// Wait for a shard and write down how it ended
    #[command(hide = true)]
    Shim(agent::Shim),
}

/// Why a command could not do what it was asked for, in words for the operator.
type Failure = String;

/// Reads the command line and does what it says. 0: done; 1: could not be done; 2: it makes no sense.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    // Processes without runtime and home: they must start fast and depend on nothing.
    let command = match cli.command {
        Some(Command::Engine(engine)) => return engine.run(),
        Some(Command::Ray(ray)) => return ray.run(),
        Some(Command::Keep(keep)) => return keep.run(),
        Some(Command::Shim(shim)) => return shim.run(),
        Some(Command::Init(init)) => return finish(init.run()),
        Some(Command::Plan(plan)) => return finish(plan.run()),
        Some(Command::Import(import)) => return finish(import.run()),
        command => command,
    };
    let home = match Home::open(cli.home) {
        Ok(home) => home,
        Err(error) => return finish(Err(format!("the home of rldeck cannot be used: {error}"))),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return finish(Err(format!("no threads: {error}"))),
    };
    let code = finish(runtime.block_on(run(command, home)));
    // A reader of the terminal may still wait for a key.
    runtime.shutdown_background();
    code
}

async fn run(command: Option<Command>, home: Home) -> Result<ExitCode, Failure> {
    match command {
        None => up::Up::default().run(home).await,
        Some(Command::Up(up)) => up.run(home).await,
        Some(Command::Attach(attach)) => attach.run(home).await,
        Some(Command::Status(status)) => status.run(home).await,
        Some(Command::Checkpoints(checkpoints)) => checkpoints.run(home).await,
        Some(Command::Processes(processes)) => processes.run(home).await,
        Some(Command::Logs(logs)) => logs.run(home).await,
        Some(Command::Leftovers(leftovers)) => leftovers.run(home).await,
        Some(Command::Tune(tune)) => tune.run(home).await,
        Some(Command::Restart(restart)) => restart.run(home).await,
        Some(Command::Stop(stop)) => stop.run(home).await,
        Some(Command::Launch(launch)) => launch.run(home).await,
        Some(Command::Down(down)) => down.run(home).await,
        Some(Command::Agent(agent)) => agent.run(home).await,
        Some(Command::Enroll(enroll)) => enroll.run(home).await,
        Some(Command::Engine(_) | Command::Ray(_) | Command::Keep(_) | Command::Shim(_)) => Ok(ExitCode::SUCCESS),
        Some(Command::Init(_) | Command::Import(_) | Command::Plan(_)) => Ok(ExitCode::SUCCESS),
    }
}

fn finish(result: Result<ExitCode, Failure>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("rldeck: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a line; a reader that went away ends the program quietly.
fn say(line: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{}", line.as_ref()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
