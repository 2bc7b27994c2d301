//! The controller: one task owns the state, everything else sends it messages.
//!
//! An input goes through [`rldeck_core::run::step`]; what follows from it is journalled, then sent. What consoles see is a
//! [`rldeck_core::deck::Deck`] that is changed in this task alone and handed on as deltas.

mod agents;
mod desk;
mod journal;
mod metrics;
mod serve;
mod watchers;

use std::{fs, io, net::SocketAddr, os::unix::fs::PermissionsExt, time::Duration};

use tokio::{
    net::{TcpListener, UnixListener},
    sync::mpsc,
};

use crate::{
    home::{Contact, Home, replace_json},
    identity,
};
use desk::Desk;

/// Messages that wait for the controller's task; senders wait when it is full.
const QUEUE: usize = 1024;
/// How often time is told to pass.
const TICK: Duration = Duration::from_millis(100);

/// Runs the controller of this home, whose lock the caller holds, until it is shut down. Agents reach it at `listen`; port 0 takes the one it had before, or any.
///
/// # Errors
/// In words for the operator: the port is taken, the home cannot be written.
pub async fn run(home: Home, listen: SocketAddr) -> Result<(), String> {
    identity::may_listen(listen)?;
    let before = home.contact().ok();
    let listener = bind(listen, before.as_ref()).await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?.to_string();
    let write = |error: io::Error| format!("{} cannot be written: {error}", home.path().display());
    let token = match before {
        Some(before) => before.token,
        None => identity::token().map_err(write)?,
    };
    let unix = socket(&home).map_err(write)?;
    let desk = Desk::open(home.clone())?;
    let contact = Contact { address, token: token.clone(), pid: std::process::id() };
    replace_json(&home.contact_file(), &contact).map_err(write)?;
    let (messages, queue) = mpsc::channel(QUEUE);
    let servers = serve::spawn(listener, unix, token, messages.clone());
    tracing::info!(address = contact.address, home = %home.path().display(), "controller is up");
    desk.run(queue, TICK).await;
    // The last answers are on their way to consoles.
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(servers);
    let _ = fs::remove_file(home.socket());
    let _ = fs::remove_file(home.contact_file());
    Ok(())
}

async fn bind(listen: SocketAddr, before: Option<&Contact>) -> Result<TcpListener, String> {
    if listen.port() == 0
        && let Some(Ok(address)) = before.map(|contact| contact.address.parse::<SocketAddr>())
        && address.ip() == listen.ip()
        && let Ok(listener) = TcpListener::bind(address).await
    {
        return Ok(listener);
    }
    TcpListener::bind(listen).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "cannot listen on {listen}: the port is taken by another program; give another one with --listen, or port 0 for any"
        ),
        _ => format!("cannot listen on {listen}: {error}"),
    })
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
