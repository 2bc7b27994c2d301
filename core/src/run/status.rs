use std::collections::BTreeMap;

use super::{Checkpoint, Run, ShardState, State};
use crate::{
    argument::{self, Applies},
    deck::{Alert, Change, CheckpointStatus, Deck, RunStatus, Setting, ShardStatus},
    job::RestartPolicy,
    shard::{Millis, Role, Severity, ShardId},
};

impl Run {
    /// Where the files of a run lie.
    pub fn dir(&self, id: &str) -> String {
        format!("{}/runs/{id}", self.home)
    }

    /// Rollouts of the whole run.
    pub fn num_rollout(&self) -> u64 {
        let text = self.in_force().get("num-rollout").cloned();
        text.or_else(|| self.job.as_ref()?.value("num-rollout")).and_then(|n| n.parse().ok()).unwrap_or(0)
    }

    /// Everything that differs from the job.
    pub fn overrides(&self) -> BTreeMap<String, String> {
        self.tuning.set.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect()
    }

    /// What the present attempt runs with: what needs a restart counts from the next one on.
    pub fn in_force(&self) -> BTreeMap<String, String> {
        let begun =
            |name: &str, version: u64| self.applies(name) != Applies::Restart || version <= self.tuning.at_attempt;
        let value = |(name, (value, version)): (&String, &(String, u64))| match begun(name, *version) {
            true => Some((name.clone(), value.clone())),
            false => Some((name.clone(), self.tuning.before.get(name)?.clone())),
        };
        self.tuning.set.iter().filter_map(value).collect()
    }

    /// What of it a living trainer can take in.
    pub fn live_overrides(&self) -> BTreeMap<String, String> {
        self.overrides().into_iter().filter(|(name, _)| self.applies(name) != Applies::Restart).collect()
    }

    fn applies(&self, name: &str) -> Applies {
        match (&self.job, argument::find(name)) {
            (Some(job), Some(argument)) => argument.applies(job.engine),
            _ => Applies::Restart,
        }
    }

    /// No later life of this shard exists in its attempt.
    pub fn newest(&self, id: &ShardId) -> bool {
        !self.shards.contains_key(&ShardId { life: id.life + 1, ..id.clone() })
    }

    /// Whether policy lets this shard, which has ended, be started again in place.
    pub fn may_start_again(&self, id: &ShardId, now: Millis) -> bool {
        let policy = self.policy();
        let lives = self.shards.iter().filter(|(of, shard)| {
            (of.attempt, &of.name) == (id.attempt, &id.name)
                && !shard.state.alive()
                && policy.in_window(shard.since, now)
        });
        lives.count() <= policy.shard_restarts as usize
    }

