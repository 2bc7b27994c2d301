//! Who may talk to the controller.
//!
//! On its own machine: whoever may open the Unix socket (0600, in a directory 0700), and whoever can read the token beside it
//! and shows it on the loopback. From other machines: whoever has a certificate of this home's own authority, over TLS 1.3.
//! The certificate says the name and the role of its bearer; its key was made where it is used and has never left.

mod authority;
mod member;
mod peer;
mod refusal;
mod secret;
mod tls;
mod token;

use std::{net::SocketAddr, time::Duration};

pub use authority::Authority;
pub use member::{Grant, Member, Request};
pub use peer::{Peer, Role};
pub use refusal::why;
pub use tls::{connect, server};
pub(crate) use token::of_ray;
pub use token::{demand, show, token};

/// How long a certificate is good for. Long enough for any run: renewal over the open stream is to come, until then
/// `rldeck up` enrols a host anew whenever it starts an agent there.
pub const LIFE: Duration = Duration::from_secs(90 * 24 * 3600);

/// Refuses to listen where other machines could reach an unencrypted port.
pub fn may_listen_plainly(address: SocketAddr) -> Result<(), String> {
    match address.ip().is_loopback() {
        true => Ok(()),
        false => Err(format!("will not listen on {address} without TLS: it is not on the loopback")),
    }
}

/// Refuses to listen on whatever there is: a certificate names addresses.
pub fn may_listen_with_tls(address: SocketAddr) -> Result<(), String> {
    match address.ip().is_unspecified() {
        false => Ok(()),
        true => {
            Err(format!("will not listen on {address}: name the one address at which the other hosts reach this one"))
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod addresses {
    use super::*;

    #[test]
    fn nothing_is_bound_plainly_off_the_loopback() {
        assert!(may_listen_plainly("127.0.0.1:0".parse().unwrap()).is_ok());
        assert!(may_listen_plainly("0.0.0.0:7000".parse().unwrap()).is_err());
        assert!(may_listen_plainly("10.0.0.1:7000".parse().unwrap()).is_err());
        assert!(may_listen_with_tls("10.0.0.1:7000".parse().unwrap()).is_ok());
        assert!(may_listen_with_tls("[::]:7000".parse().unwrap()).is_err());
    }
}
