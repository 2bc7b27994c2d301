//! A real controller behind real TLS on the loopback, and everybody who must not get in.

use std::{net::SocketAddr, time::Duration};

use rldeck_proto::{
    PROTOCOL,
    wire::{self, controller_client::ControllerClient},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_stream::StreamExt;

use super::*;
use crate::{
    controller::{self, Listen},
    home::Home,
};

/// A controller with one door, and homes for those who come.
struct Site {
    dir: TempDir,
    home: Home,
    door: SocketAddr,
    controller: JoinHandle<Result<(), String>>,
}

impl Site {
    async fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(Some(dir.path().join("controller"))).unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let controller = tokio::spawn(controller::run(home.clone(), Listen { plain: any, tls: vec![any] }));
        let end = Instant::now() + Duration::from_secs(10);
        let door = loop {
            match home.contact() {
                Ok(contact) => break contact.tls[0],
                Err(_) if Instant::now() < end => sleep(Duration::from_millis(10)).await,
                Err(error) => panic!("{error}"),
            }
        };
        Site { dir, home, door, controller }
    }

    fn home(&self, name: &str) -> Home {
        Home::open(Some(self.dir.path().join(name))).unwrap()
    }

    /// Enrols a node with this authority, at this time.
    fn member(&self, authority: &Authority, peer: &Peer, at: OffsetDateTime) -> Member {
        let request = Request::new(&peer.name).unwrap();
        let certificate = authority.sign_for(&request.pem, peer, at).unwrap();
        let grant = Grant {
            certificate,
            authority: Authority::open(&self.home).unwrap().certificate,
            controllers: vec![self.door],
        };
        request.accept(grant, &self.home(&peer.name)).unwrap()
    }

    fn enrolled(&self, node: &str) -> Member {
        self.member(&Authority::open(&self.home).unwrap(), &Peer::agent(node), OffsetDateTime::now_utc())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

/// Says hello as this node over a connection that is let in; what the controller answers.
async fn join(member: &Member, node: &str) -> Result<wire::Down, String> {
    let stream = connect(member, member.controllers()[0]).await?;
    let mut stream = Some(stream);
    let connector = tower::service_fn(move |_: tonic::transport::Uri| {
        let stream = stream.take().map(hyper_util::rt::TokioIo::new).ok_or(std::io::Error::other("gone"));
        async move { stream }
    });
    let endpoint = tonic::transport::Endpoint::from_static("http://controller");
    let channel = endpoint.connect_with_connector(connector).await.map_err(|error| error.to_string())?;
    let hello = wire::Hello { protocol: PROTOCOL, node: node.to_owned(), version: "1".into(), pid: 1 };
    let hello = wire::Up { message: Some(wire::up::Message::Hello(hello)) };
    let ups = tokio_stream::once(hello).chain(tokio_stream::pending());
    let mut client = ControllerClient::new(channel);
    let mut downs = client.join(ups).await.map_err(|status| status.message().to_owned())?.into_inner();
    let watch = wire::WatchRequest { protocol: PROTOCOL, epoch: 0, seq: 0 };
    let watched = client.watch(watch).await.map(drop).unwrap_err();
    assert!(watched.message().contains("only agents may use this address"), "{watched}");
    downs.message().await.map_err(|status| status.message().to_owned())?.ok_or_else(|| "closed".to_owned())
}

#[tokio::test]
async fn an_agent_with_a_certificate_speaks_for_its_node_and_for_no_other() {
    let site = Site::new().await;
    let member = site.enrolled("gpu1");
    let down = join(&member, "gpu1").await.unwrap();
    assert!(matches!(down.message, Some(wire::down::Message::Welcome(_))), "{down:?}");
    let refused = join(&member, "gpu2").await.unwrap_err();
    assert_eq!(refused, "the certificate is that of gpu1: it may not speak for gpu2; `rldeck up` enrols gpu2");
    // What lies in its home is what it was given.
    let read = Member::read(&site.home("gpu1"), "gpu1").unwrap().unwrap();
    assert_eq!((&read.grant, &read.key), (&member.grant, &member.key));
    assert_eq!(Member::read(&site.home("gpu1"), "gpu2").unwrap().map(|_| ()), None);
}

#[tokio::test]
async fn who_has_no_good_certificate_is_told_why() {
    let site = Site::new().await;
    let theirs = Authority::open(&site.home("another controller")).unwrap();
    let ours = Authority::open(&site.home).unwrap();
    let now = OffsetDateTime::now_utc();
    let stranger = site.member(&theirs, &Peer::agent("gpu1"), now);
    let refused = connect(&stranger, site.door).await.unwrap_err();
    assert!(
        refused.contains("it refuses our certificate as that of another authority; `rldeck up` enrols this host anew"),
        "{refused}"
    );

    // One that knows better than to look at its own clock is refused by the controller's.
    let expired = site.member(&ours, &Peer::agent("gpu1"), now - LIFE - Duration::from_secs(60));
    let told = connect(&expired, site.door).await.unwrap_err();
    assert!(told.starts_with("the certificate of this agent expired on 20") && told.contains("`rldeck up`"), "{told}");
    let refused = tls::dial(&expired, site.door).await.unwrap_err();
    assert!(refused.contains("it refuses our certificate as expired"), "{refused}");

    // A controller of another authority at our controller's address.
    let other = Member { grant: Grant { authority: theirs.certificate.clone(), ..stranger.grant.clone() }, ..stranger };
    let refused = connect(&other, site.door).await.unwrap_err();
    assert!(refused.contains("its certificate is of another authority"), "{refused}");

    // Its certificate names one address only.
    let elsewhere = SocketAddr::from(([127, 0, 0, 2], 0));
    let config = server(&ours, &[elsewhere.ip()]).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        tokio_rustls::TlsAcceptor::from(config).accept(stream).await.map(drop)
    });
    let refused = connect(&site.enrolled("gpu3"), address).await.unwrap_err();
    assert!(refused.contains("its certificate is for another address"), "{refused}");

    // A server's certificate is no agent's, and an agent's is no server's.
    let pair = ours.server(&[site.door.ip()]).unwrap();
    let grant = Grant { certificate: pair.certificate.pem(), ..site.enrolled("gpu4").grant };
    let server = Member { key: pair.key.serialize_pem(), grant };
    connect(&server, site.door).await.unwrap_err();
}

