use super::{
    super::{Command, Fact, Intent, ShardState, State, Tracked},
    GRACE, Turn,
};
use crate::{
    plan,
    shard::{Millis, Role, ShardId},
};

/// A restart waits so long for nodes that are away.
const PATIENCE: Millis = 3000;

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
        self.start_all();
        let Some((id, shard)) = self.run.present().next() else { return };
        match &shard.state {
            state if state.alive() => {}
            state if !state.unexpected() => self.state(State::Starting, "", Intent::Stop, 0),
            // It has judged for itself; to try again would give the same.
            state @ ShardState::Exited { code: Some(_), .. } => {
                let reason = format!("{} {state}; its log says why", id.label());
                self.state(State::Failed, reason, Intent::Fail, 0);
            }
            state => self.fault(format!("{} {state}", id.label())),
        }
    }

    fn settle_running(&mut self) {
        self.start_all();
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
        let to_stop = |shard: &Tracked| shard.state.alive() && shard.state != ShardState::Stopping;
        let asked: Vec<_> =
            self.run.shards.iter().filter(|(_, shard)| to_stop(shard)).map(|(id, s)| (id.clone(), s.clone())).collect();
        for (id, Tracked { role, rank, node, pid, .. }) in asked {
            self.fact(Fact::Shard { id: id.clone(), role, rank, node: node.clone(), state: ShardState::Stopping, pid });
            self.command(&node, Command::Stop { id, grace: GRACE });
        }
        if self.run.shards.values().any(|shard| shard.state.alive()) {
            return;
        }
        let reason = self.run.reason.clone();
        match self.run.then {
            Intent::Stop => self.state(State::Stopped, reason, Intent::Stop, 0),
            Intent::Fail => self.state(State::Failed, reason, Intent::Fail, 0),
            Intent::Finish => self.state(State::Finished, reason, Intent::Finish, 0),
            Intent::Restart if self.now >= self.run.until && self.nodes_are_back() => self.next_attempt(&reason),
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

    /// Everything is asked to end; what follows then is decided by the intent.
    pub(super) fn end(&mut self, then: Intent, reason: impl Into<String>, until: Millis) {
        self.state(State::Stopping, reason, then, until);
    }

    /// An agent that was killed is back in a moment: an attempt without its node would be a poorer one.
    fn nodes_are_back(&self) -> bool {
        let connected = self.connected();
        let all = self.run.hosts.iter().all(|host| connected.contains(host));
        all || (!connected.is_empty() && self.now.saturating_sub(self.run.since.max(self.run.until)) > PATIENCE)
    }

    pub(super) fn next_attempt(&mut self, reason: &str) {
        let from = self.run.checkpoint.as_ref().map(|checkpoint| checkpoint.rollout);
        // A node that is away is done without.
        let nodes = self.connected();
        self.fact(Fact::Attempt { attempt: self.run.attempt + 1, from, nodes, reason: reason.to_owned() });
    }

    /// Starts what the present state asks for and was not started yet: the preparation, or the shards of the attempt.
    fn start_all(&mut self) {
        let preparing = self.run.state == State::Preparing;
        let planned = plan::shards(self.run).into_iter().filter(|spec| (spec.role == Role::Prepare) == preparing);
        let missing: Vec<ShardId> =
            planned.map(|spec| spec.id).filter(|id| !self.run.shards.contains_key(id)).collect();
        missing.iter().for_each(|id| self.start(id));
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
