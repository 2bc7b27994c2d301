use std::collections::BTreeMap;

use super::{
    super::{Action, Command, Effect, Fact, Intent, Outcome, Request, State},
    Turn,
};
use crate::{
    argument::{self, Applies},
    date::Date,
    finding::Finding,
    job::{Engine, Job},
    process::Foreign,
    shard::{Severity, Tune},
};

/// What an operator is told: what was taken on, with the version of a change of arguments; or why it was refused.
type Answer = Result<(String, Option<u64>), String>;

impl Turn<'_> {
    pub(super) fn act(&mut self, Request { id, who, action }: Request) {
        if let Some((_, outcome)) = self.run.answers.iter().find(|(known, _)| *known == id) {
            let outcome = outcome.clone();
            return self.effects.push(Effect::Answer { id, outcome });
        }
        self.who = who;
        let name = action.name().to_owned();
        let answer = match action {
            Action::Launch { text, .. } if text.is_empty() => self.resume(),
            Action::Launch { text, file, vars, hosts } => self.launch(&text, &file, &vars, hosts),
            Action::Restart { from } => self.restart(from),
            Action::Stop => self.stop(),
            Action::Tune(set) => self.tune(set),
            Action::Sweep { node, processes } => self.sweep(&node, processes),
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

    fn launch(&mut self, text: &str, file: &str, vars: &BTreeMap<String, String>, hosts: Vec<String>) -> Answer {
        if self.run.state.alive() {
            return Err(format!("run {} is {}; stop it first", self.run.id, self.run.state.name()));
        }
        let read = |id: &str| {
            Job::read(text, file, &|name| match name {
                "RUN_DIR" => Some(self.run.dir(id)),
                "CACHE" => Some(format!("{}/cache", self.run.home)),
                _ => vars.get(name).cloned(),
            })
            .map_err(lines)
        };
        let name = read("?")?.0.name;
        let id = format!("{}-{name}", Date::utc(self.now).stamp());
        let (mut job, mut findings) = read(&id)?;
        if !hosts.is_empty() {
            (job.cluster.hosts, job.cluster.hostfile) = (hosts, None);
            // Now that the machines are known, the rules judge anew.
            (job, findings) = Job::read(&job.to_toml(), "the job on these hosts", &|_| None).map_err(lines)?;
        }
        self.need_hosts(&job)?;
        let mut said = format!("run {id}");
        findings.iter().for_each(|finding| said += &format!("\n{finding}"));
        self.fact(Fact::Launched { run: id, job: job.to_toml() });
        self.next_attempt("launched");
        Ok((said, None))
    }

    fn resume(&mut self) -> Answer {
        match self.run.state {
            State::Stopped | State::Failed => {
                if let Some(job) = &self.run.job {
                    self.need_hosts(job)?;
                }
                self.next_attempt("launched again");
                Ok((format!("attempt {} {}", self.run.attempt, self.from()), None))
            }
            State::Finished => Err("this run has come to its end; start another with `rldeck up JOB.toml`".to_owned()),
            State::Idle => Err("there is no run; start one with `rldeck up JOB.toml`".to_owned()),
            state => Err(format!("run {} is {} already", self.run.id, state.name())),
        }
    }

    /// The agents that the job needs have joined.
    fn need_hosts(&self, job: &Job) -> Result<(), String> {
        let connected = self.connected();
        if job.engine == Engine::Embedded {
            return match connected.is_empty() {
                true => Err("no agent has joined; start one with `rldeck agent`".to_owned()),
                false => Ok(()),
            };
        }
        if job.cluster.hosts.is_empty() {
            return Err("the job names no hosts: write hosts or hostfile below [cluster]".to_owned());
        }
        let missing: Vec<_> = job.cluster.hosts.iter().filter(|host| !connected.contains(host)).cloned().collect();
        match missing.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "no agent has joined from {}; `rldeck up JOB` brings agents up on all hosts",
                missing.join(", ")
            )),
        }
    }

    fn restart(&mut self, from: Option<u64>) -> Answer {
        if let Some(from) = from {
            self.choose(from)?;
        }
        match self.run.state {
            State::Stopping if self.run.then == Intent::Restart => Ok(("it is restarting already".to_owned(), None)),
            state if state.alive() => {
                let reason = format!("restart asked for by {}", self.who);
                self.end(Intent::Restart, reason, 0);
                let next = self.run.attempt + 1;
                Ok((format!("attempt {next} follows, {} or what is saved at the end", self.from()), None))
            }
            _ => self.resume(),
        }
    }

    /// The next attempt is to go on from this checkpoint.
    fn choose(&mut self, from: u64) -> Result<(), String> {
        let Some(job) = &self.run.job else { return Err("there is no run".to_owned()) };
        if job.engine == Engine::Embedded && self.run.checkpoint.as_ref().is_some_and(|last| last.rollout != from) {
            return Err("the built-in engine goes on from its last checkpoint only".to_owned());
        }
        if !self.run.checkpoints.contains_key(&from) {
            let known: Vec<_> = self.run.checkpoints.keys().map(u64::to_string).collect();
            let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
            return Err(format!("no complete checkpoint holds rollout {from} as its last: there are {known}"));
        }
        self.fact(Fact::Chosen { rollout: from });
        Ok(())
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

    fn sweep(&mut self, node: &str, processes: Vec<Foreign>) -> Answer {
        if self.run.nodes.get(node) != Some(&true) {
            return Err(format!("{node} is not connected: nothing can be ended there now"));
        }
        let named: Vec<_> = processes.iter().map(|of| format!("{} ({})", of.pid, of.title)).collect();
        self.command(node, Command::Sweep(processes));
        Ok((format!("on {node}: {}", named.join(", ")), None))
    }

    fn tune(&mut self, set: BTreeMap<String, String>) -> Answer {
        let Some(job) = &self.run.job else { return Err("there is no run to tune".to_owned()) };
        if set.is_empty() {
            return Err("nothing to change: give NAME=VALUE".to_owned());
        }
        let mut said = Vec::new();
        for (name, value) in &set {
            let Some(argument) = argument::find(name).filter(|argument| argument.read_by(job.engine)) else {
                let nearest = argument::nearest(name).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                return Err(format!("`{name}` is not an argument of this engine{nearest}"));
            };
            said.push(match argument.applies(job.engine) {
                Applies::Live => format!("{name} = {value} from the next step"),
                applies => format!("{name} = {value} at the {}", applies.label()),
            });
        }
        let mut all = self.run.overrides();
        all.extend(set.clone());
        let (wrong, careful): (Vec<_>, Vec<_>) =
            job.check(&all).into_iter().partition(|finding| finding.severity == Severity::Error);
        if !wrong.is_empty() {
            return Err(wrong.into_iter().map(|finding| finding.text).collect::<Vec<_>>().join("\n"));
        }
        let said = said.join(", ") + &careful.iter().map(|finding| format!("\n{}", finding.text)).collect::<String>();
        let version = self.run.tuning.version + 1;
        self.fact(Fact::Tune { version, set });
        self.send_tune();
        Ok((said, Some(version)))
    }

    pub(super) fn send_tune(&mut self) {
        let tuning = &self.run.tuning;
        let tune = Tune { version: tuning.version, set: self.run.live_overrides(), from: tuning.from.clone() };
        let readers: Vec<_> = self.run.tuned().map(|(id, shard)| (id.clone(), shard.node.clone())).collect();
        for (id, node) in readers {
            self.command(&node, Command::Tune { id, tune: tune.clone() });
        }
    }
}

fn lines(findings: Vec<Finding>) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
