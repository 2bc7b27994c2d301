use std::{collections::BTreeMap, time::Duration};

use rldeck_core::{
    deck::{Change, Deck, Frame, LogLine, Node, Points, Progress, Span},
    run::{Effect, Entry, Fact, Input, Outcome, Request, Run, ShardReport, step},
    shard::{Event, Report, Role, ShardId},
};
use rldeck_proto::{
    Malformed, PROTOCOL,
    wire::{self, down, record::Line, up},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};

use super::{
    agents::Agents,
    journal::Journal,
    metrics::{Metrics, Taken},
    place::Places,
    taking::{Cursor, Heard, Origin, Taking, nothing},
    watchers::{Subscription, Watchers},
};
use crate::{home::Home, identity, now};

/// So many messages are taken in before consoles are told.
const BATCH: usize = 256;
/// After so many bytes of events without metrics it is written down how far they were taken in.
const SAVE_EVERY: u64 = 64 << 10;

/// What the controller's task is told.
#[derive(Debug)]
pub(super) enum Message {
    /// An agent has opened its stream.
    Joined { hello: wire::Hello, session: u64, down: mpsc::Sender<wire::Down> },
    /// It reports.
    Up { node: String, session: u64, message: up::Message },
    /// Its stream has ended.
    Left { node: String, session: u64 },
    /// An operator asks.
    Act { request: Request, reply: oneshot::Sender<Outcome> },
    /// An operator wants controller and agents to end.
    Shutdown { reply: oneshot::Sender<Outcome> },
    /// A console wants the deck.
    Watch { epoch: u64, seq: u64, reply: oneshot::Sender<Subscription> },
    /// Somebody wants to know whether this task is alive.
    Echo { reply: oneshot::Sender<()> },
    /// Somebody wants every node to look around.
    Look { reply: oneshot::Sender<Vec<(String, oneshot::Receiver<wire::Leftovers>)>> },
    /// Somebody wants to read a log.
    ReadLog { request: wire::LogRequest, reply: oneshot::Sender<wire::LogChunk> },
}

/// The state and everything that belongs to it.
#[derive(Debug)]
pub(super) struct Desk {
    home: Home,
    run: Run,
    deck: Deck,
    /// What consoles have not been told yet.
    changes: Vec<Change>,
    files: Option<(Journal, Metrics)>,
    /// Facts that are not on the disk yet.
    unwritten: Vec<Entry>,
    cursors: BTreeMap<ShardId, Cursor>,
    /// Processes below shards that write logs of their own: which file of which shard.
    writers: BTreeMap<ShardId, (ShardId, String)>,
    agents: Agents,
    /// What several of Ray's processes may say of the same step.
    heard: Heard,
    /// Where each rank lies.
    places: Places,
    watchers: Watchers,
    /// Who waits for the answer to which request.
    asking: BTreeMap<String, Vec<oneshot::Sender<Outcome>>>,
    leaving: bool,
}

impl Desk {
    /// Takes up the newest run of this home where its files left it.
    pub(super) fn open(home: Home) -> Result<Desk, String> {
        let secret = identity::of_ray(&home).map_err(|error| format!("{}: {error}", home.path().display()))?;
        let mut desk = Desk {
            run: Run { home: home.path().to_string_lossy().into_owned(), secret, ..Run::default() },
            deck: Deck::default(),
            changes: Vec::new(),
            files: None,
            unwritten: Vec::new(),
            cursors: BTreeMap::new(),
            writers: BTreeMap::new(),
            agents: Agents::default(),
            heard: Heard::default(),
            places: Places::default(),
            watchers: Watchers::new(now()),
            asking: BTreeMap::new(),
            leaving: false,
            home,
        };
        if let Some(run) = desk.home.newest_run() {
            desk.replay(&run).map_err(|error| format!("{}: {error}", desk.home.run(&run).display()))?;
        }
        Ok(desk)
    }

