//! The logs of what runs below a Ray node, read where Ray writes them.
//!
//! Ray gives every worker a file for stdout and one for stderr, and the driver one on the head. They are followed by byte
//! offset like a shard's own files; each line goes up once, with what it means. A file is known by its inode too: when Ray
//! rotates it, the old one is read to its end and the new one begins at 0.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rldeck_core::{
    record::{Context, Reader},
    shard::{Event, Millis, Report, Spec},
};
use rldeck_proto::wire::{self, up};
use tokio::{sync::mpsc, time::sleep};

use super::session::send;
use crate::{
    backend::slime::checkpoint,
    now,
    shard::{Held, Shelf},
    tail::{Ending, RawLine, Tail, log_record},
};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_millis(100);
/// How often new files are looked for.
const SCAN: Duration = Duration::from_millis(500);
/// So many lines of one node go up in a second; more are counted. What they mean goes up always.
const MOST_LINES: u32 = 1000;
/// The first bytes of a file tell who writes it.
const HEAD: usize = 16 << 10;

/// Where Ray keeps the logs of a node that uses this directory.
pub(super) fn logs(scratch: &str) -> PathBuf {
    Path::new(scratch).join("session_latest/logs")
}

/// Follows all logs below a shard, until it has ended and they are read.
pub(super) async fn follow_sources(
    held: Held,
    shelf: Shelf,
    cursors: BTreeMap<String, u64>,
    up: mpsc::Sender<wire::Up>,
) {
    let Some(scratch) = &held.spec.scratch else { return };
    let steps = held.spec.env.get("RLDECK_STEPS_PER_ROLLOUT").and_then(|steps| steps.parse().ok()).unwrap_or(0);
    let context = Context { steps_per_rollout: steps, ..Context::default() };
    let mut sources = Sources {
        dir: logs(scratch),
        cursors,
        context,
        open: BTreeMap::new(),
        scanned: None,
        allowance: Allowance::new(),
    };
    loop {
        let ended = !held.seen.borrow().0.alive();
        if ended || sources.scanned.is_none_or(|at| at.elapsed() > SCAN) {
            sources.scan();
        }
        let mut quiet = true;
        for source in sources.open.values_mut() {
            // stdout and stderr are two files of one process, and only one of them may tell its rank.
            source.known = source.pid.and_then(|pid| shelf.name(&held.spec.id, pid));
            while let Some(records) = source.read(&held.spec, ended, &mut sources.allowance) {
                quiet = false;
                if let (Some(pid), Some(rank)) = (source.pid, source.reader.identity().rank) {
                    shelf.named(&held.spec.id, pid, format!("rank {rank}"));
                }
                if !send(&up, up::Message::Records(records)).await {
                    return;
                }
            }
        }
        if ended && quiet {
            return;
        }
        sleep(EVERY).await;
    }
}

struct Sources {
    dir: PathBuf,
    /// Where files are taken up that the controller knows.
    cursors: BTreeMap<String, u64>,
    context: Context,
    /// By inode.
    open: BTreeMap<u64, Source>,
    scanned: Option<Instant>,
    allowance: Allowance,
}

impl Sources {
    fn scan(&mut self) {
        self.scanned = Some(Instant::now());
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let Some(name) = name.to_str().filter(|name| is_source(name)) else { continue };
            let Ok(inode) = entry.metadata().map(|meta| meta.ino()) else { continue };
            if !self.open.contains_key(&inode) {
                let key = format!("{name}#{inode}");
                let from = self.cursors.get(&key).copied().unwrap_or(0);
                self.open.insert(inode, Source::new(key, path, from, self.context));
            }
        }
    }
}

/// Whether a file of Ray's log directory is one of a worker or of the job.
fn is_source(name: &str) -> bool {
    let worker = name.starts_with("worker-") && (name.ends_with(".out") || name.ends_with(".err"));
    worker || (name.starts_with("job-driver-") && name.ends_with(".log"))
}

/// The file of a source's key.
pub(super) fn path_of(scratch: &str, key: &str) -> Option<PathBuf> {
    let (name, inode) = key.split_once('#')?;
    let inode: u64 = inode.parse().ok()?;
    if !is_source(name) || name.contains('/') {
        return None;
    }
    let dir = logs(scratch);
    let rotated = (1..10).map(|number| format!("{name}.{number}"));
    let names = std::iter::once(name.to_owned()).chain(rotated);
    names.map(|name| dir.join(name)).find(|path| fs::metadata(path).is_ok_and(|meta| meta.ino() == inode))
}

/// One file.
struct Source {
    key: String,
    pid: Option<u32>,
    /// What its process is known as from another file.
    known: Option<String>,
    is_driver: bool,
    tail: Tail,
    reader: Reader,
}

impl Source {
    fn new(key: String, path: PathBuf, from: u64, context: Context) -> Source {
        let mut reader = Reader::new(context);
        if from > 0 {
            // Who writes it was told at its beginning.
            let head = read_head(&path, from);
            head.split(|byte| *byte == b'\n').for_each(|line| reader.line(line, 0, &mut |_| {}));
        }
        let stem = key.split(['#', '.']).next().unwrap_or_default();
        let pid = stem.rsplit('-').next().and_then(|pid| pid.parse().ok());
        let is_driver = key.starts_with("job-driver-");
        Source { key, pid, known: None, is_driver, tail: Tail::new(path, from).of_terminal(), reader }
    }

