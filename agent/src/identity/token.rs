//! The token: agents of the same home show it on the loopback.

use std::{
    fs::File,
    io::{self, Read},
};

use tonic::{Request, Status, metadata::MetadataValue};

use super::secret;
use crate::home::Home;

/// The metadata key under which the token travels.
const KEY: &str = "authorization";

/// 32 random bytes in hexadecimal.
pub fn token() -> io::Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What the Ray clusters of this home ask of everybody: made once, kept where its other keys lie.
pub(crate) fn of_ray(home: &Home) -> io::Result<String> {
    let path = secret::dir(home)?.join("ray.json");
    match secret::read(&path)? {
        Some(token) => Ok(token),
        None => {
            let token = token()?;
            secret::write(&path, &token)?;
            Ok(token)
        }
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
}
