use super::{
    super::{Command, Fact, Intent, ShardState, State},
    GRACE, Turn,
};
use crate::{
    plan,
    shard::{Millis, Role, ShardId},
};

impl Turn<'_> {
    /// Goes on until the state asks for nothing more.
    pub(super) fn settle(&mut self) {
        loop {
            let before = self.run.seq;
            match self.run.state {
                State::Preparing => self.settle_preparing(),
                State::Starting | State::Running => self.settle_running(),
                State::Stopping => self.settle_stopping(),
                State::Idle | State::Stopped | State::Failed | State::Finished => {}
            }
            if self.run.seq == before {
                return;
            }
        }
    }

    fn settle_preparing(&mut self) {
        let Some((id, shard)) = self.run.present().next() else { return };
        if shard.state.alive() {
            return;
        }
        if shard.state.unexpected() {
            let reason = format!("{} {}; its log says why", id.label(), shard.state);
            self.state(State::Failed, reason, Intent::Fail, 0);
        } else {
            self.state(State::Starting, "", Intent::Stop, 0);
            self.start_all();
        }
    }

    fn settle_running(&mut self) {
        let dead: Vec<(ShardId, Role, ShardState)> = self
            .run
            .present()
            .filter(|(id, shard)| shard.role != Role::Prepare && !shard.state.alive() && self.run.newest(id))
            .map(|(id, shard)| (id.clone(), shard.role, shard.state.clone()))
            .collect();
        if let Some((id, _, state)) = dead.iter().find(|(_, role, _)| *role == Role::Trainer) {
            return match self.run.finished && !state.unexpected() {
                true => self.end(Intent::Finish, format!("all {} rollouts done", self.run.num_rollout()), 0),
                false => self.fault(format!("{} {state}", id.label())),
            };
        }
        for (id, _, state) in dead {
            if self.run.finished {
                continue;
            }
            if !self.run.may_start_again(&id, self.now) {
                return self.fault(format!("{} {state}, too often to start it again", id.label()));
            }
            let id = ShardId { life: id.life + 1, ..id };
            self.start(&id);
        }
        let ready =
            |role| self.run.present().any(|(_, shard)| shard.role == role && shard.ready && shard.state.alive());
        if self.run.state == State::Starting && ready(Role::Trainer) && ready(Role::Rollout) {
            self.state(State::Running, "", Intent::Stop, 0);
        }
    }

    fn settle_stopping(&mut self) {
        if self.run.shards.values().any(|shard| shard.state.alive()) {
            return;
        }
        let reason = self.run.reason.clone();
        match self.run.then {
            Intent::Stop => self.state(State::Stopped, reason, Intent::Stop, 0),
            Intent::Fail => self.state(State::Failed, reason, Intent::Fail, 0),
            Intent::Finish => self.state(State::Finished, reason, Intent::Finish, 0),
            Intent::Restart if self.now >= self.run.until && !self.connected().is_empty() => self.next_attempt(&reason),
            Intent::Restart => {}
        }
    }

    /// The attempt cannot go on: restart by policy, or fail.
    fn fault(&mut self, what: String) {
        match self.run.restart_delay(self.now) {
            Some(delay) => {
                let reason = format!("{what}; next attempt {}", self.from());
                self.end(Intent::Restart, reason, self.now + delay.max(1));
            }
            None => self.end(Intent::Fail, format!("{what}; no restart is left in this window"), 0),
        }
    }

    pub(super) fn end(&mut self, then: Intent, reason: impl Into<String>, until: Millis) {
        self.state(State::Stopping, reason, then, until);
        let alive: Vec<_> = self
            .run
            .shards
            .iter()
            .filter(|(_, shard)| shard.state.alive())
            .map(|(id, shard)| (id.clone(), shard.clone()))
            .collect();
        for (id, shard) in alive {
            if shard.state != ShardState::Stopping {
                let (role, rank, node, pid) = (shard.role, shard.rank, shard.node.clone(), shard.pid);
                self.fact(Fact::Shard { id: id.clone(), role, rank, node, state: ShardState::Stopping, pid });
            }
            self.command(&shard.node, Command::Stop { id, grace: GRACE });
        }
    }

    pub(super) fn next_attempt(&mut self, reason: &str) {
        let from = self.run.checkpoint.as_ref().map(|checkpoint| checkpoint.rollout);
        // A node that is away is done without.
        let nodes = self.connected();
        self.fact(Fact::Attempt { attempt: self.run.attempt + 1, from, nodes });
        let state = if self.run.prepared { State::Starting } else { State::Preparing };
        self.state(state, reason, Intent::Stop, 0);
        self.start_all();
    }

    /// Starts all that the present state asks for: the preparation, or the shards of the attempt.
    fn start_all(&mut self) {
        let preparing = self.run.state == State::Preparing;
        let ids: Vec<ShardId> = plan::shards(self.run)
            .into_iter()
            .filter(|s| (s.role == Role::Prepare) == preparing)
            .map(|s| s.id)
            .collect();
        ids.iter().for_each(|id| self.start(id));
    }

    fn start(&mut self, id: &ShardId) {
        let Some(spec) = plan::spec(self.run, id) else { return };
        let (role, rank, node) = (spec.role, spec.rank, spec.node.clone());
        self.fact(Fact::Shard { id: id.clone(), role, rank, node: node.clone(), state: ShardState::Starting, pid: 0 });
        self.command(&node, Command::Start(spec));
    }

    pub(super) fn send_start(&mut self, id: &ShardId) {
        if let Some(spec) = plan::spec(self.run, id) {
            self.command(&spec.node.clone(), Command::Start(spec));
        }
    }

    pub(super) fn connected(&self) -> Vec<String> {
        self.run.nodes.iter().filter(|(_, connected)| **connected).map(|(node, _)| node.clone()).collect()
    }

    pub(super) fn from(&self) -> String {
        match &self.run.checkpoint {
            Some(checkpoint) => format!("after rollout {}", checkpoint.rollout),
            None => "from the start".to_owned(),
        }
    }
}
