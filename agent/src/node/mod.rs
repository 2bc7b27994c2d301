//! The agent of one node: dials the controller, tells what its shards do, does what it is told. It listens on nothing.

mod dial;
mod follow;
mod session;
mod sources;

use std::time::Duration;

use tokio::time::sleep;

use crate::{home::Home, identity::Member, probe::Probe, shard::Shelf};
use dial::{Client, dial};

/// Between attempts to reach the controller: from, to.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What an agent needs to know.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Where its files are.
    pub home: Home,
    /// Its name in the job.
    pub node: String,
    /// Its controller is that of this home, even if another one has enrolled it before.
    pub local: bool,
}

/// Why a session ended in peace.
#[derive(Debug, PartialEq, Eq)]
enum Goodbye {
    /// The controller has closed the stream.
    Closed,
    /// The agent is to leave for good.
    Leave,
}

impl Agent {
    /// Runs until the controller sends it away.
    pub async fn run(self) {
        let shelf = Shelf::adopt(self.home.clone(), &self.node);
        let probe = Probe::start(shelf.clone());
        let mut wait = BACKOFF.0;
        let mut joined = false;
        let mut told = String::new();
        loop {
            match self.session(&shelf, &probe).await {
                Ok(Goodbye::Leave) => return tracing::info!(node = self.node, "sent away by the controller"),
                Ok(Goodbye::Closed) => {
                    (joined, wait) = (true, BACKOFF.0);
                    told.clear();
                }
                // A controller that was killed leaves its address; one that was shut down takes it away.
                Err(_) if joined && !self.is_enrolled() && !self.home.contact_file().exists() => {
                    return tracing::info!(node = self.node, "the controller was shut down");
                }
                // Nobody else can tell why a host far away has not joined; once is enough.
                Err(why) if self.is_enrolled() && why != told => {
                    tracing::warn!(node = self.node, why, "no controller; trying again");
                    told = why;
                }
                Err(why) => tracing::debug!(node = self.node, why, "no controller"),
            }
            // Agents of a fleet that lost their controller at once do not come back at once.
            sleep(wait.mul_f64(0.5 + jitter())).await;
            wait = (wait * 2).min(BACKOFF.1);
        }
    }

    /// Another machine's controller has let it in.
    fn is_enrolled(&self) -> bool {
        !self.local && !matches!(Member::read(&self.home, &self.node), Ok(None))
    }

    async fn session(&self, shelf: &Shelf, probe: &Probe) -> Result<Goodbye, String> {
        let client = dial(self).await?;
        session::run(self, client, shelf, probe).await
    }
}

/// In 0..1; good enough to spread agents.
fn jitter() -> f64 {
    f64::from(std::time::Instant::now().elapsed().subsec_nanos() ^ std::process::id()) % 997.0 / 997.0
}
