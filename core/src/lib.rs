//! The vocabulary and the rules of rldeck.
//!
//! Nothing here waits, opens a socket, reads a clock, draws or starts a process:
//! the other rooms bring facts in and carry decisions out.

pub mod argument;
pub mod date;
pub mod deck;
pub mod finding;
pub mod forecast;
pub mod host;
pub mod job;
pub mod layout;
pub mod nearest;
pub mod plan;
pub mod process;
pub mod record;
pub mod run;
pub mod shard;
