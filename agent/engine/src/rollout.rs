//! A rollout shard: connects to the trainer, decodes what it is given with the weights it was last sent, for ever.

use std::{
    io,
    os::unix::net::UnixStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use rldeck_core::shard::Report;

use crate::{
    config::Config,
    device::Cpu,
    exchange::{Frames, ToShard, ToTrainer, connect, send},
    fp8,
    model::Layout,
    report::Reporter,
    sampler::Sampler,
    say,
};

/// Between attempts to reach the trainer, and how long an idle shard listens before it looks whether to stop.
const BEAT: Duration = Duration::from_millis(50);

pub(crate) fn run(config: &Config, stop: &AtomicBool) {
    let mut report = Reporter::new();
    let layout = Layout::new(&config.shape);
    say!("rollout shard {}: {} parameters, {} slots", config.rank, layout.len, config.slots);
    let mut waiting = false;
    while !stop.load(Ordering::Relaxed) {
        match connect(&config.exchange) {
            Ok(stream) => {
                say!("connected to the trainer at {}", config.exchange.display());
                let error = Connection::new(stream, &layout, config).and_then(|mut to| to.serve(&mut report, stop));
                if let Err(error) = error {
                    say!("lost the trainer ({error}); trying again");
                }
                waiting = false;
            }
            Err(error) if !waiting => {
                say!("waiting for the trainer at {}: {error}", config.exchange.display());
                waiting = true;
            }
            Err(_) => {}
        }
        if !stop.load(Ordering::Relaxed) {
            thread::sleep(BEAT);
        }
    }
    say!("stopped");
}

struct Connection<'a> {
    stream: UnixStream,
    frames: Frames,
    layout: &'a Layout,
    sampler: Sampler<Cpu>,
    weights: Vec<f32>,
}

impl<'a> Connection<'a> {
    fn new(mut stream: UnixStream, layout: &'a Layout, config: &Config) -> io::Result<Connection<'a>> {
        stream.set_read_timeout(Some(BEAT))?;
        send(&mut stream, &ToTrainer::Hello { rank: config.rank, slots: config.slots, parameters: layout.len })?;
        let sampler = Sampler::new(Cpu, layout, config.slots);
        Ok(Connection { stream, frames: Frames::default(), layout, sampler, weights: Vec::new() })
    }

    fn serve(&mut self, report: &mut Reporter, stop: &AtomicBool) -> io::Result<()> {
        let (mut ready, mut shown) = (false, None);
        while !stop.load(Ordering::Relaxed) {
            self.stream.set_nonblocking(!self.sampler.idle())?;
            while let Some(message) = self.frames.next(&mut self.stream)? {
                self.take(message)?;
            }
            if !ready && !self.weights.is_empty() {
                report.report(Report::Ready);
                ready = true;
            }
            let working = self.sampler.rollout();
            if working != shown {
                let name = if working.is_some() { "generate" } else { "" };
                report.report(Report::Phase { name: name.into(), rollout: working.or(shown).unwrap_or_default() });
                shown = working;
            }
            if working.is_some() {
                let done = self.sampler.step(self.layout, &self.weights);
                self.stream.set_nonblocking(false)?;
                for (id, responses) in done {
                    send(&mut self.stream, &ToTrainer::Done { id, responses })?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, message: ToShard) -> io::Result<()> {
        match message {
            ToShard::Weights(bytes) => {
                self.weights = fp8::unpack(self.layout, &bytes).ok_or(io::ErrorKind::InvalidData)?;
            }
            ToShard::Work(job) if self.weights.is_empty() || job.prompt.is_empty() => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("group {} cannot be sampled", job.id)));
            }
            ToShard::Work(job) => self.sampler.submit(job),
            ToShard::Abandon => self.sampler.abandon(),
        }
        Ok(())
    }
}
