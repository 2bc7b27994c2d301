//! Controller and agents of this machine, started in the background when they are not there.

use std::{
    fs::{self, OpenOptions},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    time::Duration,
};

use rldeck_agent::home::Home;
use tokio::time::{Instant, sleep};

use super::Failure;
use crate::link::Client;

/// The agents of the built-in job; the first is also the controller.
const NODES: [&str; 2] = ["node0", "node1"];
/// All must have joined by then.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connects to the controller of this machine, with both agents joined; starts what is not there.
pub(super) async fn ensure(home: &Home) -> Result<Client, Failure> {
    let mut client = match Client::connect(home).await {
        Ok(client) => client,
        Err(_) => {
            spawn(home, NODES[0], &["--controller"])?;
            wait_for_controller(home).await?
        }
    };
    let deadline = Instant::now() + PATIENCE;
    let mut spawned = false;
    loop {
        let deck = client.deck().await?;
        let missing: Vec<_> =
            NODES.iter().filter(|node| !deck.nodes.get(**node).is_some_and(|node| node.connected)).copied().collect();
        if missing.is_empty() {
            return Ok(client);
        }
        if !spawned && missing.contains(&NODES[1]) {
            spawn(home, NODES[1], &[])?;
            spawned = true;
        }
        if Instant::now() > deadline {
            return Err(died(home, missing[0]));
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn wait_for_controller(home: &Home) -> Result<Client, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Client::connect(home).await {
            Ok(client) => return Ok(client),
            Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(20)).await,
            Err(_) => return Err(died(home, NODES[0])),
        }
    }
}

/// Starts an agent behind a keeper, away from this terminal.
fn spawn(home: &Home, node: &str, more: &[&str]) -> Result<(), Failure> {
    let path = home.agent_log(node);
    let log = OpenOptions::new().append(true).create(true).open(&path);
    let log = log.map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    let quiet = |error: std::io::Error| format!("cannot start the agent {node}: {error}");
    Command::new("/proc/self/exe")
        .arg0("rldeck")
        .args(["keep", "agent", "--node", node])
        .args(more)
        .env("RLDECK_HOME", home.path())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(quiet)?)
        .stderr(log)
        .env_remove("RLDECK_NONCE")
        .spawn()
        .map_err(quiet)?;
    Ok(())
}

fn died(home: &Home, node: &str) -> Failure {
    let path = home.agent_log(node);
    let log = fs::read_to_string(&path).unwrap_or_default();
    let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it printed nothing");
    format!("the agent {node} did not come up within {} s; last in {}:\n  {last}", PATIENCE.as_secs(), path.display())
}
