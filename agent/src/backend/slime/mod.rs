//! slime on Ray: a node of the cluster, and the driver that submits the job and follows it. Both are shards: processes that
//! an agent starts, and that tell what they do by their files.

mod api;
pub(crate) mod checkpoint;
mod driver;
mod events;
mod node;

pub use driver::{Driver, drive};
pub use node::{Node, start};
