//! Shards on this machine: started, watched, stopped, adopted. See [`rldeck_core::shard`] for the contract.

mod cgroup;
pub(crate) mod foreign;
mod group;
mod process;
mod shelf;
mod shim;
mod stop;
mod watch;

pub use process::boot_id;
pub(crate) use process::start_ticks;
pub use shelf::{Held, Shelf};
pub use shim::shim;
