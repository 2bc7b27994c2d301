use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rldeck_core::run::Request as Asked;
use rldeck_proto::{
    MOST_MESSAGE, PROTOCOL,
    wire::{
        self, act_request,
        controller_server::{Controller, ControllerServer},
    },
};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::{broadcast::error::RecvError, mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};
use tokio_stream::{
    Stream,
    wrappers::{ReceiverStream, TcpListenerStream, UnixListenerStream},
};
use tonic::{Request, Response, Status, Streaming, service::interceptor::InterceptedService, transport::Server};

use super::{agents, desk::Message, door::Door};
use crate::identity::{self, Peer, Role};

/// A peer that is silent for so long (interval and timeout together) is taken for lost.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(2));
/// An agent has so long to send a part of a log.
const READING: Duration = Duration::from_secs(10);
/// Deltas that wait for one console; when it lags further behind it gets the full state anew.
const CONSOLE_QUEUE: usize = 16;

/// Serves agents on the loopback, who must show the token, agents of other machines, who must have a certificate, and
/// consoles on the Unix socket.
pub(super) fn spawn(
    tcp: TcpListener,
    doors: Vec<Door>,
    unix: UnixListener,
    token: String,
    messages: mpsc::Sender<Message>,
) -> JoinSet<()> {
    let sessions = Arc::default();
    let service = |way| {
        let desk = Service { messages: messages.clone(), sessions: Arc::clone(&sessions), way };
        ControllerServer::new(desk).max_decoding_message_size(MOST_MESSAGE).max_encoding_message_size(MOST_MESSAGE)
    };
    let server =
        || Server::builder().http2_keepalive_interval(Some(KEEP_ALIVE.0)).http2_keepalive_timeout(Some(KEEP_ALIVE.1));
    let mut servers = JoinSet::new();
    let agents = InterceptedService::new(service(Way::Loopback), identity::demand(token));
    let agents = server().tcp_nodelay(true).add_service(agents).serve_with_incoming(TcpListenerStream::new(tcp));
    servers.spawn(async move { complain(agents.await) });
    for door in doors {
        let guests = server().add_service(service(Way::Tls)).serve_with_incoming(door.open());
        servers.spawn(async move { complain(guests.await) });
    }
    let consoles = server().add_service(service(Way::Socket)).serve_with_incoming(UnixListenerStream::new(unix));
    servers.spawn(async move { complain(consoles.await) });
    servers
}

fn complain(served: Result<(), tonic::transport::Error>) {
    if let Err(error) = served {
        tracing::error!(%error, "a server has ended");
    }
}

/// How somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// With the token.
    Loopback,
    /// With a certificate.
    Tls,
    /// As the owner of this home.
    Socket,
}

#[derive(Clone)]
struct Service {
    messages: mpsc::Sender<Message>,
    sessions: Arc<AtomicU64>,
    way: Way,
}

impl Service {
    fn for_consoles(&self) -> Result<(), Status> {
        match self.way {
            Way::Socket => Ok(()),
            Way::Loopback | Way::Tls => {
                Err(Status::permission_denied("only agents may use this address; consoles use the Unix socket"))
            }
        }
    }

    /// Who came with a certificate speaks for the node that it names, and for no other.
    fn may_speak_for(&self, node: &str, peer: Option<Peer>) -> Result<(), Status> {
        match (self.way, peer) {
            (Way::Loopback | Way::Socket, _) => Ok(()),
            (Way::Tls, Some(Peer { role: Role::Agent, name })) if name == node => Ok(()),
            (Way::Tls, Some(peer)) => {
                tracing::warn!(certificate = peer.name, node, "refused: it speaks for a node that is not its own");
                Err(Status::permission_denied(format!(
                    "the certificate is that of {}: it may not speak for {node}; `rldeck up` enrols {node}",
                    peer.name
                )))
            }
            (Way::Tls, None) => {
                tracing::warn!(node, "refused: its certificate names nobody");
                Err(Status::unauthenticated("the certificate names nobody"))
            }
        }
    }

    async fn tell(&self, message: Message) -> Result<(), Status> {
        self.messages.send(message).await.map_err(|_| Status::unavailable("the controller is ending"))
    }

    async fn ask<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> Message) -> Result<T, Status> {
        let (reply, answer) = oneshot::channel();
        self.tell(message(reply)).await?;
        answer.await.map_err(|_| Status::unavailable("the controller is ending"))
    }
}

type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

fn speaks(protocol: u32) -> Result<(), Status> {
    match protocol {
        PROTOCOL => Ok(()),
        other => Err(Status::failed_precondition(format!(
            "this controller speaks protocol {PROTOCOL}, you speak {other}: run the same version of rldeck everywhere"
        ))),
    }
}

