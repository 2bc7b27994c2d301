use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::fs::FileExt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rldeck_core::{
    run::{Command, ShardReport, ShardState},
    shard::{LOG, ShardId, Spec},
};
use rldeck_proto::{
    Malformed, PROTOCOL,
    wire::{self, Cursor, down, up},
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    Agent, Client, Goodbye,
    follow::follow,
    sources::{follow_sources, path_of},
};
use crate::{
    probe::Probe,
    shard::{Held, Shelf, foreign},
};

/// Messages on their way up; a full queue holds the tails back, never the shards.
const QUEUE: usize = 64;
/// A chunk of a log is never larger, in bytes.
const MOST_CHUNK: u64 = 1 << 20;

/// One life of the stream to the controller.
pub(super) async fn run(agent: &Agent, mut client: Client, shelf: &Shelf, probe: &Probe) -> Result<Goodbye, String> {
    let (up, queue) = mpsc::channel(QUEUE);
    let hello = wire::Hello {
        protocol: PROTOCOL,
        node: agent.node.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
    };
    send(&up, up::Message::Hello(hello)).await;
    let mut down =
        client.join(ReceiverStream::new(queue)).await.map_err(|status| status.message().to_owned())?.into_inner();
    let mut session = Session { agent, shelf, probe, up, tasks: JoinSet::new() };
    session.tasks.spawn(frames(probe.clone(), session.up.clone()));
    loop {
        let message = match down.message().await {
            Ok(Some(wire::Down { message: Some(message) })) => message,
            Ok(Some(_)) => continue,
            Ok(None) => return Ok(Goodbye::Closed),
            Err(status) => return Err(status.message().to_owned()),
        };
        match session.handle(message).await {
            Ok(None) => {}
            Ok(Some(goodbye)) => return Ok(goodbye),
            Err(malformed) => tracing::warn!(%malformed, "from the controller; left alone"),
        }
    }
}

struct Session<'a> {
    agent: &'a Agent,
    shelf: &'a Shelf,
    probe: &'a Probe,
    up: mpsc::Sender<wire::Up>,
    /// What ends with the session: tails and frames.
    tasks: JoinSet<()>,
}

impl Session<'_> {
    async fn handle(&mut self, message: down::Message) -> Result<Option<Goodbye>, Malformed> {
        match message {
            down::Message::Welcome(welcome) => self.welcome(welcome).await?,
            down::Message::Start(spec) => {
                let spec = Spec::try_from(spec)?;
                if spec.node != self.agent.node {
                    return Err(Malformed("the name of this node"));
                }
                let held = self.shelf.start(spec).await;
                self.follow(held, (0, Some(0)), BTreeMap::new());
            }
            down::Message::Stop(stop) => {
                let run = stop.run.clone();
                if let Command::Stop { id, grace } = stop.try_into()? {
                    self.shelf.stop(&run, &id, Duration::from_millis(grace));
                }
            }
            down::Message::Tune(tune) => {
                let run = tune.run.clone();
                if let Command::Tune { id, tune } = tune.try_into()? {
                    self.shelf.tune(&run, &id, tune);
                }
            }
            down::Message::ReadLog(request) => {
                let chunk = read_log(self.shelf, &request);
                send(&self.up, up::Message::Log(chunk)).await;
            }
            down::Message::Look(wire::Look { id }) => {
                let (shelf, up, node) = (self.shelf.clone(), self.up.clone(), self.agent.node.clone());
                let on_gpus = self.probe.on_gpus();
                self.tasks.spawn(async move {
                    let found = tokio::task::spawn_blocking(move || foreign::look(&shelf, &on_gpus)).await;
                    let processes = found.unwrap_or_default().into_iter().map(Into::into).collect();
                    let found = wire::Leftovers { id, node, processes, error: String::new() };
                    send(&up, up::Message::Leftovers(found)).await;
                });
            }
            down::Message::Sweep(sweep) => {
                if let Command::Sweep(processes) = sweep.try_into()? {
                    tokio::spawn(foreign::sweep(processes));
                }
            }
            down::Message::Leave(_) => return Ok(Some(Goodbye::Leave)),
        }
        Ok(None)
    }

    /// Tells what is held of the run, and follows those shards that the controller wants to hear of.
    async fn welcome(&mut self, wire::Welcome { run, cursors, .. }: wire::Welcome) -> Result<(), Malformed> {
        let shards = self.shelf.of_run(&run);
        let held = shards.iter().map(|held| {
            // An end is told by its follower, after the last line of its files.
            let (state, pid) = held.seen.borrow().clone();
            let state = if state.alive() { state } else { ShardState::Running };
            ShardReport { id: held.spec.id.clone(), state, pid }.into()
        });
        send(&self.up, up::Message::Held(wire::Held { shards: held.collect() })).await;
        for held in shards {
            if let Some(cursor) = cursors.iter().find(|cursor| is_for(cursor, &held.spec.id)) {
                self.follow(held, (cursor.events, cursor.log), cursor.sources.clone());
            }
        }
        Ok(())
    }

    fn follow(&mut self, held: Held, cursor: (u64, Option<u64>), sources: BTreeMap<String, u64>) {
        self.tasks.spawn(follow_sources(held.clone(), self.shelf.clone(), sources, self.up.clone()));
        self.tasks.spawn(follow(held, cursor, self.up.clone()));
    }
}

