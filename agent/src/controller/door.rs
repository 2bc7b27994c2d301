//! The door to other machines: nobody gets past it without a certificate, and who is turned away is told why, as is the log.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::ServerConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    time::{Instant, sleep, timeout},
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

/// Who is turned away again and again is named so often.
const NAMED_EVERY: Duration = Duration::from_secs(60);
/// So many addresses are remembered for that.
const REMEMBERED: usize = 1024;

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
            let named = Arc::new(Named::default());
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
                let (acceptor, guests, named) = (self.acceptor.clone(), guests.clone(), Arc::clone(&named));
                tokio::spawn(async move {
                    if let Some(stream) = receive(acceptor, stream, from, &named).await {
                        let _ = guests.send(Ok(stream)).await;
                    }
                    drop(place);
                });
            }
        });
        ReceiverStream::new(stream)
    }
}

/// Who was turned away, and when that was last written down: a stranger must not fill our disk.
#[derive(Default)]
struct Named(Mutex<HashMap<IpAddr, Instant>>);

impl Named {
    fn write_down(&self, from: SocketAddr, why: &str) {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if named.get(&from.ip()).is_some_and(|at| at.elapsed() < NAMED_EVERY) {
            return;
        }
        if named.len() >= REMEMBERED {
            named.clear();
        }
        named.insert(from.ip(), Instant::now());
        tracing::warn!(%from, why, "turned away");
    }
}

async fn receive(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    from: SocketAddr,
    named: &Named,
) -> Option<TlsStream<TcpStream>> {
    let _ = stream.set_nodelay(true);
    match timeout(PATIENCE, acceptor.accept(stream).into_fallible()).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err((error, stream))) => {
            named.write_down(from, &identity::why(&error));
            farewell(stream).await;
            None
        }
        Err(_) => {
            named.write_down(from, &format!("it has shown no certificate within {} s", PATIENCE.as_secs()));
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
