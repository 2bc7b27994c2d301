use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use rldeck_agent::home::Home;
use rldeck_core::{
    argument::{self, Applies},
    deck::Deck,
    job::Engine,
    run::{Action, Fact, Outcome, State},
};
use serde_json::json;
use tokio::time::timeout;

use super::{Failure, say, status};
use crate::link::Client;

/// What all acting commands share.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
    /// Return at once instead of waiting until it is done
    #[arg(long)]
    no_wait: bool,
    /// Wait so many seconds at most
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    patience: u64,
}

impl Common {
    /// Asks for the action, then waits until the deck shows that it is done: `done` gives its words for it.
    async fn act(
        &self,
        home: &Home,
        action: Action,
        done: impl Fn(&Deck, &Outcome) -> Option<Result<String, String>>,
    ) -> Result<ExitCode, Failure> {
        let mut client = Client::connect(home).await?;
        let outcome = client.act(action).await?;
        if !outcome.accepted {
            if self.json {
                say(json!({ "accepted": false, "text": outcome.text }).to_string());
                return Ok(ExitCode::FAILURE);
            }
            return Err(outcome.text);
        }
        let mut text = outcome.text.clone();
        let mut deck = Deck::default();
        if !self.no_wait {
            let waited = timeout(Duration::from_secs(self.patience), async {
                let mut watch = client.watch(0, 0).await?;
                watch.take_whole(&mut deck).await?;
                loop {
                    if let Some(result) = done(&deck, &outcome) {
                        return result;
                    }
                    watch.take_whole(&mut deck).await?;
                }
            });
            text = waited.await.map_err(|_| {
                format!("{text}\nnot done within {} s; the controller goes on with it", self.patience)
            })??;
        }
        match self.json {
            true => say(json!({ "accepted": true, "text": text, "status": status::json(&deck) }).to_string()),
            false => say(text),
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(super) struct Tune {
    /// NAME=VALUE, as many as you like
    #[arg(required = true, value_name = "NAME=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    common: Common,
}

impl Tune {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let mut set = BTreeMap::new();
        for pair in &self.set {
            let (name, value) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is not NAME=VALUE"))?;
            set.insert(name.trim().trim_start_matches("--").to_owned(), value.trim().to_owned());
        }
        let names: Vec<String> = set.keys().cloned().collect();
        self.common.act(&home, Action::Tune(set), |deck, outcome| acknowledged(deck, outcome, &names)).await
    }
}

/// The trainer's acknowledgement; at once when nothing of it can be changed live or nothing runs.
fn acknowledged(deck: &Deck, outcome: &Outcome, names: &[String]) -> Option<Result<String, String>> {
    let version = outcome.tune?;
    // With slime, the sampling and the training side each acknowledge what is theirs.
    let (mut from, mut wrong, mut open) = (Vec::new(), Vec::new(), BTreeSet::from_iter(names));
    for entry in &deck.journal {
        let Fact::Tuned { version: of, step, rollout, set, refused } = &entry.fact else { continue };
        if *of < version {
            continue;
        }
        let named: Vec<_> = open.iter().filter(|name| set.contains_key(**name)).map(|name| name.as_str()).collect();
        if !named.is_empty() {
            from.push(format!("{} in force from step {step} (rollout {rollout})", named.join(", ")));
        }
        let of_ours = refused.iter().filter(|(name, _)| open.contains(name));
        wrong.extend(of_ours.map(|(name, why)| format!("{name}: {why}")));
        open.retain(|name| !set.contains_key(*name) && !refused.contains_key(*name));
    }
    if open.is_empty() {
        return Some(match wrong.is_empty() {
            true => Ok(format!("{}\n{}", outcome.text, from.join("\n"))),
            false => Err(wrong.join("\n")),
        });
    }
    let engine = Engine::from_name(&deck.run.engine)?;
    let restart =
        |name: &String| argument::find(name).is_none_or(|argument| argument.applies(engine) == Applies::Restart);
    // An attempt that began since has it from its start.
    let in_force = names.iter().all(|name| deck.settings.get(name).is_some_and(|setting| setting.pending.is_none()));
    (!deck.run.state.alive() || names.iter().all(restart) || in_force).then(|| Ok(outcome.text.clone()))
}

#[derive(Debug, Args)]
pub(super) struct Restart {
    /// Go on from the checkpoint that holds this rollout as its last, instead of the newest
    #[arg(long, value_name = "ROLLOUT")]
    from: Option<u64>,
    #[command(flatten)]
    common: Common,
}

impl Restart {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let before = Client::connect(&home).await?.deck().await?.run.attempt;
        self.common.act(&home, Action::Restart { from: self.from }, |deck, _| running_again(deck, before)).await
    }
}

#[derive(Debug, Args)]
pub(super) struct Launch {
    #[command(flatten)]
    common: Common,
}

impl Launch {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let before = Client::connect(&home).await?.deck().await?.run.attempt;
        let action = Action::again();
        self.common.act(&home, action, |deck, _| running_again(deck, before)).await
    }
}

fn running_again(deck: &Deck, before: u32) -> Option<Result<String, String>> {
    match deck.run.state {
        State::Running if deck.run.attempt > before => Some(Ok(format!("attempt {} is running", deck.run.attempt))),
        State::Failed if deck.run.attempt > before => Some(Err(format!("it has failed: {}", deck.run.reason))),
        State::Stopped => Some(Err("it was stopped".to_owned())),
        State::Finished => Some(Ok("it has come to its end".to_owned())),
        _ => None,
    }
}

#[derive(Debug, Args)]
pub(super) struct Stop {
    #[command(flatten)]
    common: Common,
}

impl Stop {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let done = |deck: &Deck, _: &Outcome| {
            let at =
                deck.run.checkpoint.map_or(String::new(), |rollout| format!("; it goes on after rollout {rollout}"));
            (!deck.run.state.alive()).then(|| Ok(format!("{}{at}", deck.run.state.name())))
        };
        self.common.act(&home, Action::Stop, done).await
    }
}

#[derive(Debug, Args)]
pub(super) struct Down {
    /// Stop the run first
    #[arg(long)]
    stop: bool,
    #[command(flatten)]
    common: Common,
}

impl Down {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let mut client = Client::connect(&home).await?;
        if self.stop && client.deck().await?.run.state.alive() {
            Stop { common: Common { json: false, no_wait: false, ..self.common } }.run(home.clone()).await?;
        }
        let outcome = client.shut_down().await?;
        match outcome.accepted {
            true => say(outcome.text),
            false => return Err(format!("{}, or give --stop", outcome.text)),
        }
        while Client::connect(&home).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(ExitCode::SUCCESS)
    }
}
