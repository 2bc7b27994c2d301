//! The keeper: starts an agent again when it was killed. Small enough that nothing in it can fail.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A process that lived shorter than this is started again only after a pause.
const TOO_SHORT: Duration = Duration::from_secs(2);
/// Pauses between starts: first, longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// The exit status of an agent that says that starting it again is of no use: another one does its work.
pub const USELESS: u8 = 2;

/// Runs this binary with these arguments until it ends by itself: with status 0, or with [`USELESS`].
pub fn keep(arguments: &[String]) -> ExitCode {
    // A terminal that goes away must not take the agents along.
    let _ = rustix::process::setsid();
    let mut pause = PAUSE.0;
    loop {
        let begun = Instant::now();
        let status = Command::new("/proc/self/exe").arg0("rldeck").args(arguments).stdin(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => return ExitCode::SUCCESS,
            Ok(status) if status.code() == Some(USELESS.into()) => return ExitCode::from(USELESS),
            Ok(status) => say(arguments, &format!("ended with {status}; starting it again")),
            Err(error) => say(arguments, &format!("cannot start: {error}")),
        }
        if begun.elapsed() > TOO_SHORT {
            pause = PAUSE.0;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// Into the agent's log; a full disk must not end the keeper.
fn say(arguments: &[String], what: &str) {
    let _ = writeln!(std::io::stderr(), "rldeck {}: {what}", arguments.join(" "));
}
