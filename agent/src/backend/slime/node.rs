//! A node of the Ray cluster: waits for the head, then becomes `ray start --block`.

use std::{
    fs, io,
    net::{TcpStream, ToSocketAddrs},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    thread,
    time::{Duration, Instant},
};

use rldeck_core::shard::Severity;

use super::events::Events;

/// The bridge to slime's hooks, put where every Python process of the node finds it.
const BRIDGE: (&str, &str) = ("rldeck_bridge.py", include_str!("rldeck_bridge.py"));
/// Between attempts to reach the head.
const AGAIN: Duration = Duration::from_millis(200);
/// A driver needs this much on a GPU that does nothing, in bytes.
const IDLE: u64 = 2 << 30;
/// GPUs have so long to be given back.
const FREEING: Duration = Duration::from_secs(5);
/// A head that is not up after so long is spoken of.
const LONG: Duration = Duration::from_secs(30);

/// What a node is to do.
#[derive(Clone, Debug)]
pub struct Node {
    /// `HOST:PORT` of the head's GCS, for a worker.
    pub after: Option<String>,
    /// Ray's `--temp-dir` on this node.
    pub scratch: Option<PathBuf>,
    /// `ray start ...`, with `--block`.
    pub argv: Vec<String>,
}

/// Starts the node in the place of this process; comes back only when it cannot.
pub fn start(node: &Node) -> ExitCode {
    let dir = PathBuf::from(std::env::var_os("RLDECK_SHARD_DIR").unwrap_or_else(|| ".".into()));
    let error = match prepare(node, &dir) {
        Ok(mut command) => command.exec(),
        Err(error) => error,
    };
    let text = format!("cannot run `{}`: {error}", node.argv.first().map_or("", String::as_str));
    eprintln!("{text}");
    if let Ok(mut events) = Events::open(&dir) {
        events.notice(Severity::Error, text);
    }
    ExitCode::FAILURE
}

fn prepare(node: &Node, dir: &Path) -> io::Result<Command> {
    fs::write(dir.join(BRIDGE.0), BRIDGE.1)?;
    if let Some(scratch) = &node.scratch {
        remove_older(scratch);
    }
    wait_for_gpus(dir, crate::probe::nvidia::memory_used)?;
    if let Some(head) = &node.after {
        wait_for(head, dir)?;
    }
    let Some((program, arguments)) = node.argv.split_first() else {
        return Err(io::Error::other("no command"));
    };
    let mut command = Command::new(program);
    // Bash reads ~/.bashrc again when it believes that ssh has started it, and then finds another Python first.
    command.args(arguments).env_remove("SSH_CLIENT").env_remove("SSH_CONNECTION").env_remove("SSH_TTY");
    if let Some(bin) = Path::new(program).parent().filter(|bin| bin.is_absolute()) {
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", bin.display()));
    }
    Ok(command)
}

/// Waits until the GPUs are empty: what a job before this one held there is given back a moment after its processes have
/// ended. What stays is somebody's, and said before a model is loaded beside it.
fn wait_for_gpus(dir: &Path, mut used: impl FnMut() -> Vec<(u32, u64)>) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        let held: Vec<_> = used().into_iter().filter(|(_, bytes)| *bytes > IDLE).collect();
        if held.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > FREEING {
            let held: Vec<_> =
                held.iter().map(|(gpu, bytes)| format!("GPU {gpu} {:.1} GB", *bytes as f64 / 1e9)).collect();
            let text =
                format!("memory is held before Ray starts: {}; `rldeck leftovers` shows by whom", held.join(", "));
            Events::open(dir)?.notice(Severity::Warning, text);
            return Ok(());
        }
        thread::sleep(AGAIN);
    }
}

/// Waits until the head can be reached; how long that may take is the operator's to judge.
fn wait_for(head: &str, dir: &Path) -> io::Result<()> {
    let begun = Instant::now();
    let mut said = false;
    loop {
        let reached = head
            .to_socket_addrs()
            .and_then(|mut all| all.next().ok_or_else(|| io::Error::other("no address")))
            .and_then(|address| TcpStream::connect_timeout(&address, Duration::from_secs(2)));
        let error = match reached {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        if begun.elapsed() > LONG && !said {
            said = true;
            let text = format!("Ray's head at {head} cannot be reached ({error}); trying on: is a firewall between?");
            Events::open(dir)?.notice(Severity::Warning, text);
        }
        thread::sleep(AGAIN);
    }
}

/// Ray's files of the last attempt stay, for whoever wants to know how it ended; older ones would fill the disk.
/// Names are `NAME-ATTEMPT-RANK`.
fn remove_older(scratch: &Path) {
    let parts = |path: &Path| {
        let name = path.file_name()?.to_str()?.to_owned();
        let (rest, rank) = name.rsplit_once('-')?;
        let (run, attempt) = rest.rsplit_once('-')?;
        Some((run.to_owned(), attempt.parse::<u32>().ok()?, rank.to_owned()))
    };
    let Some((run, attempt, rank)) = parts(scratch) else { return };
    for entry in scratch.parent().into_iter().flat_map(fs::read_dir).flatten().flatten() {
        let older = |of: (String, u32, String)| of.0 == run && of.2 == rank && of.1 + 1 < attempt;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && parts(&entry.path()).is_some_and(older) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_that_are_given_back_are_waited_for_and_held_ones_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut looks = 0;
        let freed = || {
            looks += 1;
            vec![(0, if looks < 3 { 70 << 30 } else { 1 << 29 })]
        };
        wait_for_gpus(dir.path(), freed).unwrap();
        assert_eq!(looks, 3);
        assert!(!dir.path().join("events.jsonl").exists());
        wait_for_gpus(dir.path(), || vec![(0, 1 << 29), (3, 71_200_000_000)]).unwrap();
        let said = fs::read_to_string(dir.path().join("events.jsonl")).unwrap();
        assert!(said.contains("GPU 3 71.2 GB") && !said.contains("GPU 0"), "{said}");
    }

    #[test]
    fn files_of_the_last_attempt_stay_and_older_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["rldeck-ab-1-0", "rldeck-ab-2-0", "rldeck-ab-3-0", "rldeck-ab-1-1", "rldeck-cd-1-0", "else"];
        names.iter().for_each(|name| fs::create_dir(dir.path().join(name)).unwrap());
        remove_older(&dir.path().join("rldeck-ab-3-0"));
        let mut left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["else", "rldeck-ab-1-1", "rldeck-ab-2-0", "rldeck-ab-3-0", "rldeck-cd-1-0"]);
    }
}
