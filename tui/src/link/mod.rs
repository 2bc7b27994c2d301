//! The way to the controller: calls for the command line, a wire that heals itself for the console.

mod client;
mod wire;

pub(crate) use client::Client;
pub(crate) use wire::open;
