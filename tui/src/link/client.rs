use std::{
    fs, io,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rldeck_agent::{
    home::{Home, connect_unix},
    now,
};
use rldeck_core::{
    deck::{Deck, Delta},
    process::Foreign,
    run::{Action, Outcome, Request},
    shard::ShardId,
};
use rldeck_proto::{
    MOST_MESSAGE, PROTOCOL,
    wire::{self, controller_client::ControllerClient},
};
use tokio::time::timeout;
use tonic::{
    Streaming,
    transport::{Channel, Endpoint, Uri},
};

/// A controller that does not answer for so long is taken for lost.
const SILENT: Duration = Duration::from_secs(2);

/// A connection to the controller of this machine.
#[derive(Clone, Debug)]
pub(crate) struct Client(ControllerClient<Channel>);

/// A deck that follows the controller's.
#[derive(Debug)]
pub(crate) struct Watch {
    stream: Streaming<wire::Delta>,
}

impl Client {
    /// Connects over the Unix socket of this home.
    pub(crate) async fn connect(home: &Home) -> Result<Client, String> {
        let path = home.socket();
        let connector = tower::service_fn(move |_: Uri| {
            let path = path.clone();
            async move { Ok::<_, io::Error>(hyper_util::rt::TokioIo::new(connect_unix(&path).await?)) }
        });
        // The address is not used: the connector knows the way.
        let channel = Endpoint::from_static("http://controller").connect_with_connector(connector).await;
        let channel = channel.map_err(|_| {
            format!("no controller runs in {}; `rldeck` starts one with the built-in job", home.path().display())
        })?;
        let client = ControllerClient::new(channel);
        Ok(Client(client.max_decoding_message_size(MOST_MESSAGE).max_encoding_message_size(MOST_MESSAGE)))
    }

    /// Watches the deck, from the delta after this one when the controller still has it.
    pub(crate) async fn watch(&mut self, epoch: u64, seq: u64) -> Result<Watch, String> {
        let request = wire::WatchRequest { protocol: PROTOCOL, epoch, seq };
        let stream = self.0.watch(request).await.map_err(|status| status.message().to_owned())?.into_inner();
        Ok(Watch { stream })
    }

    /// The deck as it is now.
    pub(crate) async fn deck(&mut self) -> Result<Deck, String> {
        let mut deck = Deck::default();
        self.watch(0, 0).await?.take_whole(&mut deck).await?;
        Ok(deck)
    }

    /// Asks for an action.
    pub(crate) async fn act(&mut self, action: Action) -> Result<Outcome, String> {
        self.ask(Request { id: request_id(), who: who(), action }).await
    }

    /// Asks for an action; the same request may be sent again.
    pub(crate) async fn ask(&mut self, request: Request) -> Result<Outcome, String> {
        let reply = self.0.act(wire::ActRequest::from(request)).await;
        let reply = reply.map_err(|status| status.message().to_owned())?.into_inner();
        reply.try_into().map_err(|error: rldeck_proto::Malformed| error.to_string())
    }

    /// Ends the controller and its agents.
    pub(crate) async fn shut_down(&mut self) -> Result<Outcome, String> {
        let action = Some(wire::act_request::Action::Shutdown(wire::Shutdown {}));
        let request = wire::ActRequest { id: request_id(), who: who(), action };
        let reply = self.0.act(request).await.map_err(|status| status.message().to_owned())?.into_inner();
        reply.try_into().map_err(|error: rldeck_proto::Malformed| error.to_string())
    }

    /// The way there and back.
    pub(crate) async fn ping(&mut self) -> Result<(), String> {
        match timeout(SILENT, self.0.echo(wire::Nothing {})).await {
            Ok(echo) => echo.map(drop).map_err(|status| status.message().to_owned()),
            Err(_) => Err(format!("the controller has not answered for {} s", SILENT.as_secs())),
        }
    }

    /// What runs on each node that no shard holds; or why that cannot be told.
    pub(crate) async fn leftovers(&mut self) -> Result<Vec<(String, Result<Vec<Foreign>, String>)>, String> {
        let reply = self.0.leftovers(wire::Nothing {}).await.map_err(|status| status.message().to_owned())?;
        let found = |node: wire::Leftovers| {
            let processes = node.processes.into_iter().map(Foreign::try_from).collect::<Result<_, _>>();
            let processes = processes.map_err(|error| error.to_string());
            (node.node, if node.error.is_empty() { processes } else { Err(node.error) })
        };
        Ok(reply.into_inner().nodes.into_iter().map(found).collect())
    }

    /// A part of a shard's log, and the size of all of it.
    pub(crate) async fn read_log(&mut self, id: &ShardId, offset: u64) -> Result<(Vec<u8>, u64), String> {
        let shard = Some(id.clone().into());
        let request = wire::LogRequest { id: 0, shard, offset, most: u64::MAX, ..Default::default() };
        let chunk = self.0.read_log(request).await.map_err(|status| status.message().to_owned())?.into_inner();
        match chunk.error.is_empty() {
            true => Ok((chunk.data, chunk.size)),
            false => Err(chunk.error),
        }
    }
}

impl Watch {
    /// The next delta, and whether the state is whole after it.
    pub(crate) async fn next(&mut self) -> Result<(Delta, bool), String> {
        let delta = self.stream.message().await.map_err(|status| status.message().to_owned())?;
        let delta = delta.ok_or("the controller has closed the stream")?;
        let whole = !delta.more;
        Ok((delta.try_into().map_err(|error: rldeck_proto::Malformed| error.to_string())?, whole))
    }

    /// Takes in deltas until the state is whole.
    pub(crate) async fn take_whole(&mut self, deck: &mut Deck) -> Result<(), String> {
        loop {
            let (delta, whole) = self.next().await?;
            delta.changes.into_iter().for_each(|change| deck.apply(change));
            if whole {
                return Ok(());
            }
        }
    }
}

/// `user@host`.
pub(crate) fn who() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| format!("uid{}", rustix::process::getuid().as_raw()));
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{user}@{}", host.trim())
}

/// Unique among all requests of this user.
pub(super) fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}-{}", now(), std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
