//! The agent of one node: dials the controller, tells what its shards do, does what it is told. It listens on nothing.

mod follow;
mod session;
mod sources;

use std::time::Duration;

use rldeck_proto::{MOST_MESSAGE, wire::controller_client::ControllerClient};
use tokio::time::sleep;
use tonic::{service::interceptor::InterceptedService, transport::Endpoint};

use crate::{
    home::{Contact, Home},
    identity,
    probe::Probe,
    shard::Shelf,
};

/// Between attempts to reach the controller: from, to.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// A controller that is silent for so long is taken for lost.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// What an agent needs to know.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Where its files are.
    pub home: Home,
    /// Its name in the job.
    pub node: String,
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
        loop {
            match self.session(&shelf, &probe).await {
                Ok(Goodbye::Leave) => return tracing::info!(node = self.node, "sent away by the controller"),
                Ok(Goodbye::Closed) => (joined, wait) = (true, BACKOFF.0),
                // A controller that was killed leaves its address; one that was shut down takes it away.
                Err(_) if joined && !self.home.contact_file().exists() => {
                    return tracing::info!(node = self.node, "the controller was shut down");
                }
                Err(why) => tracing::debug!(node = self.node, why, "no controller"),
            }
            // Agents of a fleet that lost their controller at once do not come back at once.
            sleep(wait.mul_f64(0.5 + jitter())).await;
            wait = (wait * 2).min(BACKOFF.1);
        }
    }

    async fn session(&self, shelf: &Shelf, probe: &Probe) -> Result<Goodbye, String> {
        let contact =
            self.home.contact().map_err(|error| format!("{}: {error}", self.home.contact_file().display()))?;
        let client = dial(&contact).await?;
        session::run(self, client, shelf, probe).await
    }
}

type Client = ControllerClient<
    InterceptedService<
        tonic::transport::Channel,
        Box<dyn FnMut(tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status> + Send>,
    >,
>;

async fn dial(contact: &Contact) -> Result<Client, String> {
    let channel = Endpoint::from_shared(format!("http://{}", contact.address))
        .map_err(|error| error.to_string())?
        .connect_timeout(Duration::from_secs(2))
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .connect()
        .await
        .map_err(|error| format!("{}: {error}", contact.address))?;
    let show = Box::new(identity::show(&contact.token));
    let client = ControllerClient::with_interceptor(channel, show as Box<_>);
    Ok(client.max_decoding_message_size(MOST_MESSAGE).max_encoding_message_size(MOST_MESSAGE))
}

/// In 0..1; good enough to spread agents.
fn jitter() -> f64 {
    f64::from(std::time::Instant::now().elapsed().subsec_nanos() ^ std::process::id()) % 997.0 / 997.0
}