    fn replay(&mut self, run: &str) -> std::io::Result<()> {
        let dir = self.home.run(run);
        let (journal, entries, corrupt) = Journal::open::<Entry>(&dir.join("journal.jsonl"), true)?;
        let (metrics, points) = Metrics::open(&dir.join("metrics.jsonl"))?;
        entries.iter().for_each(|entry| self.run.apply(entry));
        // Nobody is connected to this life of the controller yet, those included that joined before the launch.
        let hosts: Vec<String> =
            self.run.hosts.iter().chain(self.run.shards.values().map(|shard| &shard.node)).cloned().collect();
        self.run.nodes.values_mut().for_each(|connected| *connected = false);
        for name in hosts {
            self.run.nodes.insert(name.clone(), false);
            self.emit(Change::Node(Node { name, ..Node::default() }));
        }
        self.files = Some((journal, metrics));
        self.show();
        entries.into_iter().for_each(|entry| self.emit(Change::Journal(entry)));
        for Taken { shard, source, next, points } in points {
            let cursor = self.cursors.entry(shard.clone()).or_default();
            cursor.files.insert(source, Taking { next, saved: next });
            if points.values.is_empty() {
                continue;
            }
            let values = points.values.clone();
            let report = Report::Metrics { rollout: points.rollout, step: points.step, values };
            self.run.observe(&shard, &Event { at: points.at, report });
            self.emit(Change::Points(points));
        }
        if corrupt > 0 {
            self.emit(Change::Dropped { place: "journal lines that cannot be read".into(), count: corrupt as u64 });
        }
        self.changes.clear();
        Ok(())
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Message>, tick: Duration) {
        let mut tick = interval(tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while !self.leaving {
            tokio::select! {
                message = queue.recv() => match message {
                    Some(message) => self.handle(message),
                    None => return,
                },
                _ = tick.tick() => self.tick(),
            }
            for _ in 0..BATCH {
                match queue.try_recv() {
                    Ok(message) => self.handle(message),
                    Err(_) => break,
                }
            }
            self.show();
            self.watchers.send(std::mem::take(&mut self.changes));
        }
        self.agents.send_all(&down::Message::Leave(wire::Leave {}));
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Joined { hello, session, down } => self.joined(hello, session, down),
            Message::Up { node, session, message } if self.agents.is_present(&node, session) => {
                if let Err(malformed) = self.up(&node, message) {
                    let place = format!("{node}: {malformed}");
                    self.count(place);
                }
            }
            Message::Up { .. } => {}
            Message::Left { node, session } => {
                if self.agents.leave(&node, session) {
                    self.connect(&node, |node| node.connected = false);
                    self.step(Input::Left { node });
                }
            }
            Message::Act { request, reply } => {
                self.asking.entry(request.id.clone()).or_default().push(reply);
                self.step(Input::Act(request));
            }
            Message::Shutdown { reply } => {
                let alive = self.run.state.alive();
                let text = match alive {
                    true => format!("run {} is {}; stop it first", self.run.id, self.run.state.name()),
                    false => "controller and agents end".to_owned(),
                };
                self.leaving = !alive;
                let _ = reply.send(Outcome { accepted: !alive, text, tune: None });
            }
            Message::Watch { epoch, seq, reply } => {
                // What the deck holds and what has been sent must be the same.
                self.show();
                self.watchers.send(std::mem::take(&mut self.changes));
                let _ = reply.send(self.watchers.subscribe(epoch, seq, &self.deck));
            }
            Message::Echo { reply } => {
                let _ = reply.send(());
            }
            Message::Look { reply } => {
                let _ = reply.send(self.agents.look());
            }
            Message::ReadLog { request, reply } => self.read_log(request, reply),
        }
    }

    // --- agents ---

    fn joined(&mut self, hello: wire::Hello, session: u64, down: mpsc::Sender<wire::Down>) {
        // The files of ended attempts have been read to their ends.
        let wanted = self.run.shards.iter().filter(|(id, shard)| id.attempt == self.run.attempt || shard.state.alive());
        let cursors = wanted.map(|(id, _)| {
            let cursor = self.cursors.get(id).cloned().unwrap_or_default();
            let sources = cursor.files.iter().filter(|(source, _)| !source.is_empty());
            let sources = sources.map(|(source, taking)| (source.clone(), taking.next)).collect();
            wire::Cursor { shard: Some(id.clone().into()), events: cursor.events(), log: cursor.log, sources }
        });
        let run = self.run.id.clone();
        let welcome = wire::Welcome { protocol: PROTOCOL, run, cursors: cursors.collect() };
        let node = hello.node.clone();
        self.agents.join(node.clone(), session, down);
        self.agents.send(&node, wire::Down { message: Some(down::Message::Welcome(welcome)) });
        // It counts as connected when it has told what it holds.
        self.connect(&node, |node| {
            (node.connected, node.version, node.pid) = (false, hello.version, hello.pid);
        });
    }

