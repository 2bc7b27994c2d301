use super::{
    super::{Command, Fact, Intent, ShardState, State, Tracked},
    GRACE, Turn,
};
use crate::{
    job::Engine,
    plan,
    shard::{MISCONFIGURED, Millis, Role, Severity, ShardId, Tune},
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
        if !plan::shards(self.run).iter().any(|spec| spec.role == Role::Prepare) {
            return self.state(State::Starting, "", Intent::Stop, 0);
        }
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
        for (id, role, state) in dead {
            match (role, &state) {
                (role, state) if role.leads() && self.run.finished && !state.unexpected() => {
                    return self.end(Intent::Finish, format!("all {} rollouts done", self.run.num_rollout()), 0);
                }
                _ if self.run.finished => continue,
                // It has judged for itself that another attempt would end the same way.
                (Role::Driver, ShardState::Exited { code: Some(MISCONFIGURED), .. }) => {
                    let why = self.last_word(&id).unwrap_or_else(|| "its log says why".to_owned());
                    return self.end(Intent::Fail, format!("the job cannot run as it is configured: {why}"), 0);
                }
                (Role::Driver, ShardState::Exited { code: Some(_), .. }) | (Role::Trainer | Role::Ray, _) => {
                    let said = self.last_word(&id).map(|word| format!(": {word}")).unwrap_or_default();
                    let on =
                        if role == Role::Ray { format!(" on {}", self.run.shards[&id].node) } else { String::new() };
                    return self.fault(format!("{}{on} {state}{said}", id.label()));
                }
                _ => {}
            }
            if !self.run.may_start_again(&id, self.now) {
                return self.fault(format!("{} {state}, too often to start it again", id.label()));
            }
            let id = ShardId { life: id.life + 1, ..id };
            self.start(&id);
        }
        let ready = |role: Role| {
            let mut of_role = self.run.present().filter(|(_, shard)| shard.role == role).peekable();
            of_role.peek().is_none() || of_role.any(|(_, shard)| shard.ready && shard.state.alive())
        };
        if self.run.state == State::Starting && [Role::Trainer, Role::Rollout, Role::Driver].into_iter().all(ready) {
            self.state(State::Running, "", Intent::Stop, 0);
        }
    }

    fn settle_stopping(&mut self) {
        // Ray lives until the driver has taken its job back.
        let driven = self.run.shards.values().any(|shard| shard.role == Role::Driver && shard.state.alive());
        let to_stop = |shard: &Tracked| {
            shard.state.alive() && shard.state != ShardState::Stopping && !(driven && shard.role == Role::Ray)
        };
        let asked: Vec<_> =
            self.run.shards.iter().filter(|(_, shard)| to_stop(shard)).map(|(id, s)| (id.clone(), s.clone())).collect();
        for (id, Tracked { role, rank, node, pid, .. }) in asked {
            self.fact(Fact::Shard {
                id: id.clone(),
                role,
                rank,
                node: node.clone(),
                state: ShardState::Stopping,
                pid,
                asked: false,
            });
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
            Ok(delay) => {
                let reason = format!("{what}; next attempt {}", self.from());
                self.end(Intent::Restart, reason, self.now + delay.max(1));
            }
            Err(why) => self.end(Intent::Fail, format!("{what}; {why}"), 0),
        }
    }

    /// Everything is asked to end; what follows then is decided by the intent.
    pub(super) fn end(&mut self, then: Intent, reason: impl Into<String>, until: Millis) {
        self.state(State::Stopping, reason, then, until);
    }

    /// What a shard has said last that was an error.
    fn last_word(&self, of: &ShardId) -> Option<String> {
        let said = self.run.notices.iter().rev().find(|(_, id, how, _)| id == of && *how == Severity::Error);
        said.map(|(.., text)| text.clone())
    }

    /// An agent that was killed is back in a moment: an attempt without its node would be a poorer one, and for slime,
    /// whose layout counts on every node, none at all.
    fn nodes_are_back(&self) -> bool {
        let connected = self.connected();
        let all = self.run.hosts.iter().all(|host| connected.contains(host));
        all || self.named_hosts().is_none()
            && (!connected.is_empty() && self.now.saturating_sub(self.run.since.max(self.run.until)) > PATIENCE)
    }

    /// The hosts of a job that runs on these and no others.
    fn named_hosts(&self) -> Option<Vec<String>> {
        let job = self.run.job.as_ref().filter(|job| job.engine == Engine::Slime)?;
        Some(job.cluster.hosts.clone())
    }

    pub(super) fn next_attempt(&mut self, reason: &str) {
        let from = self.run.checkpoint.as_ref().map(|checkpoint| checkpoint.rollout);
        // A node that is away is done without, where the job does not name it.
        let nodes = self.named_hosts().unwrap_or_else(|| self.connected());
        let barren = if self.run.progressed || self.run.attempt == 0 { 0 } else { self.run.barren + 1 };
        let attempt = self.run.attempt + 1;
        self.fact(Fact::Attempt { attempt, from, nodes, reason: reason.to_owned(), barren });
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
        self.fact(Fact::Shard {
            id: id.clone(),
            role,
            rank,
            node: node.clone(),
            state: ShardState::Starting,
            pid: 0,
            asked: false,
        });
        self.command(&node, Command::Start(spec));
        // What was changed live in an earlier attempt holds in this one too.
        let set = self.run.live_overrides();
        if role == Role::Ray && !set.is_empty() {
            let tune = Tune { version: self.run.tuning.version, set, ..Tune::default() };
            self.command(&node, Command::Tune { id: id.clone(), tune });
        }
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
