//! The door to other machines: nobody gets past it without a certificate, and who is turned away is told why, as is the log.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::ServerConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;

use crate::identity;

/// Who has not shown a certificate by then is sent away.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many may be showing theirs at the same time; more wait outside.
const AT_ONCE: usize = 256;
/// Who was turned away has so long to read why.
const FAREWELL: Duration = Duration::from_millis(500);
/// Pause when no connection can be taken: there are too many open files.
const FULL: Duration = Duration::from_millis(100);

/// One address at which agents of other machines are served.
pub(super) struct Door {
    listener: TcpListener,
    address: SocketAddr,
    acceptor: TlsAcceptor,
}

impl Door {
    pub(super) fn new(listener: TcpListener, address: SocketAddr, tls: Arc<ServerConfig>) -> Door {
        Door { listener, address, acceptor: tls.into() }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The connections of those who were let in; ends with the receiver.
    pub(super) fn open(self) -> ReceiverStream<io::Result<TlsStream<TcpStream>>> {
        let (guests, stream) = mpsc::channel(1);
        tokio::spawn(async move {
            let room = Arc::new(Semaphore::new(AT_ONCE));
            loop {
                let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
                let accepted = tokio::select! {
                    accepted = self.listener.accept() => accepted,
                    () = guests.closed() => return,
                };
                let (stream, from) = match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "no connection can be taken");
                        sleep(FULL).await;
                        continue;
                    }
                };
                let (acceptor, guests) = (self.acceptor.clone(), guests.clone());
                tokio::spawn(async move {
                    if let Some(stream) = receive(acceptor, stream, from).await {
                        let _ = guests.send(Ok(stream)).await;
                    }
                    drop(place);
                });
            }
        });
        ReceiverStream::new(stream)
    }
}

async fn receive(acceptor: TlsAcceptor, stream: TcpStream, from: SocketAddr) -> Option<TlsStream<TcpStream>> {
    let _ = stream.set_nodelay(true);
    match timeout(PATIENCE, acceptor.accept(stream).into_fallible()).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err((error, stream))) => {
            tracing::warn!(%from, why = identity::why(&error), "turned away");
            farewell(stream).await;
            None
        }
        Err(_) => {
            tracing::warn!(%from, "turned away: it has shown no certificate within {} s", PATIENCE.as_secs());
            None
        }
    }
}

/// A connection that is closed with bytes unread is reset, and what we said last is lost on its way.
async fn farewell(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let rest = async {
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    };
    let _ = timeout(FAREWELL, rest).await;
}
