use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use rldeck_agent::home::Home;
use rldeck_core::{deck::Deck, shard::ShardId};
use serde_json::json;
use tokio::time::sleep;

use super::Failure;
use crate::link::Client;

/// How often a followed log is looked at.
const EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(super) struct Logs {
    /// Shards, like `trainer` or `rollout-1`; without any, all of the present attempt
    shards: Vec<String>,
    /// Go on as lines come
    #[arg(short, long)]
    follow: bool,
    /// Begin so many lines before the end
    #[arg(short = 'n', long, value_name = "LINES", conflicts_with = "all")]
    lines: Option<usize>,
    /// All attempts
    #[arg(long)]
    all: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl Logs {
    pub(super) async fn run(self, home: Home) -> Result<ExitCode, Failure> {
        let mut readers: BTreeMap<ShardId, Reader> = BTreeMap::new();
        let mut said = None;
        loop {
            match self.look(&home, &mut readers).await {
                Ok(()) => said = None,
                Err(why) if !self.follow => return Err(why),
                // An agent or a controller that was killed is back in a moment.
                Err(why) if said.as_ref() != Some(&why) => {
                    eprintln!("rldeck: {why}; trying again");
                    said = Some(why);
                }
                Err(_) => {}
            }
            if !self.follow {
                return Ok(ExitCode::SUCCESS);
            }
            sleep(EVERY).await;
        }
    }

    /// Prints what has come.
    async fn look(&self, home: &Home, readers: &mut BTreeMap<ShardId, Reader>) -> Result<(), Failure> {
        let mut client = Client::connect(home).await?;
        let deck = client.deck().await?;
        let wanted = self.wanted(&deck)?;
        let several = wanted.len() > 1;
        // What an ended attempt printed last is read to its end.
        for id in wanted {
            readers.entry(id).or_default();
        }
        for (id, reader) in readers.iter_mut().filter(|(_, reader)| !reader.done) {
            let end = !self.follow || !alive(&deck, id);
            let lines = reader.read(&mut client, id, end).await?;
            let skip = self.lines.filter(|_| !reader.begun).map_or(0, |wanted| lines.len().saturating_sub(wanted));
            (reader.begun, reader.done) = (true, end);
            // A reader that went away ends the program quietly.
            if self.print(id, &lines[skip..], several).is_err() {
                std::process::exit(0);
            }
        }
        Ok(())
    }

    fn wanted(&self, deck: &Deck) -> Result<Vec<ShardId>, Failure> {
        let named = |id: &ShardId| {
            self.shards.is_empty() || self.shards.iter().any(|name| *name == id.name || *name == id.label())
        };
        let in_time = |id: &ShardId| self.all || id.attempt == deck.run.attempt;
        // What runs below a shard of Ray has a log of its own, and is read when it is asked for by name.
        let below = || deck.log.lines().map(|line| &line.shard).filter(|_| !self.shards.is_empty());
        let known = || deck.shards.keys().chain(below()).filter(|id| in_time(id));
        let wanted: BTreeSet<_> = known().filter(|id| named(id)).cloned().collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        if wanted.is_empty() {
            let known: BTreeSet<_> = known().map(ShardId::label).collect();
            let known: Vec<_> = known.into_iter().collect();
            return Err(match known.is_empty() {
                true => "no shard has run yet".to_owned(),
                false => format!("no such shard; there are {}", known.join(", ")),
            });
        }
        Ok(wanted)
    }

    fn print(&self, id: &ShardId, lines: &[(u64, Vec<u8>)], several: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for (offset, line) in lines {
            if self.json {
                let text = String::from_utf8_lossy(line);
                let line = json!({ "attempt": id.attempt, "shard": id.label(), "offset": offset, "text": text });
                writeln!(out, "{line}")?;
                continue;
            }
            if several {
                write!(out, "{:<12} ", id.label())?;
            }
            out.write_all(line)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}

fn alive(deck: &Deck, id: &ShardId) -> bool {
    match deck.shards.get(id) {
        Some(shard) => shard.state.alive(),
        None => id.attempt == deck.run.attempt && deck.run.state.alive(),
    }
}

/// Where a log was read to, and the part of a line after it.
#[derive(Debug, Default)]
struct Reader {
    offset: u64,
    partial: Vec<u8>,
    begun: bool,
    /// It has ended, and its last line was read.
    done: bool,
}

impl Reader {
    /// The lines that are there now, each with its byte offset; at the `end` also a last one without line end.
    async fn read(&mut self, client: &mut Client, id: &ShardId, end: bool) -> Result<Vec<(u64, Vec<u8>)>, Failure> {
        let mut lines = Vec::new();
        loop {
            let at = self.offset + self.partial.len() as u64;
            let (data, size) = client.read_log(id, at).await?;
            let done = at + data.len() as u64 >= size || data.is_empty();
            let mut searched = self.partial.len();
            self.partial.extend(data);
            let mut taken = 0;
            while let Some(stop) = self.partial[searched..].iter().position(|byte| *byte == b'\n') {
                let stop = searched + stop;
                lines.push((self.offset + taken as u64, self.partial[taken..stop].to_vec()));
                taken = stop + 1;
                searched = taken;
            }
            self.partial.drain(..taken);
            self.offset += taken as u64;
            if done {
                break;
            }
        }
        if end && !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            let offset = self.offset;
            self.offset += line.len() as u64;
            lines.push((offset, line));
        }
        Ok(lines)
    }
}
