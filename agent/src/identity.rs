//! Who may talk to the controller.
//!
//! On one machine that is: whoever may open the Unix socket (0600, in a directory 0700), and whoever can read the token
//! beside it and shows it on the loopback. Other machines need certificates; until they are here, nothing is bound off the loopback.

use std::{
    fs::File,
    io::{self, Read},
    net::SocketAddr,
};

use tonic::{Request, Status, metadata::MetadataValue};

/// The metadata key under which the token travels.
const KEY: &str = "authorization";

/// 32 random bytes in hexadecimal.
pub fn token() -> io::Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Refuses to listen where other machines could reach an unencrypted port.
pub fn may_listen(address: SocketAddr) -> Result<(), String> {
    match address.ip().is_loopback() {
        true => Ok(()),
        false => Err(format!(
            "will not listen on {address}: off the loopback every connection needs a certificate, and this build has none; use 127.0.0.1"
        )),
    }
}

/// Adds the token to calls.
pub fn show(token: &str) -> impl FnMut(Request<()>) -> Result<Request<()>, Status> + Clone + use<> {
    let value = MetadataValue::try_from(token).ok();
    move |mut request| {
        let value = value.clone().ok_or_else(|| Status::unauthenticated("the token cannot be sent"))?;
        request.metadata_mut().insert(KEY, value);
        Ok(request)
    }
}

/// Lets in only calls with the token.
pub fn demand(token: String) -> impl FnMut(Request<()>) -> Result<Request<()>, Status> + Clone {
    move |request| {
        let shown = request.metadata().get(KEY).map(|value| value.as_bytes()).unwrap_or_default();
        match same(shown, token.as_bytes()) {
            true => Ok(request),
            false => Err(Status::unauthenticated("wrong token: this agent belongs to another controller")),
        }
    }
}

/// Compares in a time that does not tell where two tokens differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_lets_in() {
        let token = token().unwrap();
        let mut demand = demand(token.clone());
        assert!(demand(show(&token)(Request::new(())).unwrap()).is_ok());
        assert!(demand(Request::new(())).is_err());
        assert!(demand(show("wrong")(Request::new(())).unwrap()).is_err());
    }

    #[test]
    fn nothing_is_bound_off_the_loopback() {
        assert!(may_listen("127.0.0.1:0".parse().unwrap()).is_ok());
        assert!(may_listen("0.0.0.0:7000".parse().unwrap()).is_err());
    }
}
