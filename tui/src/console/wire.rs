//! What passes between the console and the network: news in, requests out.

use rldeck_core::{
    deck::Delta,
    run::{Action, Outcome},
    shard::Millis,
};
use tokio::sync::mpsc;

/// What the network tells the console.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum News {
    /// The link to the controller is otherwise than before.
    Link(LinkState),
    /// The deck has changed.
    Delta(Delta),
    /// A request was answered.
    Answer {
        /// What was asked for.
        action: Action,
        /// The answer.
        outcome: Outcome,
    },
}

/// How the link to the controller is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LinkState {
    /// It has never been up.
    Connecting {
        /// Since when it is tried.
        since: Millis,
        /// Why it is not up; empty at the first try.
        why: String,
    },
    /// It is up.
    Up {
        /// Of the last exchange.
        round_trip_ms: f32,
    },
    /// It was up and is not any more; it is tried again.
    Lost {
        /// Since when.
        since: Millis,
        /// Why.
        why: String,
    },
}

/// The two ends that a console holds.
#[derive(Debug)]
pub(crate) struct Wire {
    /// What the network tells.
    pub(crate) news: mpsc::Receiver<News>,
    /// What the operator asks for.
    pub(crate) requests: mpsc::Sender<Action>,
}
