//! The keeper: starts an agent again when it was killed. Small enough that nothing in it can fail.

use std::{
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A process that lived shorter than this is started again only after a pause.
const TOO_SHORT: Duration = Duration::from_secs(2);
/// Pauses between starts: first, longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Runs this binary with these arguments until it ends by itself: with status 0, or with a status that says that trying again is of no use.
pub fn keep(arguments: &[String]) -> ExitCode {
    // A terminal that goes away must not take the agents along.
    let _ = rustix::process::setsid();
    let mut pause = PAUSE.0;
    loop {
        let begun = Instant::now();
        let status = Command::new("/proc/self/exe").arg0("rldeck").args(arguments).stdin(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => return ExitCode::SUCCESS,
            // Our own refusals: another controller runs, the port is taken, the arguments are wrong.
            Ok(status) if status.code().is_some_and(|code| code <= 2) => return ExitCode::FAILURE,
            Ok(status) => {
                eprintln!("rldeck {}: ended by {:?}; starting it again", arguments.join(" "), status.signal())
            }
            Err(error) => eprintln!("rldeck {}: cannot start: {error}", arguments.join(" ")),
        }
        if begun.elapsed() > TOO_SHORT {
            pause = PAUSE.0;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(PAUSE.1);
    }
}