fn is_for(cursor: &Cursor, id: &ShardId) -> bool {
    cursor.shard.clone().and_then(|shard| shard.try_into().ok()).as_ref() == Some(id)
}

/// Sends; `false` when the session is over.
pub(super) async fn send(up: &mpsc::Sender<wire::Up>, message: up::Message) -> bool {
    up.send(wire::Up { message: Some(message) }).await.is_ok()
}

/// Measurements go up as long as there is room: an old one is worth nothing.
async fn frames(probe: Probe, up: mpsc::Sender<wire::Up>) {
    static MISSED: AtomicU64 = AtomicU64::new(0);
    let mut frames = probe.frames();
    loop {
        let frame = Arc::clone(&frames.borrow_and_update());
        if frame.at > 0 {
            let message = Some(up::Message::Frame((*frame).clone().into()));
            if let Err(mpsc::error::TrySendError::Full(_)) = up.try_send(wire::Up { message }) {
                let missed = MISSED.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::warn!(missed, "a measurement was dropped: the stream is full");
            }
        }
        if frames.changed().await.is_err() {
            return;
        }
    }
}

fn read_log(shelf: &Shelf, request: &wire::LogRequest) -> wire::LogChunk {
    let read = || -> Result<(Vec<u8>, u64), String> {
        let id: ShardId =
            request.shard.clone().ok_or("no shard named")?.try_into().map_err(|e: Malformed| e.to_string())?;
        let held = shelf.get(&request.run, &id).ok_or_else(|| format!("{id} never ran on this node"))?;
        let path = match (&held.spec.scratch, request.source.as_str()) {
            (_, "") => held.dir.join(LOG),
            (Some(scratch), source) => {
                path_of(scratch, source).ok_or_else(|| format!("{source} is not there any more"))?
            }
            (None, source) => return Err(format!("{id} has no {source}")),
        };
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
            Err(error) => return Err(told(error)),
        };
        let size = file.metadata().map_err(told)?.len();
        let most = size.saturating_sub(request.offset).min(request.most.min(MOST_CHUNK));
        let mut data = vec![0; most as usize];
        file.read_exact_at(&mut data, request.offset).map_err(told)?;
        Ok((data, size))
    };
    match read() {
        Ok((data, size)) => wire::LogChunk { id: request.id, data, size, error: String::new() },
        Err(error) => wire::LogChunk { id: request.id, data: Vec::new(), size: 0, error },
    }
}
