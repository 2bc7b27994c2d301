use std::io;

use rldeck_core::date::Date;
use rustls::{AlertDescription, CertificateError, Error, pki_types::UnixTime};

/// Why a connection did not come about, in words for the operator: of what TLS says only what he can do something about.
pub fn why(error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match tls {
        Some(Error::InvalidCertificate(error)) => certificate(error),
        Some(Error::NoCertificatesPresented) => "it shows no certificate".to_owned(),
        Some(Error::AlertReceived(alert)) => alerted(*alert),
        Some(Error::InvalidMessage(_)) => "it does not speak TLS".to_owned(),
        Some(other) => other.to_string(),
        None => match error.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused: nothing listens there".to_owned(),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no route leads there".to_owned(),
            io::ErrorKind::TimedOut => "no answer; does a firewall stand between?".to_owned(),
            _ => error.to_string(),
        },
    }
}

/// Whether another certificate would help.
pub(super) fn is_about_certificates(error: &io::Error) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let issuer = [CertificateError::UnknownIssuer, CertificateError::BadSignature];
    match tls {
        Some(Error::AlertReceived(_)) => true,
        Some(Error::InvalidCertificate(error)) => issuer.contains(error),
        _ => false,
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired => "its certificate has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate expired on {}", date(*not_after))
        }
        CertificateError::NotValidYet => "its certificate is not valid yet: compare the clocks".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is valid from {} on: compare the clocks", date(*not_before))
        }
        // A foreign authority that bears the same name as ours is told by its signature only.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is of another authority: it belongs to another controller".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another address".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is for another purpose".to_owned()
        }
        other => format!("its certificate is refused: {other}"),
    }
}

/// What the other side found wrong with us.
fn alerted(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateExpired => "it refuses our certificate as expired".to_owned(),
        AlertDescription::UnknownCA | AlertDescription::DecryptError | AlertDescription::BadCertificate => {
            "it refuses our certificate as that of another authority".to_owned()
        }
        AlertDescription::CertificateRequired => "it demands a certificate, and we have none".to_owned(),
        AlertDescription::CertificateRevoked => "it refuses our certificate as revoked".to_owned(),
        other => format!("it refuses us ({other:?})"),
    }
}

fn date(at: UnixTime) -> String {
    format!("{} UTC", Date::utc(at.as_secs() * 1000).text())
}
