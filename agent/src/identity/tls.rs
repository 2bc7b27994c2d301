use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
    version::TLS13,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Authority, Member, refusal};

/// A controller that can be reached answers within this time.
const PATIENCE: Duration = Duration::from_secs(5);
const ALPN: &[u8] = b"h2";

/// What the controller needs to serve on these addresses: a certificate for them, and nobody let in without one of ours.
///
/// # Errors
/// In words for the operator.
pub fn server(authority: &Authority, addresses: &[IpAddr]) -> Result<Arc<ServerConfig>, String> {
    let told = |error: &dyn std::error::Error| format!("TLS cannot be set up: {error}");
    let pair = authority.server(addresses).map_err(|error| told(&error))?;
    let key =
        PrivateKeyDer::try_from(pair.key.serialize_der()).map_err(|error| format!("TLS cannot be set up: {error}"))?;
    let roots = Arc::new(roots(&authority.certificate)?);
    let clients =
        WebPkiClientVerifier::builder_with_provider(roots, provider()).build().map_err(|error| told(&error))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|error| told(&error))?
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![pair.certificate.der().clone()], key)
        .map_err(|error| told(&error))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// Connects to the controller at this address, and waits until it has let us in: with TLS 1.3 a client would otherwise
/// learn of its refusal only later, from a connection that breaks.
///
/// # Errors
/// In words for the operator.
pub async fn connect(member: &Member, address: SocketAddr) -> Result<BufReader<TlsStream<TcpStream>>, String> {
    member.check()?;
    dial(member, address).await
}

pub(super) async fn dial(member: &Member, address: SocketAddr) -> Result<BufReader<TlsStream<TcpStream>>, String> {
    let config = client(member)?;
    let dial = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let stream = TlsConnector::from(Arc::new(config)).connect(ServerName::from(address.ip()), stream).await?;
        let mut stream = BufReader::new(stream);
        match stream.fill_buf().await?.is_empty() {
            true => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection at once")),
            false => Ok(stream),
        }
    };
    match timeout(PATIENCE, dial).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            let remedy = match refusal::is_about_certificates(&error) {
                true => "; `rldeck up` enrols this host anew",
                false => "",
            };
            Err(format!("the controller at {address}: {}{remedy}", refusal::why(&error)))
        }
        Err(_) => Err(format!(
            "the controller at {address}: no answer within {} s; does a firewall let TCP port {} through to it?",
            PATIENCE.as_secs(),
            address.port()
        )),
    }
}

fn client(member: &Member) -> Result<ClientConfig, String> {
    let told = |error: rustls::Error| format!("TLS cannot be set up: {error}");
    let certificate = certificate(&member.grant.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(member.key.as_bytes()).map_err(|_| "this is no key".to_owned())?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(told)?
        .with_root_certificates(roots(&member.grant.authority)?)
        .with_client_auth_cert(vec![certificate], key)
        .map_err(told)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn roots(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(pem)?).map_err(|error| format!("the authority's certificate cannot be used: {error}"))?;
    Ok(roots)
}

fn certificate(pem: &str) -> Result<CertificateDer<'static>, String> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| "this is no certificate".to_owned())
}
