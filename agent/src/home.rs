//! Where an agent and its controller keep their files.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    os::{
        fd::AsRawFd,
        unix::fs::{DirBuilderExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use rldeck_core::shard::ShardId;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use tokio::net::{UnixListener, UnixStream};

/// The directory of one controller and of the agents that run beside it: `$RLDECK_HOME`, or `~/.local/state/rldeck`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

/// How to reach the controller; written by it, readable by its owner alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// Where agents of other machines are served, over TLS.
    #[serde(default)]
    pub tls: Vec<SocketAddr>,
    /// What agents show to be let in.
    pub token: String,
    /// The controller's process id.
    pub pid: u32,
}

impl Home {
    /// The home at this path, made when it is not there, open to its owner alone.
    pub fn open(path: Option<PathBuf>) -> io::Result<Home> {
        let path = match path {
            Some(path) => path,
            None => default_path().ok_or_else(|| {
                io::Error::other("no home directory: set RLDECK_HOME to where rldeck may keep its files")
            })?,
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Home(fs::canonicalize(path)?))
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Consoles on this machine connect here.
    pub fn socket(&self) -> PathBuf {
        self.0.join("controller.sock")
    }

    /// Held by the one controller of this home.
    pub fn lock(&self) -> PathBuf {
        self.0.join("controller.lock")
    }

    /// [`Contact`] of the controller.
    pub fn contact_file(&self) -> PathBuf {
        self.0.join("controller.json")
    }

    /// What an agent and its keeper print.
    pub fn agent_log(&self, node: &str) -> PathBuf {
        self.0.join(format!("{node}.log"))
    }

    /// All runs.
    pub fn runs(&self) -> PathBuf {
        self.0.join("runs")
    }

    /// One run.
    pub fn run(&self, run: &str) -> PathBuf {
        self.runs().join(run)
    }

    /// One shard.
    pub fn shard(&self, run: &str, id: &ShardId) -> PathBuf {
        self.run(run).join(id.dir())
    }

    /// How to reach the controller, as it last wrote it.
    pub fn contact(&self) -> io::Result<Contact> {
        Ok(serde_json::from_slice(&fs::read(self.contact_file())?)?)
    }

    /// The newest run: names begin with the time of launch.
    pub fn newest_run(&self) -> Option<String> {
        let runs = fs::read_dir(self.runs()).ok()?;
        let with_journal = runs.flatten().filter(|entry| entry.path().join("journal.jsonl").is_file());
        with_journal.filter_map(|entry| entry.file_name().into_string().ok()).max()
    }
}

fn default_path() -> Option<PathBuf> {
    let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    var("RLDECK_HOME")
        .or_else(|| Some(var("XDG_STATE_HOME")?.join("rldeck")))
        .or_else(|| Some(var("HOME")?.join(".local/state/rldeck")))
}

/// Takes a lock that lasts as long as the file is kept; `None` when another process holds it.
pub fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::create(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Replaces a file as a whole, or leaves it as it was: written beside, synced, renamed. Readable by its owner alone.
pub fn replace(path: &Path, data: &[u8]) -> io::Result<()> {
    let aside = path.with_extension(format!("tmp-{}", std::process::id()));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(data)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written
}

/// [`replace`] with JSON.
pub fn replace_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    replace(path, &serde_json::to_vec(value)?)
}

/// Reads JSON that [`replace_json`] wrote; `None` when it is not there or cannot be read.
pub fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Socket addresses hold 108 bytes; a path may be longer. A handle of its directory makes it short.
fn short(path: &Path) -> io::Result<(File, PathBuf)> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::other(format!("{} is not the path of a socket", path.display())));
    };
    let dir = File::open(dir)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd())).join(name);
    Ok((dir, short))
}

/// Listens on a Unix socket, wherever it lies.
pub fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let (_dir, short) = short(path)?;
    UnixListener::bind(short)
}

/// Connects to a Unix socket, wherever it lies.
pub async fn connect_unix(path: &Path) -> io::Result<UnixStream> {
    let (_dir, short) = short(path)?;
    UnixStream::connect(short).await
}