    fn connect(&mut self, name: &str, change: impl FnOnce(&mut Node)) {
        let mut node = self.deck.nodes.get(name).cloned().unwrap_or_default();
        name.clone_into(&mut node.name);
        node.seen = now();
        change(&mut node);
        self.emit(Change::Node(node));
    }

    fn up(&mut self, node: &str, message: up::Message) -> Result<(), Malformed> {
        match message {
            up::Message::Hello(_) => {}
            up::Message::Held(held) => {
                let shards = held.shards.into_iter().map(ShardReport::try_from).collect::<Result<_, _>>()?;
                self.step(Input::Joined { node: node.to_owned(), shards });
                self.connect(node, |node| node.connected = true);
            }
            up::Message::Shard(report) => {
                let report = ShardReport::try_from(report)?;
                if self.runs_on(&report.id, node) {
                    self.step(Input::Shard(report));
                }
            }
            up::Message::Records(wire::Records { shard, records, source, writer, skipped }) => {
                let id: ShardId = shard.ok_or(Malformed("a shard"))?.try_into()?;
                if self.runs_on(&id, node) {
                    let writer = match source.is_empty() {
                        true => id.clone(),
                        false => self.writer(&id, &source, writer)?,
                    };
                    for record in records {
                        let taken = match source.is_empty() {
                            true => self.record(node, &id, record),
                            false => self.line_of_source(node, &id, &source, &writer, record),
                        };
                        if let Err(malformed) = taken {
                            self.count(format!("{}: {malformed}", writer.label()));
                        }
                    }
                    if skipped > 0 {
                        self.add(
                            format!("{node}: log lines that came too fast to be shown; the files hold them"),
                            skipped,
                        );
                    }
                }
            }
            up::Message::Frame(frame) => {
                let mut frame = Frame::try_from(frame)?;
                self.places.fill(&mut frame, &self.run);
                if let Some(of) = self.deck.nodes.get(node).cloned() {
                    self.emit(Change::Node(of.with_frame(frame)));
                }
            }
            up::Message::Log(chunk) => self.agents.log_came(chunk),
            up::Message::Leftovers(found) => self.agents.found(found),
        }
        Ok(())
    }

    /// A node speaks only for the shards that it runs.
    fn runs_on(&self, id: &ShardId, node: &str) -> bool {
        self.run.shards.get(id).is_some_and(|shard| shard.node == node)
    }

    /// Each line once, whatever was sent again after a broken stream.
    fn record(&mut self, node: &str, id: &ShardId, record: wire::Record) -> Result<(), Malformed> {
        let wire::Record { offset, next, line, .. } = record;
        let cursor = self.cursors.entry(id.clone()).or_default();
        match line.ok_or(Malformed("a line"))? {
            Line::Log(_) if cursor.log.is_some_and(|from| offset < from) => {}
            Line::Log(line) => {
                cursor.log = Some(next);
                let severity = line.severity().into();
                let (shard, node) = (id.clone(), node.to_owned());
                self.emit(Change::Log(LogLine { shard, node, offset, at: line.at, severity, text: line.text }));
            }
            _ if offset < cursor.events() => {}
            Line::Event(event) => {
                let gap = offset > cursor.events();
                cursor.files.entry(String::new()).or_default().next = next;
                if gap {
                    self.count(format!("{}: gaps in its events", id.label()));
                }
                self.event(Origin { shard: id, source: "", next }, event.try_into()?);
            }
            Line::Corrupt(why) => {
                cursor.files.entry(String::new()).or_default().next = next;
                tracing::warn!(shard = %id, why, "a line of events.jsonl cannot be read");
                self.count(format!("{}: event lines that cannot be read", id.label()));
            }
        }
        Ok(())
    }

