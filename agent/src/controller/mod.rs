//! The controller: one task owns the state, everything else sends it messages.
//!
//! An input goes through [`rldeck_core::run::step`]; what follows from it is journalled, then sent. What consoles see is a
//! [`rldeck_core::deck::Deck`] that is changed in this task alone and handed on as deltas.

mod agents;
mod desk;
mod door;
mod journal;
mod metrics;
mod place;
mod serve;
mod taking;
mod watchers;

use std::{fs, io, net::SocketAddr, os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, UnixListener},
    sync::mpsc,
};

use crate::{
    home::{Contact, Home, replace_json},
    identity::{self, Authority},
};
use desk::Desk;

/// Messages that wait for the controller's task; senders wait when it is full.
const QUEUE: usize = 1024;
/// How often time is told to pass.
const TICK: Duration = Duration::from_millis(100);

/// Where agents reach the controller; port 0 takes the one it had before, or any.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Those of this home, on the loopback.
    pub plain: SocketAddr,
    /// Those of other machines.
    pub tls: Vec<SocketAddr>,
}

/// Runs the controller of this home, whose lock the caller holds, until it is shut down.
///
/// # Errors
/// In words for the operator: the port is taken, the home cannot be written.
pub async fn run(home: Home, listen: Listen) -> Result<(), String> {
    identity::may_listen_plainly(listen.plain)?;
    let before = home.contact().ok();
    let (listener, address) = bind(listen.plain, before.as_ref()).await?;
    let address = address.to_string();
    let write = |error: io::Error| format!("{} cannot be written: {error}", home.path().display());
    let token = match &before {
        Some(before) => before.token.clone(),
        None => identity::token().map_err(write)?,
    };
    let doors = doors(&home, &listen.tls, before.as_ref()).await?;
    let unix = socket(&home).map_err(write)?;
    let desk = Desk::open(home.clone())?;
    let contact = Contact {
        address,
        tls: doors.iter().map(door::Door::address).collect(),
        token: token.clone(),
        pid: std::process::id(),
    };
    replace_json(&home.contact_file(), &contact).map_err(write)?;
    let (messages, queue) = mpsc::channel(QUEUE);
    let servers = serve::spawn(listener, doors, unix, token, messages.clone());
    tracing::info!(address = contact.address, tls = ?contact.tls, home = %home.path().display(), "controller is up");
    desk.run(queue, TICK).await;
    // The last answers are on their way to consoles.
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(servers);
    let _ = fs::remove_file(home.socket());
    let _ = fs::remove_file(home.contact_file());
    Ok(())
}

/// The authority is made when somebody may come from elsewhere, and not before.
async fn doors(home: &Home, listen: &[SocketAddr], before: Option<&Contact>) -> Result<Vec<door::Door>, String> {
    if listen.is_empty() {
        return Ok(Vec::new());
    }
    let addresses: Vec<_> = listen.iter().map(SocketAddr::ip).collect();
    let tls = identity::server(&Authority::open(home)?, &addresses)?;
    let mut doors = Vec::new();
    for listen in listen {
        identity::may_listen_with_tls(*listen)?;
        let (listener, address) = bind(*listen, before).await?;
        doors.push(door::Door::new(listener, address, Arc::clone(&tls)));
    }
    Ok(doors)
}

async fn bind(listen: SocketAddr, before: Option<&Contact>) -> Result<(TcpListener, SocketAddr), String> {
    let listener = match before.filter(|_| listen.port() == 0).and_then(|before| had(before, listen)) {
        Some(address) => TcpListener::bind(address).await.ok(),
        None => None,
    };
    let listener = match listener {
        Some(listener) => listener,
        None => TcpListener::bind(listen).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "cannot listen on {listen}: the port is taken by another program; give another one with --listen, or port 0 for any"
            ),
            io::ErrorKind::AddrNotAvailable => format!("cannot listen on {listen}: this machine has no such address"),
            _ => format!("cannot listen on {listen}: {error}"),
        })?,
    };
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    Ok((listener, address))
}

/// The address of this kind that the controller had in its last life.
fn had(before: &Contact, listen: SocketAddr) -> Option<SocketAddr> {
    let plain = before.address.parse().ok();
    plain.into_iter().chain(before.tls.iter().copied()).find(|address| address.ip() == listen.ip())
}

fn socket(home: &Home) -> io::Result<UnixListener> {
    let path = home.socket();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = crate::home::bind_unix(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}
