use std::{
    fs::{File, OpenOptions},
    io,
    net::IpAddr,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustix::fs::{FlockOperation, OFlags, flock};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{LIFE, Peer, secret};
use crate::home::Home;

/// The authority outlives every certificate that it signs.
const OWN_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// Clocks of hosts differ: a certificate is good from a little before it was made.
const SKEW: Duration = Duration::from_secs(3600);

/// The private certificate authority of one home. It signs for this controller, and nobody else trusts it.
#[derive(Debug)]
pub struct Authority {
    /// Its own certificate, PEM: what agents check the controller against.
    pub certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// Both in one file, so that one never lies there without the other.
#[derive(Serialize, Deserialize)]
struct Stored {
    key: String,
    certificate: String,
}

/// A certificate and its key, PEM.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) key: KeyPair,
    pub(super) certificate: rcgen::Certificate,
}

impl Authority {
    /// The authority of this home, made when there is none.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn open(home: &Home) -> Result<Authority, String> {
        let told = |error: io::Error| format!("the certificate authority of this home cannot be used: {error}");
        let path = path(home).map_err(told)?;
        // The controller and `rldeck up` may both be the first.
        let _lock = exclusive(&path.with_extension("lock")).map_err(told)?;
        if let Some(stored) = secret::read::<Stored>(&path).map_err(told)? {
            return Authority::new(stored)
                .map_err(|error| told(io::Error::other(format!("{}: {error}", path.display()))));
        }
        let stored = make().map_err(|error| told(io::Error::other(error)))?;
        secret::write(&path, &stored).map_err(told)?;
        Authority::new(stored).map_err(|error| told(io::Error::other(error)))
    }

    fn new(Stored { key, certificate }: Stored) -> Result<Authority, rcgen::Error> {
        let issuer = Issuer::from_ca_cert_pem(&certificate, KeyPair::from_pem(&key)?)?;
        Ok(Authority { certificate, issuer })
    }

    /// A certificate for the key behind a request. Of the request only the key counts: who its bearer is, is said here.
    ///
    /// # Errors
    /// The request is malformed, or not signed with the key that it names.
    pub fn sign(&self, request: &str, peer: &Peer) -> Result<String, String> {
        self.sign_for(request, peer, OffsetDateTime::now_utc())
    }

    pub(super) fn sign_for(&self, request: &str, peer: &Peer, at: OffsetDateTime) -> Result<String, String> {
        let told = |error: rcgen::Error| format!("its certificate request cannot be signed: {error}");
        let mut request = CertificateSigningRequestParams::from_pem(request).map_err(told)?;
        let mut params = params(&peer.name, at, LIFE);
        params.subject_alt_names = vec![SanType::URI(peer.uri().try_into().map_err(told)?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        request.params = params;
        Ok(request.signed_by(&self.issuer).map_err(told)?.pem())
    }

    /// A key and a certificate for the controller at these addresses; made at each of its starts, and kept in memory only.
    pub(super) fn server(&self, addresses: &[IpAddr]) -> Result<Pair, rcgen::Error> {
        let mut params = params("controller", OffsetDateTime::now_utc(), LIFE);
        params.subject_alt_names = addresses.iter().copied().map(SanType::IpAddress).collect();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Pair { key, certificate })
    }
}

fn path(home: &Home) -> io::Result<PathBuf> {
    Ok(secret::dir(home)?.join("authority.json"))
}

fn exclusive(path: &PathBuf) -> io::Result<File> {
    let nofollow = OFlags::NOFOLLOW.bits() as i32;
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).custom_flags(nofollow).open(path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

fn make() -> Result<Stored, rcgen::Error> {
    let mut params = params("rldeck", OffsetDateTime::now_utc(), OWN_LIFE);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.pem();
    Ok(Stored { key: key.serialize_pem(), certificate })
}

fn params(name: &str, at: OffsetDateTime, life: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "rldeck");
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = (at - SKEW, at + life);
    params
}
