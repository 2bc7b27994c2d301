//! The shard contract: what a supervised process and its agent owe each other.
//!
//! A shard is one supervised process. It lives in a directory, and the directory is the interface:
//!
//! | file | written by | holds |
//! |---|---|---|
//! | `spec.json` | agent, before the start | [`Spec`] |
//! | `pid.json` | shim | [`Identity`] |
//! | `out.log` | the process | stdout and stderr, appended |
//! | `events.jsonl` | the process | one [`Event`] a line, appended whole |
//! | `tune.json` | agent, replaced atomically | [`Tune`] |
//! | `exit.json` | shim, replaced atomically | [`Exit`] |

mod event;
mod files;
mod spec;

pub use event::{Event, Funnel, Report, Sample, Severity};
pub use files::{Exit, Identity, Tune};
pub use spec::{Role, ShardId, Spec};

/// Milliseconds since the Unix epoch, UTC.
pub type Millis = u64;

/// The exit status of a shard that cannot do what it is told, so that another attempt would end the same way.
pub const MISCONFIGURED: i32 = 78;

/// What to run; written before the start.
pub const SPEC: &str = "spec.json";
/// Who runs; written by the shim.
pub const PID: &str = "pid.json";
/// stdout and stderr of the process.
pub const LOG: &str = "out.log";
/// What the shard reports, one [`Event`] a line.
pub const EVENTS: &str = "events.jsonl";
/// Live changes of arguments.
pub const TUNE: &str = "tune.json";
/// How the process ended.
pub const EXIT: &str = "exit.json";
