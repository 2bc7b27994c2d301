use std::collections::BTreeMap;

use super::{
    Action, Command, Effect, Entry, Fact, Input, Intent, Outcome, Request, Run, ShardReport, ShardState, State,
};
use crate::{
    argument::{self, Applies},
    job::{Engine, Job},
    plan,
    shard::{Event, Millis, Report, Role, Severity, ShardId, Tune},
};

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

    // --- operators ---

    fn act(&mut self, Request { id, who, action }: Request) {
        if let Some((_, outcome)) = self.run.answers.iter().find(|(known, _)| *known == id) {
            let outcome = outcome.clone();
            return self.effects.push(Effect::Answer { id, outcome });
        }
        self.who = who;
        let name = action.name().to_owned();
        let answer = match action {
            Action::Launch { text, .. } if text.is_empty() => self.resume(),
            Action::Launch { text, file, vars } => self.launch(&text, &file, &vars),
            Action::Restart => self.restart(),
            Action::Stop => self.stop(),
            Action::Tune(set) => self.tune(set),
        };
        let outcome = match answer {
            Ok((text, tune)) => Outcome { accepted: true, text, tune },
            Err(text) => Outcome { accepted: false, text, tune: None },
        };
        let Outcome { accepted, text, tune } = outcome.clone();
        self.fact(Fact::Answered { id: id.clone(), action: name, accepted, text, tune });
        self.effects.push(Effect::Answer { id, outcome });
        self.who = "rldeck".to_owned();
    }

    fn launch(&mut self, text: &str, file: &str, vars: &BTreeMap<String, String>) -> Answer {
        if self.run.state.alive() {
            return Err(format!("run {} is {}; stop it first", self.run.id, self.run.state.name()));
        }
        if self.connected().is_empty() {
            return Err("no agent has joined; start one with `rldeck agent`".to_owned());
        }
        let read = |id: &str| {
            Job::read(text, file, &|name| match name {
                "RUN_DIR" => Some(self.run.dir(id)),
                "CACHE" => Some(format!("{}/cache", self.run.home)),
                _ => vars.get(name).cloned(),
            })
            .map_err(|findings| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        };
        let name = read("?")?.0.name;
        let id = format!("{}-{name}", stamp(self.now));
        let (job, findings) = read(&id)?;
        if job.engine != Engine::Embedded {
            return Err("this build runs engine = \"embedded\" only".to_owned());
        }
        let mut said = format!("run {id}");
        findings.iter().for_each(|finding| said += &format!("\n{finding}"));
        self.fact(Fact::Launched { run: id, job: job.to_toml() });
        self.next_attempt("launched");
        Ok((said, None))
    }

    fn resume(&mut self) -> Answer {
        match self.run.state {
            State::Stopped | State::Failed => {
                self.next_attempt("launched again");
                Ok((format!("attempt {} {}", self.run.attempt, self.from()), None))
            }
            State::Finished => Err("this run has come to its end; start another with `rldeck up JOB.toml`".to_owned()),
            State::Idle => Err("there is no run; start one with `rldeck up JOB.toml`".to_owned()),
            state => Err(format!("run {} is {} already", self.run.id, state.name())),
        }
    }

    fn restart(&mut self) -> Answer {
        match self.run.state {
            State::Stopping if self.run.then == Intent::Restart => Ok(("it is restarting already".to_owned(), None)),
            state if state.alive() => {
                let reason = format!("restart asked for by {}", self.who);
                self.end(Intent::Restart, reason, 0);
                Ok((format!("attempt {} will go on {}", self.run.attempt + 1, self.from()), None))
            }
            _ => self.resume(),
        }
    }

    fn stop(&mut self) -> Answer {
        match self.run.state {
            State::Stopping if self.run.then == Intent::Stop => Ok(("it is stopping already".to_owned(), None)),
            state if state.alive() => {
                let reason = format!("asked for by {}", self.who);
                self.end(Intent::Stop, reason, 0);
                Ok((format!("run {} is stopping", self.run.id), None))
            }
            State::Idle => Err("there is no run".to_owned()),
            state => Ok((format!("run {} is {} already", self.run.id, state.name()), None)),
        }
    }

    fn tune(&mut self, set: BTreeMap<String, String>) -> Answer {
        let Some(job) = &self.run.job else { return Err("there is no run to tune".to_owned()) };
        if set.is_empty() {
            return Err("nothing to change: give NAME=VALUE".to_owned());
        }
        let mut wrong = Vec::new();
        let mut said = Vec::new();
        for (name, value) in &set {
            let Some(argument) = argument::find(name).filter(|argument| argument.embedded) else {
                let nearest = argument::nearest(name).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                wrong.push(format!("`{name}` is not an argument of this engine{nearest}"));
                continue;
            };
            if let Err(why) = argument.check(value) {
                wrong.push(why);
            }
            said.push(match argument.applies(job.engine) {
                Applies::Live => format!("{name} = {value} from the next step"),
                applies => format!("{name} = {value} at the {}", applies.label()),
            });
        }
        if wrong.is_empty() {
            let mut all = self.run.overrides();
            all.extend(set.clone());
            wrong.extend(job.check(&all).into_iter().map(|finding| finding.text));
        }
        if !wrong.is_empty() {
            return Err(wrong.join("\n"));
        }
        let version = self.run.tuning.version + 1;
        self.fact(Fact::Tune { version, set });
        self.send_tune();
        Ok((said.join(", "), Some(version)))
    }

    fn send_tune(&mut self) {
        let tune = Tune { version: self.run.tuning.version, set: self.run.live_overrides() };
        if let Some((id, shard)) = self.run.trainer() {
            let (id, node) = (id.clone(), shard.node.clone());
            self.command(&node, Command::Tune { id, tune });
        }
    }

    // --- nodes and shards ---

    fn joined(&mut self, node: String, reports: Vec<ShardReport>) {
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
        if self.run.tuning.version > self.run.tuning.acknowledged {
            self.send_tune();
        }
        self.who = "rldeck".to_owned();
    }

    fn shard(&mut self, ShardReport { id, state, pid }: ShardReport) {
        let Some(shard) = self.run.shards.get(&id) else { return };
        // An end is final, and a shard that was asked to stop is stopping until it has ended.
        let news = shard.state.alive()
            && (shard.state != state || shard.pid != pid)
            && (shard.state != ShardState::Stopping || !state.alive() || (pid != 0 && shard.pid != pid));
        if news {
            let state = if shard.state == ShardState::Stopping && state.alive() { ShardState::Stopping } else { state };
            let pid = if pid == 0 { shard.pid } else { pid };
            let (role, rank, node) = (shard.role, shard.rank, shard.node.clone());
            self.who = node.clone();
            self.fact(Fact::Shard { id, role, rank, node, state, pid });
            self.who = "rldeck".to_owned();
        }
    }

    fn event(&mut self, id: ShardId, event: Event) {
        self.run.observe(&id, &event);
        if id.attempt != self.run.attempt || !self.run.shards.contains_key(&id) {
            return;
        }
        // Events come again after a crash: each arm takes only what is new.
        match event.report {
            Report::Ready if !self.run.shards[&id].ready => self.fact(Fact::Ready { id }),
            Report::Tuned { version, step, rollout, refused, .. } if version > self.run.tuning.acknowledged => {
                self.fact(Fact::Tuned { version, step, rollout, refused });
            }
            Report::Checkpoint { rollout, path, bytes }
                if self.run.checkpoint.as_ref().is_none_or(|last| last.rollout < rollout) =>
            {
                self.fact(Fact::Checkpoint { rollout, path, bytes });
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

    // --- what the state as a whole asks for ---

    fn settle(&mut self) {
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
            Intent::Restart if self.now >= self.run.until => self.next_attempt(&reason),
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

    fn end(&mut self, then: Intent, reason: impl Into<String>, until: Millis) {
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

    fn next_attempt(&mut self, reason: &str) {
        let from = self.run.checkpoint.as_ref().map(|checkpoint| checkpoint.rollout);
        // A node that is away is done without; when all are away the last ones are waited for.
        let nodes = Some(self.connected()).filter(|nodes| !nodes.is_empty()).unwrap_or_else(|| self.run.hosts.clone());
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

    fn send_start(&mut self, id: &ShardId) {
        if let Some(spec) = plan::spec(self.run, id) {
            self.command(&spec.node.clone(), Command::Start(spec));
        }
    }

    fn connected(&self) -> Vec<String> {
        self.run.nodes.iter().filter(|(_, connected)| **connected).map(|(node, _)| node.clone()).collect()
    }

    fn from(&self) -> String {
        match &self.run.checkpoint {
            Some(checkpoint) => format!("after rollout {}", checkpoint.rollout + 1),
            None => "from the start".to_owned(),
        }
    }
}

type Answer = Result<(String, Option<u64>), String>;

/// `20261123-183000`, UTC: sorts by time.
fn stamp(at: Millis) -> String {
    let seconds = at / 1000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days to a civil date: Howard Hinnant, "chrono-compatible low-level date algorithms".
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}-{:02}{:02}{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

/// An alert's severity for a notice: information is journalled, not raised.
pub(super) fn stands(severity: Severity) -> bool {
    severity > Severity::Info
}

#[cfg(test)]
mod tests {
    #[test]
    fn stamps_sort_by_time() {
        assert_eq!(super::stamp(1_795_458_600_000), "20261123-183000");
        assert_eq!(super::stamp(951_782_400_000), "20000229-000000");
    }
}
