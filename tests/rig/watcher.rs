use std::{path::PathBuf, time::Duration};

use rldeck_agent::home::connect_unix;
use rldeck_core::deck::{Change, Deck, Delta};
use rldeck_proto::{
    MOST_MESSAGE, PROTOCOL,
    wire::{self, controller_client::ControllerClient},
};
use tokio::{runtime::Runtime, time::timeout};
use tonic::transport::{Endpoint, Uri};

/// A console without a screen: follows the deck over the real wire, and comes back after the last delta it saw.
pub struct Watcher {
    runtime: Runtime,
    socket: PathBuf,
    pub deck: Deck,
    pub epoch: u64,
    pub seq: u64,
    /// Log lines in the order in which they came, those of full states too.
    pub lines: Vec<(String, u64)>,
    /// Full states received.
    pub resets: usize,
    /// More parts of a full state are to come.
    partial: bool,
}

impl Watcher {
    pub fn new(socket: PathBuf) -> Watcher {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Watcher {
            runtime,
            socket,
            deck: Deck::default(),
            epoch: 0,
            seq: 0,
            lines: Vec::new(),
            resets: 0,
            partial: false,
        }
    }

    /// Connects and follows for this long; `Err` when the stream broke or could not be opened.
    pub fn follow(&mut self, time: Duration) -> Result<(), String> {
        let (socket, epoch, seq) = (self.socket.clone(), self.epoch, self.seq);
        let mut deltas = Vec::new();
        let result = self.runtime.block_on(async {
            let connector = tower::service_fn(move |_: Uri| {
                let socket = socket.clone();
                async move { connect_unix(&socket).await.map(hyper_util::rt::TokioIo::new) }
            });
            let channel =
                Endpoint::from_static("http://x").connect_with_connector(connector).await.map_err(|e| e.to_string())?;
            let mut client = ControllerClient::new(channel).max_decoding_message_size(MOST_MESSAGE);
            let request = wire::WatchRequest { protocol: PROTOCOL, epoch, seq };
            let mut stream = client.watch(request).await.map_err(|status| status.to_string())?.into_inner();
            let end = tokio::time::Instant::now() + time;
            loop {
                match timeout(end.saturating_duration_since(tokio::time::Instant::now()), stream.message()).await {
                    Err(_) => return Ok(()),
                    Ok(Ok(Some(delta))) => deltas.push(delta),
                    Ok(Ok(None)) => return Err("closed".to_owned()),
                    Ok(Err(status)) => return Err(status.to_string()),
                }
            }
        });
        deltas.into_iter().for_each(|delta| self.take(delta));
        result
    }

    fn take(&mut self, delta: wire::Delta) {
        let more = delta.more;
        let delta = Delta::try_from(delta).unwrap();
        let full = matches!(delta.changes.first(), Some(Change::Reset));
        if full {
            self.resets += 1;
        } else if delta.epoch == self.epoch && self.seq > 0 {
            assert!(
                self.partial && delta.seq == self.seq || delta.seq == self.seq + 1,
                "{} after {}",
                delta.seq,
                self.seq
            );
        }
        (self.epoch, self.seq, self.partial) = (delta.epoch, delta.seq, more);
        for change in delta.changes {
            if let Change::Log(line) = &change {
                self.lines.push((line.shard.dir(), line.offset));
            }
            self.deck.apply(change);
        }
    }
}
