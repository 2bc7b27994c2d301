//! What runs on this machine of Ray, SGLang or slime, or holds memory on a GPU, and is none of our shards'.

use std::{collections::HashSet, fs, os::unix::fs::MetadataExt, time::Duration};

use rldeck_core::{
    deck::Process,
    process::{Foreign, title},
};
use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::{
    Shelf,
    process::{Processes, boot_id, handle, send, start_ticks},
};

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// No more of a title is told, in characters.
const LONGEST: usize = 160;
/// Clock ticks of a second, as the kernel tells times to user space on every Linux.
const TICKS: u64 = 100;

/// Looks around; `on_gpus` are the processes that NVML names. Away from the runtime: every process is looked at.
pub(crate) fn look(shelf: &Shelf, on_gpus: &[Process]) -> Vec<Foreign> {
    let ours: HashSet<u32> = shelf.all_members().into_iter().collect();
    let boot_id = boot_id();
    let uptime = fs::read_to_string("/proc/uptime").ok();
    let uptime: f64 = uptime.and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0.0);
    let foreign = |pid: u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ").trim().to_owned();
        let on_gpu = on_gpus.iter().find(|process| process.pid == pid);
        if on_gpu.is_none() && title(&line).is_none() {
            return None;
        }
        let start_ticks = start_ticks(pid)?;
        Some(Foreign {
            pid,
            start_ticks,
            boot_id: boot_id.clone(),
            title: line.chars().take(LONGEST).collect(),
            user: fs::metadata(format!("/proc/{pid}")).ok()?.uid(),
            age: (uptime as u64).saturating_sub(start_ticks / TICKS),
            gpu: on_gpu.and_then(|process| process.gpu),
            gpu_memory: on_gpu.map_or(0, |process| process.gpu_memory),
        })
    };
    let mut found: Vec<_> = Processes::now().all().filter(|pid| !ours.contains(pid)).filter_map(foreign).collect();
    found.sort_by_key(|process| process.pid);
    found
}

/// Ends these processes, each only while it still is the one that was named.
pub(crate) async fn sweep(processes: Vec<Foreign>) {
    let here = boot_id();
    // A handle holds the process: its pid cannot become another's between the look and the signal.
    let held: Vec<_> = processes
        .iter()
        .filter(|of| of.boot_id == here)
        .filter_map(|of| Some((of, handle(of.pid)?)))
        .filter(|(of, _)| start_ticks(of.pid) == Some(of.start_ticks))
        .collect();
    held.iter().for_each(|(_, handle)| send(handle, Signal::TERM));
    let deadline = Instant::now() + GRACE;
    let left = |of: &Foreign| start_ticks(of.pid) == Some(of.start_ticks);
    while held.iter().any(|(of, _)| left(of)) && Instant::now() < deadline {
        sleep(Duration::from_millis(50)).await;
    }
    held.iter().filter(|(of, _)| left(of)).for_each(|(_, handle)| send(handle, Signal::KILL));
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[tokio::test]
    async fn only_what_is_named_exactly_is_ended() {
        let start = || Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let (mut first, mut second) = (start(), start());
        let named = |pid: u32| Foreign {
            pid,
            start_ticks: start_ticks(pid).unwrap(),
            boot_id: boot_id(),
            ..Foreign::default()
        };
        let other_time = Foreign { start_ticks: 1, ..named(second.id()) };
        let other_boot = Foreign { boot_id: "x".into(), ..named(second.id()) };
        sweep(vec![named(first.id()), other_time, other_boot]).await;
        first.wait().unwrap();
        assert_eq!(second.try_wait().unwrap(), None);
        second.kill().unwrap();
        second.wait().unwrap();
    }
}
