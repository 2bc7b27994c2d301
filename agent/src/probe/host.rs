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

    /// The host, and the processes of these shards.
    pub(super) fn sample(&mut self, shards: &[(u32, ShardId)]) -> (Host, Vec<Process>) {
        let system = &mut self.system;
        system.refresh_cpu_usage();
        system.refresh_memory();
        let pids: Vec<Pid> = shards.iter().map(|(pid, _)| Pid::from_u32(*pid)).collect();
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&pids),
            true,
            ProcessRefreshKind::nothing().with_cpu().with_memory(),
        );
        let processes = shards.iter().filter_map(|(pid, id)| {
            let process = system.process(Pid::from_u32(*pid))?;
            Some(Process {
                pid: *pid,
                name: process.name().to_string_lossy().into_owned(),
                shard: Some(id.clone()),
                cpu: process.cpu_usage(),
                memory: process.memory(),
                ..Process::default()
            })
        });
        let processes = processes.collect();
        let host = Host {
            cpus: system.cpus().iter().map(sysinfo::Cpu::usage).collect(),
            memory_used: system.used_memory(),
            memory_total: system.total_memory(),
        };
        (host, processes)
    }
}
