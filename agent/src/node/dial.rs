use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use rldeck_proto::{MOST_MESSAGE, wire::controller_client::ControllerClient};
use tonic::{
    Request, Status,
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint, Uri},
};

use super::Agent;
use crate::identity::{self, Member};

/// A controller that is silent for so long is taken for lost.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// The loopback answers at once or never.
const PATIENCE: Duration = Duration::from_secs(2);

type Show = Box<dyn FnMut(Request<()>) -> Result<Request<()>, Status> + Send>;
pub(super) type Client = ControllerClient<InterceptedService<Channel, Show>>;

/// Connects to the controller: of another machine with the certificate that it gave, of this home with its token.
pub(super) async fn dial(agent: &Agent) -> Result<Client, String> {
    let member = match agent.local {
        true => None,
        false => Member::read(&agent.home, &agent.node).map_err(|error| error.to_string())?,
    };
    let (channel, show): (Channel, Show) = match member {
        Some(member) => (enrolled(&member).await?, Box::new(Ok)),
        None => beside(agent).await?,
    };
    let client = ControllerClient::with_interceptor(channel, show);
    Ok(client.max_decoding_message_size(MOST_MESSAGE).max_encoding_message_size(MOST_MESSAGE))
}

async fn beside(agent: &Agent) -> Result<(Channel, Show), String> {
    let path = agent.home.contact_file();
    let contact = agent.home.contact().map_err(|error| format!("{}: {error}", path.display()))?;
    let endpoint = Endpoint::from_shared(format!("http://{}", contact.address)).map_err(|error| error.to_string())?;
    let channel = kept_alive(endpoint).connect_timeout(PATIENCE).connect().await;
    let channel = channel.map_err(|error| format!("{}: {error}", contact.address))?;
    Ok((channel, Box::new(identity::show(&contact.token))))
}

/// Tries the controller's addresses in turn.
async fn enrolled(member: &Member) -> Result<Channel, String> {
    let mut whys = Vec::new();
    for address in member.controllers() {
        match identity::connect(member, *address).await {
            Ok(stream) => {
                // A stream that breaks ends the session; the next one dials anew.
                let stream = Arc::new(Mutex::new(Some(stream)));
                let connector = tower::service_fn(move |_: Uri| {
                    let stream = stream.lock().unwrap_or_else(PoisonError::into_inner).take();
                    async move { stream.map(TokioIo::new).ok_or_else(|| io::Error::other("the connection is lost")) }
                });
                let endpoint = kept_alive(Endpoint::from_static("http://controller"));
                return endpoint.connect_with_connector(connector).await.map_err(|error| format!("{address}: {error}"));
            }
            Err(why) => whys.push(why),
        }
    }
    Err(whys.join("; "))
}

fn kept_alive(endpoint: Endpoint) -> Endpoint {
    endpoint.http2_keep_alive_interval(KEEP_ALIVE).keep_alive_timeout(KEEP_ALIVE).keep_alive_while_idle(true)
}