    /// Who writes a file that lies below a shard.
    fn writer(&mut self, of: &ShardId, source: &str, name: String) -> Result<ShardId, Malformed> {
        let writer = ShardId::try_from(wire::ShardId { attempt: of.attempt, name, life: 0 })?;
        if !self.writers.contains_key(&writer) {
            self.writers.insert(writer.clone(), (of.clone(), source.to_owned()));
        }
        Ok(writer)
    }

    /// A line of a process below a shard, with what it means.
    fn line_of_source(
        &mut self,
        node: &str,
        id: &ShardId,
        source: &str,
        writer: &ShardId,
        record: wire::Record,
    ) -> Result<(), Malformed> {
        let wire::Record { offset, next, line, meant } = record;
        let cursor = self.cursors.entry(id.clone()).or_default();
        let begun = cursor.files.contains_key(source);
        let taking = cursor.files.entry(source.to_owned()).or_default();
        if offset < taking.next {
            return Ok(());
        }
        taking.next = next;
        if !begun {
            // A controller that starts again knows the file, and goes on where this one was.
            self.save(Origin { shard: id, source, next }, &nothing(id, now()));
        }
        for event in meant {
            self.event(Origin { shard: id, source, next }, event.try_into()?);
        }
        if let Some(Line::Log(line)) = line {
            let (shard, node, severity) = (writer.clone(), node.to_owned(), line.severity().into());
            self.emit(Change::Log(LogLine { shard, node, offset, at: line.at, severity, text: line.text }));
        }
        Ok(())
    }

    fn event(&mut self, from: Origin<'_>, event: Event) {
        let (at, id) = (event.at, from.shard);
        let alive = self.run.shards.get(id).is_some_and(|shard| shard.state.alive());
        // What Ray's processes do is what the job does: its phases are shown beside its driver.
        let ray = self.run.shards.get(id).is_some_and(|shard| shard.role == Role::Ray);
        let shard = if ray { self.run.lead().map_or(id, |(lead, _)| lead).clone() } else { id.clone() };
        let saved =
            self.cursors.get(id).and_then(|cursor| cursor.files.get(from.source)).map_or(0, |taking| taking.saved);
        match &event.report {
            Report::Metrics { rollout, step, values } => {
                let (rollout, step, mut values) = (*rollout, *step, values.clone());
                if ray {
                    // The bridge reports what slime's own lines say too: each value counts once.
                    let known = self.heard.of(id.attempt, rollout, step);
                    values.retain(|name, _| known.insert(name.clone()));
                }
                let points = Points { attempt: id.attempt, rollout, step, at, values };
                self.save(from, &points);
                self.emit(Change::Points(points));
            }
            _ if from.next > saved + SAVE_EVERY => self.save(from, &nothing(id, at)),
            _ => {}
        }
        match &event.report {
            // What is told again of a shard that has ended would never end.
            Report::Phase { name, rollout } if alive => {
                let (name, rollout) = (name.clone(), *rollout);
                self.emit(Change::Span(Span { shard, name, rollout, start: at, end: None }));
            }
            Report::Progress { unit, done, total } if alive => {
                let (unit, done, total) = (unit.clone(), *done, *total);
                self.emit(Change::Progress(Progress { shard, unit, done, total, at }));
            }
            Report::Funnel(funnel) => self.emit(Change::Funnel(funnel.clone())),
            Report::Sample(sample) => self.emit(Change::Sample(sample.clone())),
            _ => {}
        }
        self.step(Input::Event { id: id.clone(), event });
    }

    fn save(&mut self, Origin { shard, source, next }: Origin<'_>, points: &Points) {
        if let Some(taking) = self.cursors.get_mut(shard).and_then(|cursor| cursor.files.get_mut(source)) {
            taking.saved = next;
        }
        let written = self.files.as_mut().map_or(Ok(()), |(_, metrics)| metrics.append(shard, source, next, points));
        self.trouble("metrics.jsonl", written);
    }

    // --- the run ---

