//! The wire contract: `proto/rldeck.proto`, the code that it gives, and the way between it and the core's vocabulary.
//!
//! Nothing is decided here. A message that lacks what it must hold is [`Malformed`].

mod convert;

#[rustfmt::skip]
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod wire;

/// Both ends of a stream must name the same number; it grows when a meaning changes.
pub const PROTOCOL: u32 = 1;

/// Larger messages are refused by either end, in bytes.
pub const MOST_MESSAGE: usize = 16 << 20;

/// A message that lacks what it must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message without {0}")]
pub struct Malformed(pub &'static str);
