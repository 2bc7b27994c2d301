use std::{fs::File, net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Args;
use rldeck_agent::{controller, home::Home, keep, node, shard};
use rustix::fs::{FlockOperation, flock};

use super::Failure;

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
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
        let _lock = self.lock(&home)?;
        let agent = node::Agent { home: home.clone(), node: self.node.clone() };
        if self.controller {
            let agent = tokio::spawn(agent.run());
            controller::run(home, self.listen).await?;
            agent.abort();
        } else {
            agent.run().await;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Two agents of one name would start everything twice.
    fn lock(&self, home: &Home) -> Result<File, Failure> {
        let path = home.path().join(format!("{}.lock", self.node));
        let file = File::create(&path).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| format!("an agent `{}` runs in {} already", self.node, home.path().display()))?;
        Ok(file)
    }
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