#[tonic::async_trait]
impl Controller for Service {
    type JoinStream = Streamed<wire::Down>;
    type WatchStream = Streamed<wire::Delta>;

    async fn join(&self, request: Request<Streaming<wire::Up>>) -> Result<Response<Self::JoinStream>, Status> {
        let peer = Peer::behind(&request);
        let mut ups = request.into_inner();
        let Some(wire::Up { message: Some(wire::up::Message::Hello(hello)) }) = ups.message().await? else {
            return Err(Status::invalid_argument("an agent says hello first"));
        };
        speaks(hello.protocol)?;
        if hello.node.is_empty() {
            return Err(Status::invalid_argument("an agent needs a name"));
        }
        self.may_speak_for(&hello.node, peer)?;
        let (node, session) = (hello.node.clone(), self.sessions.fetch_add(1, Ordering::Relaxed));
        let (down, downs) = mpsc::channel(agents::QUEUE);
        self.tell(Message::Joined { hello, session, down }).await?;
        let service = self.clone();
        tokio::spawn(async move {
            while let Ok(Some(up)) = ups.message().await {
                let Some(message) = up.message else { continue };
                if service.tell(Message::Up { node: node.clone(), session, message }).await.is_err() {
                    return;
                }
            }
            let _ = service.tell(Message::Left { node, session }).await;
        });
        use tokio_stream::StreamExt;
        Ok(Response::new(Box::pin(ReceiverStream::new(downs).map(Ok))))
    }

    async fn watch(&self, request: Request<wire::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.for_consoles()?;
        let wire::WatchRequest { protocol, epoch, seq } = request.into_inner();
        speaks(protocol)?;
        let mut subscription = self.ask(|reply| Message::Watch { epoch, seq, reply }).await?;
        let (deltas, stream) = mpsc::channel(CONSOLE_QUEUE);
        let service = self.clone();
        tokio::spawn(async move {
            loop {
                for delta in subscription.first {
                    if deltas.send(Ok((*delta).clone())).await.is_err() {
                        return;
                    }
                }
                loop {
                    let delta = tokio::select! {
                        delta = subscription.then.recv() => delta,
                        () = deltas.closed() => return,
                    };
                    match delta {
                        Ok(delta) if deltas.send(Ok((*delta).clone())).await.is_err() => return,
                        Ok(_) => {}
                        Err(RecvError::Lagged(_)) => break,
                        Err(RecvError::Closed) => return,
                    }
                }
                match service.ask(|reply| Message::Watch { epoch: 0, seq: 0, reply }).await {
                    Ok(all) => subscription = all,
                    Err(_) => return,
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn act(&self, request: Request<wire::ActRequest>) -> Result<Response<wire::ActReply>, Status> {
        self.for_consoles()?;
        let request = request.into_inner();
        let outcome = if let Some(act_request::Action::Shutdown(_)) = request.action {
            self.ask(|reply| Message::Shutdown { reply }).await?
        } else {
            let request: Asked = request.try_into().map_err(|error| Status::invalid_argument(format!("{error}")))?;
            self.ask(|reply| Message::Act { request, reply }).await?
        };
        Ok(Response::new(outcome.into()))
    }

    async fn echo(&self, _: Request<wire::Nothing>) -> Result<Response<wire::Nothing>, Status> {
        self.for_consoles()?;
        self.ask(|reply| Message::Echo { reply }).await?;
        Ok(Response::new(wire::Nothing {}))
    }

    async fn leftovers(&self, _: Request<wire::Nothing>) -> Result<Response<wire::LeftoverReply>, Status> {
        self.for_consoles()?;
        let asked = self.ask(|reply| Message::Look { reply }).await?;
        let mut nodes = Vec::new();
        for (node, answer) in asked {
            let found = timeout(READING, answer).await.ok().and_then(Result::ok);
            nodes.push(found.unwrap_or_else(|| {
                let error = "its agent does not answer".to_owned();
                wire::Leftovers { node, error, ..Default::default() }
            }));
        }
        Ok(Response::new(wire::LeftoverReply { nodes }))
    }

    async fn read_log(&self, request: Request<wire::LogRequest>) -> Result<Response<wire::LogChunk>, Status> {
        self.for_consoles()?;
        let request = request.into_inner();
        match timeout(READING, self.ask(|reply| Message::ReadLog { request, reply })).await {
            Ok(chunk) => chunk.map(Response::new),
            Err(_) => {
                Err(Status::deadline_exceeded(format!("the agent has not sent the log within {} s", READING.as_secs())))
            }
        }
    }
}