    /// The next lines, if any came.
    fn read(&mut self, of: &Spec, ended: bool, allowance: &mut Allowance) -> Option<wire::Records> {
        // A file that cannot be read now can be in a moment; what it holds is not lost.
        let lines = self.tail.read(ended).ok()?;
        let at = now();
        let (mut records, mut skipped) = (Vec::new(), 0);
        let mut meant = Vec::new();
        for line in lines {
            let (offset, next) = (line.offset, line.next);
            let forwarded = self.is_forwarded(&line);
            if !forwarded {
                self.reader.line(&line.bytes, at, &mut |report| meant.push(report));
            }
            let shown = !forwarded && self.shows(&line);
            let granted = shown && allowance.take();
            skipped += u64::from(shown && !granted);
            let events: Vec<_> = meant.drain(..).filter_map(|report| self.event(report, at)).collect();
            if granted || !events.is_empty() {
                let line = if granted { log_record(line, at).line } else { None };
                records.push(wire::Record { offset, next, line, meant: events });
            } else if let Some(last) = records.last_mut() {
                last.next = next;
            } else {
                records.push(wire::Record { offset, next, line: None, meant: Vec::new() });
            }
        }
        self.reader.settle(at, &mut |report| meant.push(report));
        let events: Vec<_> = meant.drain(..).filter_map(|report| self.event(report, at)).collect();
        if !events.is_empty() {
            let here = self.tail.offset();
            records.push(wire::Record { offset: here, next: here, line: None, meant: events });
        }
        (!records.is_empty()).then(|| wire::Records {
            shard: Some(of.id.clone().into()),
            records,
            source: self.key.clone(),
            writer: self.writer(of.rank),
            skipped,
        })
    }

    /// Ray has brought a line into the driver's file that is read where it is written.
    fn is_forwarded(&self, line: &RawLine) -> bool {
        let text = &line.bytes;
        self.is_driver && text.first() == Some(&0x1b) && !text.windows(8).any(|part| part == b"(raylet)")
    }

    /// Whether a line is worth showing: no heads of files, no pictures of a bar.
    fn shows(&self, line: &RawLine) -> bool {
        let text = &line.bytes;
        let blank = text.iter().all(u8::is_ascii_whitespace);
        let head =
            text.starts_with(b":job_id:") || text.starts_with(b":actor_name:") || text.starts_with(b":task_name:");
        line.ending != Ending::Return && !blank && !head
    }

    fn event(&self, report: Report, at: Millis) -> Option<wire::Event> {
        let report = match report {
            // The trainer's timers tell what the job does; the manager's bar tells it again, but for evaluations.
            Report::Phase { ref name, .. } if !self.leads() && name != "eval" => return None,
            Report::Notice { severity, text } => {
                let who = self.known.clone().or_else(|| self.reader.identity().label());
                let text = who.map_or(text.clone(), |who| format!("{who}: {text}"));
                Report::Notice { severity, text }
            }
            Report::Checkpoint { rollout, path, .. } => {
                let found = checkpoint::scan(Path::new(&path).parent()?).unwrap_or_default();
                let bytes = found.iter().find(|found| found.rollout == rollout).map_or(0, |found| found.bytes);
                Report::Checkpoint { rollout, path, bytes }
            }
            report => report,
        };
        Some(Event { at, report }.into())
    }

    fn leads(&self) -> bool {
        self.reader.identity().rank == Some(0)
    }

    /// A name that may be that of a shard, and no other process of the job has.
    fn writer(&self, node: u32) -> String {
        let identity = self.reader.identity();
        let pid = self.pid.unwrap_or_default();
        let label = match (&self.known, identity.label()) {
            _ if self.is_driver => "job".to_owned(),
            (Some(known), _) => known.clone(),
            (None, Some(label)) if identity.rank.is_some() || label == "rollout manager" => label,
            (None, label) => format!("{}.n{node}.{pid}", label.unwrap_or_else(|| "worker".to_owned())),
        };
        // stdout and stderr are two files.
        let label = if self.key.contains(".out#") { format!("{label}.out") } else { label };
        let letter = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c } else { '-' };
        label.chars().take(60).map(letter).collect::<String>().trim_start_matches('.').to_owned()
    }
}

fn read_head(path: &Path, most: u64) -> Vec<u8> {
    use std::io::Read;
    let mut head = Vec::new();
    if let Ok(file) = fs::File::open(path) {
        let _ = file.take(most.min(HEAD as u64)).read_to_end(&mut head);
    }
    head
}

/// How many more lines may go up in this second.
struct Allowance {
    since: Instant,
    left: u32,
}

impl Allowance {
    fn new() -> Allowance {
        Allowance { since: Instant::now(), left: MOST_LINES }
    }

    fn take(&mut self) -> bool {
        if self.since.elapsed() >= Duration::from_secs(1) {
            *self = Allowance::new();
        }
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}