    /// How long to wait before the next attempt, or why there is to be none. Each wait is twice as long as the one before it.
    pub fn restart_delay(&self, now: Millis) -> Result<Millis, &'static str> {
        let policy = self.policy();
        let before = self.restarts.iter().filter(|at| policy.in_window(**at, now)).count();
        if before >= policy.max_restarts as usize {
            return Err("no restart is left in this window");
        }
        // Only the Ray cluster takes so long to come up that trying the same again is dear.
        let dear = self.job.as_ref().is_some_and(|job| job.engine == crate::job::Engine::Slime);
        if dear && !self.progressed && self.barren >= policy.early_restarts {
            return Err("it has not come to its first step, so another attempt would end the same way");
        }
        Ok((policy.backoff_seconds * 1000.0) as Millis * (1 << before.min(8)))
    }

    fn policy(&self) -> RestartPolicy {
        self.job.as_ref().map(|job| job.restart.clone()).unwrap_or_default()
    }

    /// What a deck must change to show this run.
    pub fn show(&self, deck: &Deck) -> Vec<Change> {
        let mut changes = Vec::new();
        let status = self.status();
        if status != deck.run {
            let another = status.id != deck.run.id;
            changes.push(Change::Run(status));
            if another {
                // The deck forgets all of the old run at this change: what follows is compared with nothing.
                let empty = Deck { run: self.status(), ..Deck::default() };
                changes.extend(self.show(&empty));
                return changes;
            }
        }
        for (id, shard) in &self.shards {
            let shown = ShardStatus {
                id: id.clone(),
                role: shard.role,
                rank: shard.rank,
                node: shard.node.clone(),
                state: shard.state.clone(),
                pid: shard.pid,
                since: shard.since,
            };
            if deck.shards.get(id) != Some(&shown) {
                changes.push(Change::Shard(shown));
            }
        }
        for setting in self.settings() {
            if deck.settings.get(&setting.name) != Some(&setting) {
                changes.push(Change::Setting(setting));
            }
        }
        for checkpoint in self.checkpoint_status() {
            if deck.checkpoints.get(&checkpoint.rollout) != Some(&checkpoint) {
                changes.push(Change::Checkpoint(checkpoint));
            }
        }
        let alerts = self.alerts();
        changes.extend(deck.alerts.keys().filter(|id| !alerts.contains_key(*id)).cloned().map(Change::Clear));
        changes
            .extend(alerts.into_values().filter(|alert| deck.alerts.get(&alert.id) != Some(alert)).map(Change::Raise));
        changes
    }

    fn status(&self) -> RunStatus {
        let mut reason = self.reason.clone();
        let away = |node: &str| self.nodes.get(node) == Some(&false);
        let waits = self.shards.values().find(|shard| shard.state.alive() && away(&shard.node));
        if let (State::Stopping, Some(shard)) = (self.state, waits) {
            reason += &format!("; waiting for {}, which is not heard", shard.node);
        }
        RunStatus {
            id: self.id.clone(),
            job: self.job.as_ref().map(|job| job.name.clone()).unwrap_or_default(),
            engine: self.job.as_ref().map(|job| job.engine.name().to_owned()).unwrap_or_default(),
            state: self.state,
            reason,
            since: self.since,
            launched: self.launched,
            attempt: self.attempt,
            rollout: self.rollout,
            step: self.step,
            num_rollout: self.num_rollout(),
            checkpoint: self.checkpoint.as_ref().map(|checkpoint| checkpoint.rollout),
        }
    }

    fn checkpoint_status(&self) -> impl Iterator<Item = CheckpointStatus> {
        let from = self.checkpoint.as_ref().map(|checkpoint| checkpoint.rollout);
        self.checkpoints.values().map(move |Checkpoint { said, rollout, path, bytes }| CheckpointStatus {
            rollout: *rollout,
            path: path.clone(),
            bytes: *bytes,
            said: *said,
            chosen: from == Some(*rollout),
        })
    }

    fn settings(&self) -> Vec<Setting> {
        let Some(job) = &self.job else { return Vec::new() };
        let shown = argument::catalogue().iter().filter(|argument| argument.shown(job.engine));
        shown
            .map(|argument| {
                let name = argument.name.to_owned();
                let base = job.value(&name).or(argument.default.map(str::to_owned)).unwrap_or_default();
                let refused = self.tuning.refused.get(&name).cloned().unwrap_or_default();
                let changed = self.tuning.set.get(&name);
                let in_force = changed.is_none_or(|(_, version)| match self.applies(&name) {
                    Applies::Restart => *version <= self.tuning.at_attempt,
                    _ => self.tuning.answered(&name),
                });
                match changed {
                    Some((value, _)) if in_force => Setting { name, value: value.clone(), pending: None, refused },
                    Some((value, _)) => {
                        let value_now = self.tuning.before.get(&name).cloned().unwrap_or(base);
                        Setting { name, value: value_now, pending: Some(value.clone()), refused }
                    }
                    None => Setting { name, value: base, pending: None, refused },
                }
            })
            .collect()
    }

    fn alerts(&self) -> BTreeMap<String, Alert> {
        let mut alerts = Vec::new();
        let mut raise = |id: String, severity, since, text| alerts.push(Alert { id, severity, since, text });
        for node in self.nodes.iter().filter(|(_, connected)| !**connected).map(|(node, _)| node) {
            let text = format!("{node} is not heard; its shards go on, and are adopted when its agent is back");
            raise(format!("node:{node}"), Severity::Error, self.since, text);
        }
        for (id, shard) in self.present().filter(|(_, shard)| shard.state.unexpected() && !shard.asked) {
            if shard.role == Role::Prepare || !self.state.alive() || self.newest(id) {
                let text = format!("{} on {} {}", id.label(), shard.node, shard.state);
                raise(format!("shard:{}", id.dir()), Severity::Error, shard.since, text);
            } else {
                let again = ShardId { life: id.life + 1, ..id.clone() };
                let text =
                    format!("{} on {} {}; started again as {}", id.label(), shard.node, shard.state, again.label());
                raise(format!("shard:{}", id.dir()), Severity::Warning, shard.since, text);
            }
        }
        for (at, id, severity, text) in self.notices.iter().filter(|(_, _, severity, _)| *severity > Severity::Info) {
            raise(format!("notice:{}:{severity:?}", id.dir()), *severity, *at, format!("{}: {text}", id.label()));
        }
        for (what, (since, text)) in &self.troubles {
            raise(format!("controller:{what}"), Severity::Error, *since, text.clone());
        }
        if self.state == State::Failed {
            raise("run".to_owned(), Severity::Error, self.since, format!("the run has failed: {}", self.reason));
        }
        alerts.into_iter().map(|alert| (alert.id.clone(), alert)).collect()
    }
}

impl RestartPolicy {
    fn in_window(&self, at: Millis, now: Millis) -> bool {
        (now.saturating_sub(at) as f64) < self.window_minutes * 60_000.0
    }
}

impl ShardState {
    /// In a word, for tables.
    pub fn word(&self) -> &'static str {
        match self {
            ShardState::Starting => "starting",
            ShardState::Running => "running",
            ShardState::Stopping => "stopping",
            ShardState::Exited { code: Some(0), .. } => "ended",
            ShardState::Exited { .. } => "exited",
            ShardState::Killed { .. } => "killed",
            ShardState::Lost => "lost",
        }
    }
}
