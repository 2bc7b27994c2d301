//! What a log line means.
//!
//! slime, Megatron, SGLang and Ray say what they do in the lines they print. [`parse`] takes one physical line and says
//! what is in it, as [`Record`]s; a [`Reader`] follows one file and turns its records into the reports of the
//! [shard contract](crate::shard). Lines are foreign text: any bytes, any length, never obeyed. One pass over each,
//! no backtracking, and nothing is allocated for a line that says nothing.
//!
//! | file | knows |
//! |---|---|
//! | `lines` | where a physical line is cut, what terminal codes are |
//! | `head` | who printed a line: Ray's prefix, SGLang's rank tag |
//! | `scan` | which literals tell a line of interest, in one automaton |
//! | `literal` | Python dictionaries |
//! | `metric`, `timer`, `bar`, `place`, `checkpoint`, `engine`, `job` | one kind of line each |
//! | `fault` | what went wrong and what to do, as a table |
//! | `phase`, `progress`, `steps`, `load`, `identity`, `reader` | what a file says over time |

mod bar;
mod checkpoint;
mod cursor;
mod engine;
mod fault;
mod head;
mod identity;
mod job;
mod lines;
mod literal;
mod load;
mod metric;
mod parse;
mod phase;
mod place;
mod progress;
mod reader;
mod scan;
mod severity;
mod steps;
#[cfg(test)]
mod tests;
mod timer;

use std::borrow::Cow;

pub use bar::Bar;
pub use checkpoint::Checkpoint;
pub use engine::{Batch, BatchKind};
pub use fault::{FAULTS, Fault, Restart, Sign};
pub use head::{Scheduler, Source};
pub use identity::Identity;
pub use job::JobState;
pub use literal::{Items, Value, Values};
pub use load::Load;
pub use metric::Kind;
pub use parse::parse;
pub use place::{Bundle, Waiting};
pub use reader::{Addresses, Context, Reader};
pub use severity::severity;

/// What one line, or a part of it, says. Texts are as printed; bytes that are no UTF-8 are replaced.
#[derive(Clone, Debug)]
pub enum Record<'a> {
    /// The line was forwarded by Ray from this process. Comes before what the line says.
    Source(Source<'a>),
    /// The file belongs to this Ray job (head of a worker file).
    JobId(Cow<'a, str>),
    /// The file belongs to an actor of this class (head of a worker file).
    Actor(Cow<'a, str>),
    /// The process has this rank among the trainers.
    Rank(u32),
    /// The line was printed by this SGLang scheduler. Comes before what the line says.
    Scheduler(Scheduler),
    /// Values of an optimizer step, a rollout, an evaluation.
    Metrics {
        /// What they belong to.
        kind: Kind,
        /// The number that the line bears: a step for the step kinds, else a rollout.
        number: u64,
        /// The values.
        values: Values<'a>,
    },
    /// A named piece of work begins, or has ended after so many seconds.
    Timer {
        /// slime's name of it: `actor_train`.
        name: &'a str,
        /// Seconds, when it has ended.
        ended: Option<f64>,
    },
    /// A progress bar, redrawn.
    Bar(Bar<'a>),
    /// GPU and host memory as a trainer sees it.
    Memory {
        /// `before offload model`, `after wake_up model`, ...
        when: Cow<'a, str>,
        /// The trainer's rank, when the line tells it.
        rank: Option<u32>,
        /// `total_GB`, `free_GB`, `host_available_GB`, ...
        values: Values<'a>,
    },
    /// The job waits until Ray has all its GPUs.
    Waiting(Waiting),
    /// Where one logical GPU of the job lies.
    Bundle(Bundle<'a>),
    /// Megatron saves or loads.
    Checkpoint(Checkpoint<'a>),
    /// An inference engine got its port.
    EnginePort {
        /// Which one, counted over all engine processes.
        engine: u32,
        /// Its host.
        host: Cow<'a, str>,
        /// Its HTTP port.
        port: u16,
    },
    /// The engine process of this file listens here.
    EngineAt(Cow<'a, str>),
    /// The engine of this file takes requests.
    EngineReady,
    /// The router in front of the engines.
    Router {
        /// `host:port`.
        address: Cow<'a, str>,
        /// Port of its own metrics.
        prometheus: Option<u16>,
    },
    /// How busy a scheduler is.
    Batch(Batch<'a>),
    /// The KV cache is full: so many requests were put back into the queue.
    CacheFull {
        /// Requests put back.
        retracted: u64,
    },
    /// What a model read and wrote: the rest of the line is data, whatever words are in it.
    Data,
    /// Something went wrong.
    Fault {
        /// What, and what to do.
        fault: &'static Fault,
        /// The part of the line around the words that tell it.
        text: Cow<'a, str>,
    },
    /// What `ray job submit` says of the job.
    Job {
        /// Submission id.
        name: Cow<'a, str>,
        /// What became of it.
        state: JobState,
    },
    /// From here on `ray job submit` prints lines again that it printed before.
    Dump,
}

/// Bytes as text.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
