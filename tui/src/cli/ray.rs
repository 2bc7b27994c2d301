use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use rldeck_agent::backend::slime::{self, Driver, Node};

/// What a shard of a slime job runs.
#[derive(Debug, Args)]
pub(super) struct Ray {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Become a node of the Ray cluster
    Node(NodeArgs),
    /// Submit the job and follow it
    Job(JobArgs),
}

#[derive(Debug, Args)]
struct NodeArgs {
    /// Wait until this HOST:PORT can be reached
    #[arg(long)]
    after: Option<String>,
    /// The --temp-dir of the command
    #[arg(long)]
    scratch: Option<PathBuf>,
    #[arg(last = true, required = true)]
    argv: Vec<String>,
}

#[derive(Debug, Args)]
struct JobArgs {
    #[arg(long)]
    address: String,
    #[arg(long)]
    submission: String,
    #[arg(long)]
    entrypoint: String,
    #[arg(long = "node")]
    nodes: Vec<String>,
    #[arg(long)]
    checkpoints: Option<PathBuf>,
    #[arg(long, default_value_t = 0)]
    rollouts: u64,
    #[arg(long)]
    logs: Option<PathBuf>,
}

impl Ray {
    pub(super) fn run(self) -> ExitCode {
        match self.part {
            Part::Node(NodeArgs { after, scratch, argv }) => slime::start(&Node { after, scratch, argv }),
            Part::Job(JobArgs { address, submission, entrypoint, nodes, checkpoints, rollouts, logs }) => {
                // In the environment and not in arguments: those can be read by everybody.
                let env = std::env::var("RLDECK_JOB_ENV").ok().and_then(|text| serde_json::from_str(&text).ok());
                let env = env.unwrap_or_default();
                let token = std::env::var("RAY_AUTH_TOKEN").ok();
                slime::drive(&Driver {
                    address,
                    token,
                    submission,
                    entrypoint,
                    env,
                    nodes,
                    checkpoints,
                    rollouts,
                    logs,
                })
            }
        }
    }
}