    fn step(&mut self, input: Input) {
        let effects = step(&mut self.run, now(), input);
        if effects.is_empty() {
            return;
        }
        for effect in effects {
            // What follows from facts happens when they are on the disk: all facts of a step are synced at once.
            if !matches!(effect, Effect::Journal(_)) {
                self.sync();
            }
            match effect {
                Effect::Journal(entry) => self.journal(entry),
                Effect::Command { node, command } => {
                    self.agents.send(&node, (self.run.id.as_str(), command).into());
                }
                Effect::Answer { id, outcome } => {
                    for reply in self.asking.remove(&id).unwrap_or_default() {
                        let _ = reply.send(outcome.clone());
                    }
                }
            }
        }
        self.sync();
        self.show();
    }

    fn journal(&mut self, entry: Entry) {
        if let Fact::Launched { .. } = &entry.fact {
            self.cursors.clear();
            self.writers.clear();
            self.heard = Heard::default();
            self.files = None;
            self.show();
        }
        if !self.run.id.is_empty() {
            self.unwritten.push(entry.clone());
        }
        self.emit(Change::Journal(entry));
    }

    /// Brings the journal onto the disk; what cannot be written is tried again at every tick.
    fn sync(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        let written = self.try_sync();
        self.trouble("journal.jsonl", written);
    }

    fn try_sync(&mut self) -> std::io::Result<()> {
        if self.files.is_none() {
            self.open_run()?;
        }
        if let Some((journal, _)) = &mut self.files {
            for entry in self.unwritten.drain(..) {
                journal.add(&entry)?;
            }
            journal.write()?;
        }
        Ok(())
    }

    fn open_run(&mut self) -> std::io::Result<()> {
        let dir = self.home.run(&self.run.id);
        std::fs::create_dir_all(&dir)?;
        let job = self.run.job.as_ref().map(|job| job.to_toml()).unwrap_or_default();
        crate::home::replace(&dir.join("job.toml"), job.as_bytes())?;
        let (journal, ..) = Journal::open::<Entry>(&dir.join("journal.jsonl"), true)?;
        let (metrics, _) = Metrics::open(&dir.join("metrics.jsonl"))?;
        self.files = Some((journal, metrics));
        Ok(())
    }

    /// Says what the controller itself cannot do, as long as it cannot.
    fn trouble(&mut self, what: &str, result: std::io::Result<()>) {
        match result {
            Ok(()) => {
                self.run.troubles.remove(what);
            }
            Err(error) => {
                let text = format!(
                    "the controller cannot write {what} of {}: {error}; free some space, it keeps all in memory until then",
                    self.run.id
                );
                self.run.troubles.entry(what.to_owned()).or_insert((now(), text));
            }
        }
    }

    fn tick(&mut self) {
        if !self.run.troubles.is_empty() {
            let journal = self.try_sync();
            self.trouble("journal.jsonl", journal);
            let metrics = self.files.as_mut().map_or(Ok(()), |(_, metrics)| metrics.retry());
            self.trouble("metrics.jsonl", metrics);
        }
        self.step(Input::Tick);
    }

    // --- consoles ---

    fn read_log(&mut self, request: wire::LogRequest, reply: oneshot::Sender<wire::LogChunk>) {
        let id = request.shard.clone().and_then(|shard| ShardId::try_from(shard).ok());
        let own = |id: ShardId| match self.writers.get(&id) {
            Some((shard, source)) => (shard.clone(), source.clone()),
            None => (id, String::new()),
        };
        let found = id.map(own).and_then(|(id, source)| Some((self.run.shards.get(&id)?.node.clone(), id, source)));
        match found {
            Some((node, id, source)) => {
                let run = self.run.id.clone();
                let request = wire::LogRequest { run, shard: Some(id.into()), source, ..request };
                self.agents.read_log(&node, request, reply);
            }
            None => {
                let error = "this run has no such shard".to_owned();
                let _ = reply.send(wire::LogChunk { error, ..Default::default() });
            }
        }
    }

    /// Makes the deck show the run.
    fn show(&mut self) {
        for change in self.run.show(&self.deck) {
            self.emit(change);
        }
    }

    fn count(&mut self, place: String) {
        self.add(place, 1);
    }

    fn add(&mut self, place: String, more: u64) {
        let count = self.deck.dropped.get(&place).copied().unwrap_or(0) + more;
        self.emit(Change::Dropped { place, count });
    }

    fn emit(&mut self, change: Change) {
        self.deck.apply(change.clone());
        self.changes.push(change);
    }
}
