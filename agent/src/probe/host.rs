use rldeck_core::process::{self, Title};
use rldeck_core::{
    deck::{Host, Process},
    shard::ShardId,
};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Keeps one `System` alive and refreshes only what is shown.
pub(super) struct Sampler {
    system: System,
}

impl Sampler {
    pub(super) fn new() -> Result<Sampler, sysinfo::Error> {
        let mut system = System::new()?;
        system.refresh_cpu_usage();
        Ok(Sampler { system })
    }

    /// The host, the processes of these shards, and those below them that do something for a job.
    pub(super) fn sample<'a>(
        &mut self,
        shards: &[(u32, ShardId)],
        below: &'a [(u32, ShardId)],
    ) -> (Host, Vec<Process>) {
        let system = &mut self.system;
        system.refresh_cpu_usage();
        system.refresh_memory();
        let read = |(pid, id): &'a (u32, ShardId)| Some((*pid, id, process::title(&title(*pid)?)?));
        let titles: Vec<_> = below.iter().filter_map(read).filter(|(.., title)| title.works()).collect();
        let of_shards = shards.iter().map(|(pid, _)| *pid);
        let pids: Vec<Pid> = of_shards.chain(titles.iter().map(|(pid, ..)| *pid)).map(Pid::from_u32).collect();
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&pids),
            true,
            ProcessRefreshKind::nothing().with_cpu().with_memory(),
        );
        let measured = |pid: u32, id: &ShardId| {
            let process = system.process(Pid::from_u32(pid))?;
            Some(Process {
                pid,
                name: process.name().to_string_lossy().into_owned(),
                shard: Some(id.clone()),
                cpu: process.cpu_usage(),
                memory: process.memory(),
                ..Process::default()
            })
        };
        let of_shards = shards.iter().filter(|(pid, _)| !titles.iter().any(|(below, ..)| below == pid));
        let mut processes: Vec<_> = of_shards.filter_map(|(pid, id)| measured(*pid, id)).collect();
        processes.extend(titles.into_iter().filter_map(|(pid, id, Title { role, ranks, doing })| {
            Some(Process { role, rank: ranks, doing, ..measured(pid, id)? })
        }));
        let host = Host {
            cpus: system.cpus().iter().map(sysinfo::Cpu::usage).collect(),
            memory_used: system.used_memory(),
            memory_total: system.total_memory(),
        };
        (host, processes)
    }
}

/// What a process says that it is: its arguments, or what it has written over them.
fn title(pid: u32) -> Option<String> {
    let text = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&text).replace('\0', " ");
    Some(text.trim().chars().take(400).collect())
}
