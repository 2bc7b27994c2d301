//! The shim: a small process between the agent and a shard, so that either agent can be killed, upgraded and started again
//! while the shard runs on and its end is still written down.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

use rldeck_core::shard::{EXIT, Exit, Identity, LOG, PID, SPEC, Spec};
use rustix::{
    fs::{FlockOperation, flock},
    process::{WaitOptions, getpid, set_child_subreaper, setsid, wait},
};

use super::{
    cgroup::{self, Entered},
    process::{NONCE, boot_id, start_ticks},
};
use crate::{
    home::{read_json, replace_json},
    now,
};

/// Between attempts to write down the end.
const RETRY: Duration = Duration::from_millis(500);

/// Runs the shard of this directory to its end. The exit code says only whether the shim itself did its work.
pub fn shim(dir: &Path) -> ExitCode {
    match wait_for(dir) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn wait_for(dir: &Path) -> io::Result<()> {
    // Held until the end is written down: how an agent sees that somebody waits for the shard.
    let lock = File::open(dir.join(SPEC))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    if dir.join(EXIT).exists() {
        // An agent has given this start up.
        return Ok(());
    }
    let exit = run(dir)?;
    // A full disk must not make an end look like a loss.
    while replace_json(&dir.join(EXIT), &exit).is_err() {
        thread::sleep(RETRY);
    }
    drop(lock);
    // Descendants that outlive the shard come to us: nobody else would collect them.
    while wait(WaitOptions::empty()).is_ok() {}
    Ok(())
}

fn run(dir: &Path) -> io::Result<Exit> {
    let _ = setsid();
    let _ = set_child_subreaper(Some(getpid()));
    let spec: Spec = read_json(&dir.join(SPEC)).ok_or_else(|| io::Error::other("spec.json cannot be read"))?;
    // What is spawned while we are in its cgroup is born there; a host without cgroups does without.
    let entered = Entered::new(&cgroup::name(&spec.nonce));
    let started = start(dir, &spec);
    let cgroup = entered.map(Entered::leave).transpose()?;
    let failed = |error: io::Error| Exit { code: None, signal: None, at: now(), error: Some(error.to_string()) };
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return Ok(failed(error)),
    };
    let identity = Identity {
        pid: child.id(),
        start_ticks: start_ticks(child.id()).unwrap_or_default(),
        boot_id: boot_id(),
        nonce: spec.nonce,
        shim: std::process::id(),
        cgroup: cgroup.map(|path| path.to_string_lossy().into_owned()),
    };
    if let Err(error) = replace_json(&dir.join(PID), &identity) {
        // Nobody could ever find it again.
        child.kill()?;
        child.wait()?;
        return Ok(failed(error));
    }
    let status = child.wait()?;
    Ok(Exit { code: status.code(), signal: status.signal(), at: now(), error: None })
}

fn start(dir: &Path, spec: &Spec) -> io::Result<std::process::Child> {
    let Some((program, arguments)) = spec.argv.split_first() else {
        return Err(io::Error::other("spec.json has an empty argv"));
    };
    let log = OpenOptions::new().append(true).create(true).open(dir.join(LOG))?;
    let mut command = match program.as_str() {
        // Whatever binary this is, even when it was replaced on disk since.
        "rldeck" => Command::new("/proc/self/exe"),
        program => Command::new(program),
    };
    command
        .arg0(program)
        .args(arguments)
        .envs(&spec.env)
        .env(NONCE, &spec.nonce)
        .env("RLDECK_SHARD_DIR", dir)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    command.spawn().map_err(|error| io::Error::new(error.kind(), format!("cannot start `{program}`: {error}")))
}
