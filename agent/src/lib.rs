//! Everything that touches a machine: shards, tails, the probe, the agent's stream, the controller.

pub mod backend;
pub mod bootstrap;
pub mod controller;
pub mod detach;
pub mod home;
pub mod identity;
pub mod keep;
pub mod node;
pub mod probe;
pub mod shard;
mod tail;
mod time;

pub use time::now;
