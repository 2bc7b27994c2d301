use std::{io, net::SocketAddr, path::PathBuf};

use rcgen::{CertificateParams, DistinguishedName, KeyPair, PublicKeyData};
use rldeck_core::{date::Date, shard::Millis};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Peer, secret};
use crate::{home::Home, now};

/// An agent that asks to be let in: its key exists nowhere but here.
#[derive(Debug)]
pub struct Request {
    node: String,
    key: KeyPair,
    /// What the authority signs, PEM.
    pub pem: String,
}

/// What the authority answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The agent's certificate, PEM.
    pub certificate: String,
    /// The authority's own, PEM.
    pub authority: String,
    /// Where the controller listens.
    pub controllers: Vec<SocketAddr>,
}

/// An agent that was let in.
#[derive(Clone, Serialize, Deserialize)]
pub struct Member {
    pub(super) key: String,
    #[serde(flatten)]
    pub(super) grant: Grant,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("grant", &self.grant).finish_non_exhaustive()
    }
}

impl Request {
    /// Makes a key for the agent of this node.
    pub fn new(node: &str) -> Result<Request, String> {
        let told = |error: rcgen::Error| format!("no key can be made: {error}");
        let key = KeyPair::generate().map_err(told)?;
        let mut params = CertificateParams::default();
        // Who we are is said by the authority, which knows whom it reached.
        params.distinguished_name = DistinguishedName::new();
        let pem = params.serialize_request(&key).and_then(|request| request.pem()).map_err(told)?;
        Ok(Request { node: node.to_owned(), key, pem })
    }

    /// Keeps key and certificate for the agent of this home, when they belong together.
    pub fn accept(self, grant: Grant, home: &Home) -> Result<Member, String> {
        let der = der(&grant.certificate)?;
        let (_, certificate) = X509Certificate::from_der(&der).map_err(|_| "this is no certificate".to_owned())?;
        if certificate.public_key().subject_public_key.data.as_ref() != self.key.der_bytes() {
            return Err("the certificate that came is for another key".to_owned());
        }
        match Peer::of(&der) {
            Some(peer) if peer == Peer::agent(&self.node) => {}
            Some(peer) => return Err(format!("the certificate that came is for {}, not for {}", peer.name, self.node)),
            None => return Err("the certificate that came names nobody".to_owned()),
        }
        let member = Member { key: self.key.serialize_pem(), grant };
        let path = path(home, &self.node).map_err(|error| error.to_string())?;
        secret::write(&path, &member).map_err(|error| error.to_string())?;
        Ok(member)
    }
}

impl Member {
    /// What was kept for this node; `None` when it was never enrolled.
    pub fn read(home: &Home, node: &str) -> io::Result<Option<Member>> {
        // No directory is made for an agent that shows the token.
        match home.path().join("identity").symlink_metadata() {
            Ok(_) => secret::read(&path(home, node)?),
            Err(_) => Ok(None),
        }
    }

    /// Where the controller listens.
    pub fn controllers(&self) -> &[SocketAddr] {
        &self.grant.controllers
    }

    /// Until when the certificate is good.
    pub fn expires(&self) -> Result<Millis, String> {
        let der = der(&self.grant.certificate)?;
        let (_, certificate) = X509Certificate::from_der(&der).map_err(|_| "this is no certificate".to_owned())?;
        Ok(u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0) * 1000)
    }

    /// Whether it is of any use to show the certificate.
    pub fn check(&self) -> Result<(), String> {
        let expires = self.expires()?;
        match now() < expires {
            true => Ok(()),
            false => {
                let date = Date::utc(expires).text();
                Err(format!("the certificate of this agent expired on {date} UTC: `rldeck up` enrols this host anew"))
            }
        }
    }
}

fn path(home: &Home, node: &str) -> io::Result<PathBuf> {
    rldeck_core::host::is_name(node)
        .map_err(|why| io::Error::other(format!("`{node}` is no name of a node: {why}")))?;
    Ok(secret::dir(home)?.join(format!("{node}.json")))
}

fn der(pem: &str) -> Result<CertificateDer<'static>, String> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| "this is no certificate".to_owned())
}
