use std::{net::SocketAddr, path::PathBuf, pin::pin, process::ExitCode, time::Duration};

use clap::Args;
use rldeck_agent::{
    controller,
    home::{self, Home},
    keep, node, shard,
};

use tokio::time::timeout;

use super::Failure;

/// A controller and the agent beside it end together, within this time.
const TOGETHER: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Agent {
    /// Name of this node in jobs
    #[arg(long, default_value = "node0")]
    node: String,
    /// Also be the controller
    #[arg(long)]
    controller: bool,
    /// Where the controller listens for agents; port 0 takes the one it had before, or any
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS:PORT", requires = "controller")]
    listen: SocketAddr,
}

impl Agent {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        // A full disk must not end an agent that has something to say.
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).log_internal_errors(false).init();
        let agent_lock = home::lock(&home.path().join(format!("{}.lock", self.node)));
        let _agent_lock = match agent_lock
            .map_err(|error| format!("{} cannot be written: {error}", home.path().display()))?
        {
            Some(lock) => lock,
            None => return Ok(useless(&format!("an agent `{}` runs in {} already", self.node, home.path().display()))),
        };
        let agent = node::Agent { home: home.clone(), node: self.node.clone() };
        if !self.controller {
            agent.run().await;
            return Ok(ExitCode::SUCCESS);
        }
        let controller_lock = home::lock(&home.lock());
        let _controller_lock = match controller_lock
            .map_err(|error| format!("{} cannot be written: {error}", home.path().display()))?
        {
            Some(lock) => lock,
            None => {
                return Ok(useless(&format!(
                    "a controller runs in {} already; `rldeck attach` opens a console on it, or set RLDECK_HOME to another directory",
                    home.path().display()
                )));
            }
        };
        let agent = tokio::spawn(agent.run());
        let mut controller = pin!(controller::run(home, self.listen));
        tokio::select! {
            ended = &mut controller => ended?,
            // Both end when they are shut down; one without the other is of no use, and the keeper starts them again.
            _ = agent => match timeout(TOGETHER, controller).await {
                Ok(ended) => ended?,
                Err(_) => return Err("the agent beside the controller has ended".to_owned()),
            },
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Says why this agent is not needed; its keeper does not start it again.
fn useless(why: &str) -> ExitCode {
    eprintln!("rldeck: {why}");
    ExitCode::from(keep::USELESS)
}

#[derive(Debug, Args)]
pub(super) struct Keep {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Keep {
    pub(super) fn run(self) -> ExitCode {
        keep::keep(&self.arguments)
    }
}

#[derive(Debug, Args)]
pub(super) struct Shim {
    dir: PathBuf,
}

impl Shim {
    pub(super) fn run(self) -> ExitCode {
        shard::shim(&self.dir)
    }
}

#[derive(Debug, Args)]
pub(super) struct Engine {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Engine {
    pub(super) fn run(self) -> ExitCode {
        rldeck_engine::main(&self.arguments)
    }
}
