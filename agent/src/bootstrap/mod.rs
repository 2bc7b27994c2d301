//! Brings agents up on the hosts of a cluster, over the system's ssh: the binary is put there, the agent gets a certificate
//! over the session that the operator may open anyway, it is started behind its keeper, and it has joined when the controller
//! says so. A host that fails names itself and stops no other one.

mod host;
mod script;
mod ssh;
mod trouble;

use std::{collections::BTreeMap, fs::File, io, net::SocketAddr, path::PathBuf, sync::Arc};

use ring::digest::{Context, SHA256};
use rldeck_core::host::Host;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};

use crate::identity::Authority;
pub use host::UNREACHED;
pub use ssh::Ssh;
pub use trouble::{Class, Trouble};

/// So many hosts are looked after at the same time.
const AT_ONCE: usize = 32;

/// What all hosts have in common.
#[derive(Debug)]
pub struct Bootstrap {
    /// How to reach them.
    pub ssh: Ssh,
    /// Where rldeck keeps its files there, `~/` being the user's home; without it, where it does by default.
    pub home: Option<String>,
    /// Signs their certificates.
    pub authority: Authority,
    /// Where they reach the controller.
    pub controllers: Vec<SocketAddr>,
    /// What is put there.
    pub binary: Binary,
}

/// The program that runs here.
#[derive(Clone, Debug)]
pub struct Binary {
    path: PathBuf,
    size: u64,
    /// SHA-256, hexadecimal.
    hash: String,
}

/// How far a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Is it there, does it let us in, where can files be?
    Reach,
    /// The binary.
    Install,
    /// Key and certificate; does it reach the controller?
    Enrol,
    /// The agent, behind its keeper.
    Start,
    /// Does the controller hear of it?
    Join,
}

impl Stage {
    /// The stage in a word.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Reach => "reach",
            Stage::Install => "install",
            Stage::Enrol => "enrol",
            Stage::Start => "start",
            Stage::Join => "join",
        }
    }
}

/// Something has happened on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name in the job.
    pub host: String,
    /// Where it is.
    pub stage: Stage,
    /// What has happened.
    pub step: Step,
}

/// What happens in a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It begins.
    Begun,
    /// It is done; in a word or two, what was done.
    Done(&'static str),
    /// It cannot be done: the host gets no further.
    Failed(Trouble),
}

/// The nodes that are connected to the controller now, and their agents' process ids.
pub type Connected = BTreeMap<String, u32>;

impl Binary {
    /// The program that runs here, as it is on the disk or was when it was started.
    pub fn own() -> io::Result<Binary> {
        let path = PathBuf::from("/proc/self/exe");
        let mut file = File::open(&path)?;
        let size = file.metadata()?.len();
        let mut context = Context::new(&SHA256);
        let mut buffer = vec![0; 1 << 20];
        loop {
            match io::Read::read(&mut file, &mut buffer)? {
                0 => break,
                read => context.update(&buffer[..read]),
            }
        }
        let hash = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Binary { path, size, hash })
    }
}

/// Brings all hosts up, side by side; why each one failed that did. Whoever drops this ends it: no ssh stays behind.
pub async fn run(
    bootstrap: Bootstrap,
    hosts: Vec<Host>,
    connected: watch::Receiver<Connected>,
    events: mpsc::Sender<Event>,
) -> BTreeMap<String, Result<(), Trouble>> {
    let (bootstrap, room) = (Arc::new(bootstrap), Arc::new(Semaphore::new(AT_ONCE)));
    let mut tasks = JoinSet::new();
    for host in hosts {
        let (bootstrap, room) = (Arc::clone(&bootstrap), Arc::clone(&room));
        let (connected, events) = (connected.clone(), events.clone());
        tasks.spawn(async move {
            let _place = room.acquire().await;
            let result = host::bring_up(&bootstrap, &host, connected, &events).await;
            (host.name, result)
        });
    }
    tasks.join_all().await.into_iter().collect()
}
