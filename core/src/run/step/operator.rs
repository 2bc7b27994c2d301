use std::collections::BTreeMap;

use super::{
    super::{Action, Command, Effect, Fact, Intent, Outcome, Request, State},
    Turn,
};
use crate::{
    argument::{self, Applies},
    date::Date,
    job::{Engine, Job},
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
        self.need_agents()?;
        let read = |id: &str| {
            Job::read(text, file, &|name| match name {
                "RUN_DIR" => Some(self.run.dir(id)),
                "CACHE" => Some(format!("{}/cache", self.run.home)),
                _ => vars.get(name).cloned(),
            })
            .map_err(|findings| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        };
        let name = read("?")?.0.name;
        let id = format!("{}-{name}", Date::utc(self.now).stamp());
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
                self.need_agents()?;
                self.next_attempt("launched again");
                Ok((format!("attempt {} {}", self.run.attempt, self.from()), None))
            }
            State::Finished => Err("this run has come to its end; start another with `rldeck up JOB.toml`".to_owned()),
            State::Idle => Err("there is no run; start one with `rldeck up JOB.toml`".to_owned()),
            state => Err(format!("run {} is {} already", self.run.id, state.name())),
        }
    }

    fn need_agents(&self) -> Result<(), String> {
        match self.connected().is_empty() {
            true => Err("no agent has joined; start one with `rldeck agent`".to_owned()),
            false => Ok(()),
        }
    }

    fn restart(&mut self) -> Answer {
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
        let tune = Tune { version: self.run.tuning.version, set: self.run.live_overrides() };
        if let Some((id, shard)) = self.run.trainer() {
            let (id, node) = (id.clone(), shard.node.clone());
            self.command(&node, Command::Tune { id, tune });
        }
    }
}
