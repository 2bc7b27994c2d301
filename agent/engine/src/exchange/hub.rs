use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use super::{Frames, Job, Response, ToShard, ToTrainer, send};

/// A shard that takes nothing for so long, or has work and says nothing for so long, is given up: it hangs, and its work
/// goes to others. When it wakes it comes back as a new one.
const PATIENCE: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(30);

/// What happened at the exchange.
#[derive(Debug)]
pub(crate) enum News {
    Joined(u64),
    Left {
        rank: u64,
        /// Groups that go back into the queue.
        returned: usize,
    },
    Done(u64, Vec<Response>),
    /// A shard of another shape came.
    Refused(u64),
}

enum Input {
    Connected(u64, UnixStream),
    Said(u64, ToTrainer),
    Gone(u64),
}

struct Shard {
    stream: UnixStream,
    /// Known once it has said hello.
    rank: Option<u64>,
    slots: usize,
    jobs: BTreeMap<u64, Job>,
    /// When it last said something, or was given work after a rest.
    heard: Instant,
}

impl Shard {
    fn busy(&self) -> usize {
        self.jobs.values().map(|job| job.samples).sum()
    }
}

/// The trainer's end: who is there, what waits, who works on what.
pub(crate) struct Hub {
    input: Receiver<Input>,
    shards: BTreeMap<u64, Shard>,
    queue: VecDeque<Job>,
    weights: Vec<u8>,
    parameters: usize,
}

impl Hub {
    pub(crate) fn new(listener: UnixListener, parameters: usize, weights: Vec<u8>) -> Hub {
        let (sender, input) = channel();
        thread::spawn(move || accept(&listener, &sender));
        Hub { input, shards: BTreeMap::new(), queue: VecDeque::new(), weights, parameters }
    }

    /// Shards that are ready to work.
    pub(crate) fn present(&self) -> usize {
        self.shards.values().filter(|shard| shard.rank.is_some()).count()
    }

    pub(crate) fn submit(&mut self, jobs: Vec<Job>) {
        self.queue.extend(jobs);
        self.assign();
    }

    /// Nobody needs the outstanding work any more.
    pub(crate) fn abandon(&mut self) {
        self.queue.clear();
        for (_, shard) in self.shards.iter_mut().filter(|(_, shard)| !shard.jobs.is_empty()) {
            shard.jobs.clear();
            say_to(shard, &ToShard::Abandon);
        }
    }

    /// All work from now on is done with these.
    pub(crate) fn set_weights(&mut self, weights: Vec<u8>) {
        self.weights = weights;
        let message = ToShard::Weights(self.weights.clone());
        self.shards.values_mut().filter(|shard| shard.rank.is_some()).for_each(|shard| say_to(shard, &message));
    }

    /// Waits for news, at most so long.
    pub(crate) fn next(&mut self, patience: Duration) -> Option<News> {
        let news = match self.input.recv_timeout(patience) {
            Ok(Input::Connected(id, stream)) => {
                self.shards
                    .insert(id, Shard { stream, rank: None, slots: 0, jobs: BTreeMap::new(), heard: Instant::now() });
                None
            }
            Ok(Input::Said(id, ToTrainer::Hello { rank, slots, parameters })) => {
                self.welcome(id, rank, slots, parameters)
            }
            Ok(Input::Said(id, ToTrainer::Done { id: job, responses })) => {
                // Work that was abandoned meanwhile is no news.
                let known = self.shards.get_mut(&id).and_then(|shard| {
                    shard.heard = Instant::now();
                    shard.jobs.remove(&job)
                });
                known.map(|_| News::Done(job, responses))
            }
            Ok(Input::Gone(id)) => self.remove(id),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        };
        self.give_up_the_silent();
        self.assign();
        news
    }

    /// Closing its stream makes its reader say that it is gone.
    fn give_up_the_silent(&self) {
        for shard in self.shards.values().filter(|shard| !shard.jobs.is_empty() && shard.heard.elapsed() > SILENCE) {
            let _ = shard.stream.shutdown(Shutdown::Both);
        }
    }

    fn welcome(&mut self, id: u64, rank: u64, slots: usize, parameters: usize) -> Option<News> {
        let shard = self.shards.get_mut(&id)?;
        if parameters != self.parameters {
            let _ = shard.stream.shutdown(Shutdown::Both);
            return Some(News::Refused(rank));
        }
        say_to(shard, &ToShard::Weights(self.weights.clone()));
        (shard.rank, shard.slots) = (Some(rank), slots);
        Some(News::Joined(rank))
    }

    fn remove(&mut self, id: u64) -> Option<News> {
        let shard = self.shards.remove(&id)?;
        let returned = shard.jobs.len();
        // Oldest first, before all that waits.
        shard.jobs.into_values().rev().for_each(|job| self.queue.push_front(job));
        shard.rank.map(|rank| News::Left { rank, returned })
    }

    /// Gives waiting work to the emptiest shards.
    fn assign(&mut self) {
        while let Some(samples) = self.queue.front().map(|job| job.samples) {
            let free = |shard: &Shard| shard.jobs.is_empty() || shard.busy() + samples <= shard.slots;
            let ready = self.shards.values_mut().filter(|shard| shard.rank.is_some() && free(shard));
            let Some(shard) = ready.min_by_key(|shard| shard.busy()) else { return };
            let Some(job) = self.queue.pop_front() else { return };
            if shard.jobs.is_empty() {
                shard.heard = Instant::now();
            }
            say_to(shard, &ToShard::Work(job.clone()));
            shard.jobs.insert(job.id, job);
        }
    }
}

/// If it cannot be reached its reader will notice; closing the stream makes sure of that.
fn say_to(shard: &mut Shard, message: &ToShard) {
    if send(&mut shard.stream, message).is_err() {
        let _ = shard.stream.shutdown(Shutdown::Both);
    }
}

fn accept(listener: &UnixListener, to: &Sender<Input>) {
    for (id, stream) in (0..).zip(listener.incoming()) {
        let Ok(stream) = stream else { continue };
        let reader = stream.try_clone().and_then(|reader| stream.set_write_timeout(Some(PATIENCE)).map(|()| reader));
        let (Ok(reader), to) = (reader, to.clone()) else { continue };
        if to.send(Input::Connected(id, stream)).is_err() {
            return;
        }
        thread::spawn(move || {
            let _ = listen_to(id, reader, &to);
            let _ = to.send(Input::Gone(id));
        });
    }
}

fn listen_to(id: u64, mut stream: UnixStream, to: &Sender<Input>) -> io::Result<()> {
    let mut frames = Frames::default();
    loop {
        if let Some(message) = frames.next(&mut stream)?
            && to.send(Input::Said(id, message)).is_err()
        {
            return Ok(());
        }
    }
}