#[tokio::test]
async fn without_a_certificate_or_without_tls_nothing_is_answered() {
    let site = Site::new().await;
    let mut roots = RootCertStore::empty();
    let authority = Authority::open(&site.home).unwrap().certificate;
    roots.add(rustls::pki_types::pem::PemObject::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(site.door).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let mut stream = connector.connect(ServerName::from(site.door.ip()), stream).await.unwrap();
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(why(&error), "it demands a certificate, and we have none");
    // The token does not help here.
    let plain = tonic::transport::Endpoint::from_shared(format!("http://{}", site.door)).unwrap();
    let token = site.home.contact().unwrap().token;
    let channel = plain.connect_lazy();
    let mut client = ControllerClient::with_interceptor(channel, show(&token));
    client.join(tokio_stream::pending()).await.map(drop).unwrap_err();
}

#[test]
fn a_grant_for_another_key_or_another_node_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(Some(dir.path().to_owned())).unwrap();
    let authority = Authority::open(&home).unwrap();
    let grant = |request: &Request, peer: &Peer| Grant {
        certificate: authority.sign(&request.pem, peer).unwrap(),
        authority: authority.certificate.clone(),
        controllers: Vec::new(),
    };
    let (one, two) = (Request::new("a").unwrap(), Request::new("a").unwrap());
    let wrong = grant(&two, &Peer::agent("a"));
    assert!(one.accept(wrong, &home).unwrap_err().contains("for another key"));
    let wrong = grant(&two, &Peer::agent("b"));
    assert!(two.accept(wrong, &home).unwrap_err().contains("for b, not for a"));
    assert!(Member::read(&home, "a").unwrap().is_none());
    assert!(authority.sign("nonsense", &Peer::agent("a")).is_err());
    // The same authority is there again.
    assert_eq!(Authority::open(&home).unwrap().certificate, authority.certificate);
}
