//! What comes next: by an operator's action, by a report of an agent, and by what the state as a whole asks for.

mod operator;
mod report;
mod settle;

use super::{Command, Effect, Entry, Fact, Input, Intent, Run, State};
use crate::shard::Millis;

/// Between SIGTERM and SIGKILL: time enough to save a checkpoint of the built-in engine.
const GRACE: Millis = 10_000;

/// Decides what follows from an input: the only place where it is decided.
pub fn step(run: &mut Run, now: Millis, input: Input) -> Vec<Effect> {
    let mut turn = Turn { run, now, who: "rldeck".to_owned(), effects: Vec::new() };
    match input {
        Input::Act(request) => turn.act(request),
        Input::Joined { node, shards } => turn.joined(node, shards),
        Input::Left { node } => {
            if turn.run.nodes.get(&node) == Some(&true) {
                turn.fact(Fact::Node { node, connected: false });
            }
        }
        Input::Shard(report) => turn.shard(report),
        Input::Event { id, event } => turn.event(id, event),
        Input::Tick => {}
    }
    turn.settle();
    turn.effects
}

struct Turn<'a> {
    run: &'a mut Run,
    now: Millis,
    who: String,
    effects: Vec<Effect>,
}

impl Turn<'_> {
    fn fact(&mut self, fact: Fact) {
        let entry = Entry { seq: self.run.seq + 1, at: self.now, who: self.who.clone(), fact };
        self.run.apply(&entry);
        self.effects.push(Effect::Journal(entry));
    }

    fn command(&mut self, node: &str, command: Command) {
        self.effects.push(Effect::Command { node: node.to_owned(), command });
    }

    fn state(&mut self, state: State, reason: impl Into<String>, then: Intent, until: Millis) {
        self.fact(Fact::State { state, reason: reason.into(), then, until });
    }
}
