//! What a machine is doing, at almost no cost: sysinfo for the host, NVML for GPUs, each on a thread of its own so that
//! a driver that hangs stops nothing else.

mod host;
pub(crate) mod nvidia;

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rldeck_core::deck::{Frame, Gpu, Process};
use tokio::sync::watch;

use crate::{now, shard::Shelf};

/// One measurement.
const EVERY: Duration = Duration::from_secs(1);
/// A driver that has not answered for so long is said to hang.
const HANGS: Duration = Duration::from_secs(5);

/// The probe of this machine. Cheap to clone; ends with the process.
#[derive(Clone, Debug)]
pub struct Probe(watch::Receiver<Arc<Frame>>);

/// What the GPU thread saw last.
#[derive(Debug, Default)]
struct Seen {
    at: Option<Instant>,
    gpus: Vec<Gpu>,
    processes: Vec<Process>,
    note: String,
}

impl Probe {
    /// Begins to measure.
    pub fn start(shelf: Shelf) -> Probe {
        let (sender, frames) = watch::channel(Arc::new(Frame::default()));
        let gpus = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::clone(&gpus);
        thread::spawn(move || nvidia::watch(&shared));
        thread::spawn(move || {
            let mut host = match host::Sampler::new() {
                Ok(host) => host,
                Err(error) => {
                    let note = format!("this host cannot be measured: {error}");
                    sender.send_replace(Arc::new(Frame { at: now(), note, ..Frame::default() }));
                    return;
                }
            };
            while !sender.is_closed() {
                let (host, processes) = host.sample(&shelf.pids(), &shelf.below());
                let processes = processes.into_iter().map(|process| named(process, &shelf)).collect();
                let frame = frame(host, processes, &gpus.lock().unwrap_or_else(PoisonError::into_inner));
                sender.send_replace(Arc::new(frame));
                thread::sleep(EVERY);
            }
        });
        Probe(frames)
    }

    /// The processes that hold memory on a GPU, as last seen.
    pub fn on_gpus(&self) -> Vec<Process> {
        self.0.borrow().processes.iter().filter(|process| process.gpu.is_some()).cloned().collect()
    }

    /// The measurements, newest first and only.
    pub fn frames(&self) -> watch::Receiver<Arc<Frame>> {
        self.0.clone()
    }
}

fn frame(host: rldeck_core::deck::Host, mut processes: Vec<Process>, seen: &Seen) -> Frame {
    for on_gpu in &seen.processes {
        match processes.iter_mut().find(|process| process.pid == on_gpu.pid) {
            Some(process) => {
                process.gpu = on_gpu.gpu;
                process.gpu_memory = on_gpu.gpu_memory;
            }
            None => processes.push(on_gpu.clone()),
        }
    }
    let note = match seen.at.map(|at| at.elapsed()) {
        Some(age) if age > HANGS => format!("NVML has not answered for {} s; its last values are shown", age.as_secs()),
        _ => seen.note.clone(),
    };
    Frame { at: now(), host, gpus: seen.gpus.clone(), processes, note }
}

/// A trainer tells its rank in its log alone.
fn named(process: Process, shelf: &Shelf) -> Process {
    let name = process.shard.as_ref().and_then(|below| shelf.name(below, process.pid));
    match name.filter(|_| process.rank.is_empty()) {
        Some(name) => Process { rank: name, ..process },
        None => process,
    }
}
