//! Controller and agents of this machine, started in the background when they are not there.

use std::{fs, time::Duration};

use rldeck_agent::{detach::spawn, home::Home};
use tokio::time::{Instant, sleep};

use super::Failure;
use crate::link::Client;

/// The agents of the built-in job; the first is also the controller.
const NODES: [&str; 2] = ["node0", "node1"];
/// All must have joined by then.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Connects to the controller of this machine, with both agents joined; starts what is not there.
pub(super) async fn ensure(home: &Home) -> Result<Client, Failure> {
    let mut client = match Client::connect(home).await {
        Ok(client) => client,
        Err(_) => {
            spawn(home, NODES[0], &["--controller"])?;
            wait_for_controller(home, NODES[0]).await?
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

/// Connects to a controller that was just started, with an agent of this name beside it.
pub(super) async fn wait_for_controller(home: &Home, node: &str) -> Result<Client, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Client::connect(home).await {
            Ok(client) => return Ok(client),
            Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(20)).await,
            Err(_) => return Err(died(home, node)),
        }
    }
}

/// Why an agent of this machine did not come up: what it said last.
pub(super) fn died(home: &Home, node: &str) -> Failure {
    let path = home.agent_log(node);
    let log = fs::read_to_string(&path).unwrap_or_default();
    let last = log
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty() && !line.ends_with("starting it again"))
        .unwrap_or("it printed nothing");
    format!("the agent {node} did not come up within {} s; last in {}:\n  {last}", PATIENCE.as_secs(), path.display())
}
