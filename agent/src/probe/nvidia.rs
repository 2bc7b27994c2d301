use std::{
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nvml_wrapper::{
    Device, Nvml,
    enum_wrappers::device::{Clock, TemperatureSensor},
    enums::device::UsedGpuMemory,
    error::NvmlError,
};
use rldeck_core::deck::{Gpu, Process};

use super::{EVERY, Seen};

/// A machine that had no driver may get one.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Measures all GPUs for ever; without a driver looks for one now and then.
pub(super) fn watch(seen: &Mutex<Seen>) {
    loop {
        match Nvml::init() {
            Ok(nvml) => {
                while let Ok(new) = sample(&nvml) {
                    store(seen, new);
                    thread::sleep(EVERY);
                }
                store(seen, Seen { note: "the NVIDIA driver is gone; looking for it".to_owned(), ..Seen::default() });
                thread::sleep(EVERY);
            }
            Err(error) => {
                store(seen, Seen { note: absent(&error), ..Seen::default() });
                thread::sleep(LOOK_AGAIN);
            }
        }
    }
}

/// Memory in use on each GPU, bytes, by index; nothing without a driver.
pub(crate) fn memory_used() -> Vec<(u32, u64)> {
    let Ok(nvml) = Nvml::init() else { return Vec::new() };
    let used = |index: u32| Some((index, nvml.device_by_index(index).ok()?.memory_info().ok()?.used));
    (0..nvml.device_count().unwrap_or(0)).filter_map(used).collect()
}

fn absent(error: &NvmlError) -> String {
    match error {
        NvmlError::LibloadingError(_) => "no NVIDIA driver here: CPUs only".to_owned(),
        error => format!("NVML: {error}"),
    }
}

fn store(seen: &Mutex<Seen>, new: Seen) {
    *seen.lock().unwrap_or_else(PoisonError::into_inner) = new;
}

fn sample(nvml: &Nvml) -> Result<Seen, NvmlError> {
    let mut seen = Seen { at: Some(Instant::now()), ..Seen::default() };
    for index in 0..nvml.device_count()? {
        // One GPU that fell off the bus must not hide the others.
        match nvml.device_by_index(index).and_then(|device| Ok((gpu(index, &device)?, device))) {
            Ok((gpu, device)) => {
                seen.gpus.push(gpu);
                seen.processes.extend(processes(index, &device));
            }
            Err(error) => seen.gpus.push(Gpu { index, error: error.to_string(), ..Gpu::default() }),
        }
    }
    Ok(seen)
}

fn gpu(index: u32, device: &Device<'_>) -> Result<Gpu, NvmlError> {
    let memory = device.memory_info()?;
    let watts = |milliwatts: u32| milliwatts as f32 / 1000.0;
    Ok(Gpu {
        index,
        name: device.name()?,
        utilisation: device.utilization_rates().ok().map(|rates| rates.gpu),
        memory_used: memory.used,
        memory_total: memory.total,
        power: device.power_usage().ok().map(watts),
        power_limit: device.enforced_power_limit().ok().map(watts),
        temperature: device.temperature(TemperatureSensor::Gpu).ok(),
        sm_clock: device.clock_info(Clock::SM).ok(),
        memory_clock: device.clock_info(Clock::Memory).ok(),
        error: String::new(),
    })
}

fn processes(index: u32, device: &Device<'_>) -> Vec<Process> {
    let running = device.running_compute_processes().unwrap_or_default();
    let process = |on_gpu: nvml_wrapper::struct_wrappers::device::ProcessInfo| Process {
        pid: on_gpu.pid,
        name: std::fs::read_to_string(format!("/proc/{}/comm", on_gpu.pid)).unwrap_or_default().trim().to_owned(),
        gpu: Some(index),
        gpu_memory: match on_gpu.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => bytes,
            UsedGpuMemory::Unavailable => 0,
        },
        ..Process::default()
    };
    running.into_iter().map(process).collect()
}
