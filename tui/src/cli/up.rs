use std::{
    collections::BTreeMap,
    fs,
    io::IsTerminal,
    path::PathBuf,
    process::{Command, ExitCode},
};

use clap::Args;
use rldeck_agent::{home::Home, now};
use rldeck_core::{
    deck::{Change, Deck, Series},
    run::{Action, Entry, Fact, State},
    shard::Millis,
};

use super::{Failure, cluster, local, say};
use crate::{
    console::{
        self,
        wire::{LinkState, News},
    },
    link,
};

/// What is run when no job is named.
const BUILT_IN: &str = "r1-mini";

#[derive(Debug, Default, Args)]
pub(super) struct Up {
    /// The job file; without it, the built-in job
    job: Option<PathBuf>,
    /// Print one line per rollout instead of opening the console, as without a terminal
    #[arg(long)]
    headless: bool,
    /// Colours of the console
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    #[command(flatten)]
    cluster: cluster::Options,
}

impl Up {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let mut action = self.action()?;
        let since = now();
        let mut client = local_or_cluster(&home, &mut action, &self.cluster).await?;
        if self.cluster.no_launch {
            return Ok(ExitCode::SUCCESS);
        }
        let run = client.deck().await?.run;
        match (run.state.alive(), &self.job) {
            // Whoever comes back finds the run where it is.
            (true, None) => {}
            (true, Some(_)) => {
                return Err(format!(
                    "run {} is {}; stop it first, or open it with `rldeck attach`",
                    run.id,
                    run.state.name()
                ));
            }
            (false, _) => {
                let outcome = client.act(action).await?;
                if !outcome.accepted {
                    return Err(outcome.text);
                }
                // Findings of a job that is launched all the same.
                outcome.text.lines().skip(1).for_each(|line| eprintln!("{line}"));
            }
        }
        show(home, self.headless, self.theme, since).await
    }

    fn action(&self) -> Result<Action, Failure> {
        let (text, file) = match &self.job {
            None => (format!("recipe = \"{BUILT_IN}\"\n"), BUILT_IN.to_owned()),
            Some(path) => {
                let read = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
                let text = String::from_utf8(read)
                    .map_err(|_| format!("{}: this is not a text file (UTF-8 is expected)", path.display()))?;
                if text.trim().is_empty() {
                    return Err(format!(
                        "{}: it is empty; `rldeck init {BUILT_IN}` prints a job to begin with",
                        path.display()
                    ));
                }
                (text, path.display().to_string())
            }
        };
        let vars = variables(&text);
        Ok(Action::Launch { text, file, vars, hosts: Vec::new() })
    }
}

/// Connects to the controller that an action goes to, with agents on all hosts of its job; the action is told who they are.
async fn local_or_cluster(
    home: &Home,
    action: &mut Action,
    options: &cluster::Options,
) -> Result<link::Client, Failure> {
    if let Action::Launch { text, file, vars, hosts } = action
        && let Some((of, named)) = cluster::hosts(text, file, vars)?
    {
        let (client, joined) = cluster::ensure(home, &of, named, options).await?;
        *hosts = joined;
        return Ok(client);
    }
    local::ensure(home).await
}

/// The variables of our environment that a text refers to: the controller has another environment, and need not know all of ours.
fn variables(text: &str) -> BTreeMap<String, String> {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    names.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect()
}

#[derive(Debug, Args)]
pub(super) struct Attach {
    /// Print one line per rollout instead of opening the console, as without a terminal
    #[arg(long)]
    headless: bool,
    /// Colours of the console
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
}

impl Attach {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        link::Client::connect(&home).await?;
        show(home, self.headless, self.theme, now()).await
    }
}

/// Opens the console; without a terminal prints lines, of what happened since a time.
async fn show(home: Home, headless: bool, theme: Option<String>, since: Millis) -> Result<ExitCode, Failure> {
    if headless || !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return lines(home, since).await;
    }
    let options = console::Options { theme, node: "node0".to_owned(), utc_offset: utc_offset(), config: None };
    console::run(link::open(home), options).await?;
    Ok(ExitCode::SUCCESS)
}

/// One plain line per rollout, until the run stands still. 0: finished or stopped; 1: failed.
async fn lines(home: Home, since: Millis) -> Result<ExitCode, Failure> {
    let mut wire = link::open(home);
    let mut deck = Deck::default();
    let mut printed = None;
    while let Some(news) = wire.news.recv().await {
        match news {
            News::Delta(delta) => {
                let full = matches!(delta.changes.first(), Some(Change::Reset));
                for change in delta.changes {
                    if let Change::Journal(entry) = &change
                        && entry.at >= since
                    {
                        said(entry).into_iter().for_each(say);
                    }
                    let trained = match &change {
                        // The last that is said of a rollout.
                        Change::Points(points) if points.values.contains_key("perf/step_time") => {
                            Some((points.attempt, points.rollout))
                        }
                        _ => None,
                    };
                    deck.apply(change);
                    if let Some(of) = trained {
                        say(rollout_line(&deck, of));
                        printed = Some(of);
                    }
                }
                // Of what was before us, the last rollout.
                let last = deck.run.rollout.map(|rollout| (deck.run.attempt, rollout));
                if let Some(of) = last.filter(|_| full && printed.is_none_or(|printed| Some(printed) < last)) {
                    say(rollout_line(&deck, of));
                    printed = Some(of);
                }
                match deck.run.state {
                    State::Failed => return Ok(ExitCode::FAILURE),
                    State::Stopped | State::Finished => return Ok(ExitCode::SUCCESS),
                    _ => {}
                }
            }
            News::Link(LinkState::Lost { why, .. }) => {
                eprintln!("rldeck: no link to the controller ({why}); trying again");
            }
            News::Link(_) | News::Answer { .. } => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Journal entries that a reader of plain lines wants to see.
fn said(entry: &Entry) -> Option<String> {
    match &entry.fact {
        Fact::Launched { .. }
        | Fact::Attempt { .. }
        | Fact::State { .. }
        | Fact::Notice { .. }
        | Fact::Tuned { .. } => Some(format!("# {}", entry.text())),
        Fact::Shard { state, asked: false, .. } if state.unexpected() => Some(format!("# {}", entry.text())),
        _ => None,
    }
}

fn rollout_line(deck: &Deck, (attempt, rollout): (u32, u64)) -> String {
    let shown = |value: Option<f64>, digits: usize| value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
    let value = |name: &str, digits: usize| shown(deck.last(name), digits);
    format!(
        "rollout {}/{} attempt {} reward {} kept {} length {} entropy {} clip {} eval {}",
        rollout,
        deck.run.num_rollout,
        attempt,
        shown(deck.reward().and_then(Series::last), 3),
        deck.funnels.back().map_or("-".to_owned(), |funnel| format!("{}/{}", funnel.kept, funnel.sampled)),
        value("rollout/response_len/mean", 1),
        value("train/entropy_loss", 3),
        value("train/pg_clipfrac", 4),
        shown(deck.evaluation().and_then(Series::last), 3),
    )
}

/// Seconds from UTC to the time of this machine; `date` knows the time zones.
fn utc_offset() -> i32 {
    let offset = || -> Option<i32> {
        let output = Command::new("date").arg("+%z").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let number: i32 = text.trim().parse().ok()?;
        Some((number / 100 * 60 + number % 100) * 60)
    };
    offset().unwrap_or(0)
}
