use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use rldeck_agent::home::Home;
use rldeck_core::{process::Foreign, run::Action};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{Failure, say};
use crate::link::Client;

/// What is asked to end has so long: SIGTERM, the grace of the agent, SIGKILL.
const ENDING: Duration = Duration::from_secs(10);

/// What earlier jobs have left behind.
#[derive(Debug, Args)]
pub(super) struct Leftovers {
    /// End them, after asking: exactly these processes, by pid, start time and boot
    #[arg(long)]
    stop: bool,
    /// Do not ask
    #[arg(long, requires = "stop")]
    yes: bool,
    /// Only of these nodes
    nodes: Vec<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

type Found = Vec<(String, Result<Vec<Foreign>, String>)>;

impl Leftovers {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let mut client = Client::connect(&home).await?;
        let found = self.look(&mut client).await?;
        match self.json {
            true => say(as_json(&found).to_string()),
            false => words(&found).iter().for_each(say),
        }
        let processes: usize = found.iter().filter_map(|(_, found)| found.as_ref().ok()).map(Vec::len).sum();
        if !self.stop || processes == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        if !self.yes && !asked(processes)? {
            return Err("nothing was ended".to_owned());
        }
        for (node, processes) in found.into_iter().filter_map(|(node, found)| Some((node, found.ok()?))) {
            if !processes.is_empty() {
                let outcome = client.act(Action::Sweep { node: node.clone(), processes: processes.clone() }).await?;
                if !outcome.accepted {
                    return Err(outcome.text);
                }
                self.gone(&mut client, &node, &processes).await?;
                if !self.json {
                    say(format!("{node}: {} ended", counted(processes.len())));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn look(&self, client: &mut Client) -> Result<Found, Failure> {
        let mut found = client.leftovers().await?;
        found.retain(|(node, _)| self.nodes.is_empty() || self.nodes.contains(node));
        Ok(found)
    }

    /// Waits until none of these is there any more.
    async fn gone(&self, client: &mut Client, node: &str, processes: &[Foreign]) -> Result<(), Failure> {
        let deadline = Instant::now() + ENDING;
        loop {
            let found = client.leftovers().await?;
            let there = found.into_iter().find(|(name, _)| name == node).and_then(|(_, found)| found.ok());
            let same = |a: &Foreign, b: &Foreign| (a.pid, a.start_ticks) == (b.pid, b.start_ticks);
            let left: Vec<_> = there
                .unwrap_or_default()
                .into_iter()
                .filter(|process| processes.iter().any(|named| same(process, named)))
                .map(|process| process.pid.to_string())
                .collect();
            match left.is_empty() {
                true => return Ok(()),
                false if Instant::now() > deadline => {
                    return Err(format!("{node}: still there after SIGKILL: {}; a driver holds them", left.join(", ")));
                }
                false => sleep(Duration::from_millis(200)).await,
            }
        }
    }
}

fn asked(count: usize) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err("nobody can be asked here: give --yes to end these processes".to_owned());
    }
    print!(
        "End {}? Type yes: ",
        match count {
            1 => "this process".to_owned(),
            count => format!("these {count} processes"),
        }
    );
    let _ = io::stdout().flush();
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| error.to_string())?;
    Ok(answer.trim() == "yes")
}

fn counted(count: usize) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}

fn words(found: &Found) -> Vec<String> {
    let mut lines = Vec::new();
    for (node, found) in found {
        match found {
            Err(error) => lines.push(format!("{node}: cannot look: {error}")),
            Ok(processes) if processes.is_empty() => lines.push(format!("{node}: nothing left over")),
            Ok(processes) => {
                lines.push(format!("{node}: {} that no shard holds", counted(processes.len())));
                lines.extend(processes.iter().map(line));
            }
        }
    }
    lines
}

fn line(process: &Foreign) -> String {
    let Foreign { pid, title, user, age, gpu, gpu_memory, .. } = process;
    let gpu = gpu.map_or(String::new(), |gpu| format!("  GPU {gpu} {:.1} GB", *gpu_memory as f64 / 1e9));
    let age = match age {
        0..120 => format!("{age} s"),
        120..7200 => format!("{} min", age / 60),
        _ => format!("{} h", age / 3600),
    };
    // A title is foreign text.
    let title: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).take(90).collect();
    format!("  pid {pid:<8} uid {user:<6} {age:>7}{gpu}  {title}")
}

fn as_json(found: &Found) -> serde_json::Value {
    let nodes = found.iter().map(|(node, found)| match found {
        Ok(processes) => json!({ "node": node, "processes": processes }),
        Err(error) => json!({ "node": node, "error": error }),
    });
    json!({ "nodes": nodes.collect::<Vec<_>>() })
}
