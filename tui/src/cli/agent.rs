use std::{net::SocketAddr, path::PathBuf, pin::pin, process::ExitCode, time::Duration};

use clap::Args;
use rldeck_agent::{
    controller::{self, Listen},
    detach::{self, Started},
    home::{self, Home},
    keep, node, shard,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};

use super::{Failure, say};

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
    /// Where the controller listens for agents, as often as you like: on the loopback for those of this home, elsewhere for
    /// those of other machines, over TLS. Port 0 takes the one it had before, or any [default: 127.0.0.1:0]
    #[arg(long, value_name = "ADDRESS:PORT", requires = "controller")]
    listen: Vec<SocketAddr>,
    /// Demand TLS at every --listen, on the loopback too
    #[arg(long, requires = "listen", hide = true)]
    only_tls: bool,
    /// Join the controller of this home, whoever has enrolled this node before
    #[arg(long, hide = true)]
    local: bool,
    /// Start it in the background, unless an agent of this version runs already
    #[arg(long, hide = true, conflicts_with = "controller")]
    detach: bool,
}

impl Agent {
    /// Those on the loopback are for this home, the others for other machines.
    fn listens(&self) -> Result<Listen, Failure> {
        let is_plain = |address: &&SocketAddr| address.ip().is_loopback() && !self.only_tls;
        let mut plain = self.listen.iter().filter(is_plain).copied();
        let first = plain.next().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
        match plain.next() {
            Some(second) => Err(format!("agents of this home need one address: give {first} or {second}, not both")),
            None => Ok(Listen {
                plain: first,
                tls: self.listen.iter().filter(|address| !is_plain(address)).copied().collect(),
            }),
        }
    }

    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        if self.detach {
            let more = if self.local { &["--local"][..] } else { &[] };
            say(match detach::ensure(&home, &self.node, more)? {
                Started::New => "started",
                Started::Instead => "instead",
                Started::There => "there",
            });
            return Ok(ExitCode::SUCCESS);
        }
        // A full disk must not end an agent that has something to say.
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).log_internal_errors(false).init();
        let agent_lock = detach::claim(&home, &self.node);
        let _agent_lock = match agent_lock
            .map_err(|error| format!("{} cannot be written: {error}", home.path().display()))?
        {
            Some(lock) => lock,
            None => return Ok(useless(&format!("an agent `{}` runs in {} already", self.node, home.path().display()))),
        };
        let local = self.local || self.controller;
        let agent = node::Agent { home: home.clone(), node: self.node.clone(), local };
        if !self.controller {
            // Who is asked to end has done what it was asked for: its keeper ends with it. Shards run on.
            let mut asked = signal(SignalKind::terminate()).map_err(|error| format!("no signals: {error}"))?;
            tokio::select! {
                () = agent.run() => {}
                _ = asked.recv() => eprintln!("rldeck: the agent {} was asked to end", self.node),
            }
            return Ok(ExitCode::SUCCESS);
        }
        let listen = self.listens()?;
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
        let mut controller = pin!(controller::run(home, listen));
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
