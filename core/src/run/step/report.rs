use super::{
    super::{Command, Fact, ShardReport, ShardState},
    GRACE, Turn,
};
use crate::shard::{Event, Report, Role, ShardId};

impl Turn<'_> {
    pub(super) fn joined(&mut self, node: String, reports: Vec<ShardReport>) {
        self.who = node.clone();
        if self.run.nodes.get(&node) != Some(&true) {
            self.fact(Fact::Node { node: node.clone(), connected: true });
        }
        let known: Vec<(ShardId, ShardState)> = self
            .run
            .shards
            .iter()
            .filter(|(_, shard)| shard.node == node && shard.state.alive())
            .map(|(id, shard)| (id.clone(), shard.state.clone()))
            .collect();
        for (id, state) in known {
            let held = reports.iter().any(|report| report.id == id);
            match state {
                ShardState::Starting if !held => self.send_start(&id),
                _ if !held => self.shard(ShardReport { id, state: ShardState::Lost, pid: 0 }),
                ShardState::Stopping => self.command(&node, Command::Stop { id, grace: GRACE }),
                _ => {}
            }
        }
        for report in reports {
            if report.state.alive() && !self.run.shards.contains_key(&report.id) {
                self.command(&node, Command::Stop { id: report.id, grace: GRACE });
            } else {
                self.shard(report);
            }
        }
        if self.run.live_overrides().keys().any(|name| !self.run.tuning.answered(name)) {
            self.send_tune();
        }
        self.who = "rldeck".to_owned();
    }

    pub(super) fn shard(&mut self, ShardReport { id, state, pid }: ShardReport) {
        let Some(shard) = self.run.shards.get(&id) else { return };
        // An end is final, and a shard that was asked to stop is stopping until it has ended.
        let news = shard.state.alive()
            && (shard.state != state || shard.pid != pid)
            && (shard.state != ShardState::Stopping || !state.alive() || (pid != 0 && shard.pid != pid));
        if news {
            let asked = shard.state == ShardState::Stopping;
            let state = if asked && state.alive() { ShardState::Stopping } else { state };
            let pid = if pid == 0 { shard.pid } else { pid };
            let (role, rank, node) = (shard.role, shard.rank, shard.node.clone());
            self.who = node.clone();
            let asked = asked && !state.alive();
            self.fact(Fact::Shard { id, role, rank, node, state, pid, asked });
            self.who = "rldeck".to_owned();
        }
    }

    pub(super) fn event(&mut self, id: ShardId, event: Event) {
        self.run.observe(&id, &event);
        if id.attempt != self.run.attempt || !self.run.shards.contains_key(&id) {
            return;
        }
        // Events come again after a crash: each arm takes only what is new.
        match event.report {
            Report::Ready if !self.run.shards[&id].ready => self.fact(Fact::Ready { id }),
            Report::Tuned { version, step, rollout, set, refused }
                if self.run.tuning.is_news(version, set.keys().chain(refused.keys())) =>
            {
                let before = self.run.tuning.from.clone();
                self.fact(Fact::Tuned { version, step, rollout, set, refused });
                if before != self.run.tuning.from {
                    // The training side is to follow at the rollout that the sampling side has named.
                    self.send_tune();
                }
            }
            Report::Checkpoint { rollout, path, bytes }
                if self.run.checkpoints.values().all(|last| last.said < event.at)
                    // What a driver finds on the disk when it starts is news only where nobody knew of it.
                    && !(self.run.shards[&id].role == Role::Driver && self.run.checkpoints.contains_key(&rollout)) =>
            {
                self.fact(Fact::Checkpoint { said: event.at, rollout, path, bytes });
            }
            Report::Notice { severity, text } => {
                let known =
                    self.run.notices.iter().any(|(at, who, _, said)| (*at, who, said) == (event.at, &id, &text));
                if !known {
                    self.fact(Fact::Notice { id, said: event.at, severity, text });
                }
            }
            Report::Finished { rollout } if !self.run.finished => self.fact(Fact::Finished { rollout }),
            _ => {}
        }
    }
}
