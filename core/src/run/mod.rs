//! The run: what the controller knows, and the one function that decides what comes next.
//!
//! [`step`] takes an input (an operator's action, a node's report, the clock) and returns effects. The state
//! changes by [`Fact`]s alone: each is applied to the [`Run`] and returned as [`Effect::Journal`] ahead of the
//! effects that follow from it. So a journal that is read back fact by fact gives the same state again.

mod action;
mod fact;
mod state;
mod status;
mod step;

pub use action::{Action, Command, Effect, Input, Outcome, Request, ShardReport};
pub use fact::{Entry, Fact};
pub use state::{Checkpoint, Intent, Run, ShardState, State, Tracked, Tuning};
pub use step::step;

#[cfg(test)]
mod tests;
