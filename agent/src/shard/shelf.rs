use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rldeck_core::{
    run::ShardState,
    shard::{EXIT, Exit, Role, SPEC, ShardId, Spec, TUNE, Tune},
};
use tokio::{process::Command, sync::watch, time::sleep};

use super::{
    group::Group,
    process::nonces,
    stop::stop,
    watch::{Seen, begun, look, watch},
};
use crate::{
    home::{Home, read_json, replace_json},
    now,
};

/// Between looks at something that takes milliseconds.
const AGAIN: Duration = Duration::from_millis(5);
/// Between attempts to write a file on a full disk.
const RETRY: Duration = Duration::from_secs(1);

/// All shards of this node, by run and name. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shelf {
    home: Home,
    node: String,
    held: Arc<Mutex<BTreeMap<(String, ShardId), Held>>>,
    /// What processes call themselves in their logs.
    names: Arc<Mutex<BTreeMap<(ShardId, u32), String>>>,
}

/// A shard of this node.
#[derive(Clone, Debug)]
pub struct Held {
    /// What it runs.
    pub spec: Spec,
    /// Its directory.
    pub dir: PathBuf,
    /// How it is. An end is told only when nothing of the shard is left.
    pub seen: watch::Receiver<Seen>,
}

impl Held {
    /// The processes that its cgroup holds, at almost no cost; none where there is no cgroup.
    fn members(&self) -> Vec<u32> {
        Group::of(&self.dir, &self.spec).held()
    }
}

impl Shelf {
    /// Adopts every shard of this node that any agent ever started here.
    pub fn adopt(home: Home, node: &str) -> Shelf {
        let shelf = Shelf { home, node: node.to_owned(), held: Arc::default(), names: Arc::default() };
        let running = nonces();
        for run in subdirs(&shelf.home.runs()) {
            for attempt in subdirs(&run) {
                for dir in subdirs(&attempt) {
                    match read_json::<Spec>(&dir.join(SPEC)) {
                        Some(spec) if spec.node == node => {
                            let (state, pid) = look(&dir);
                            // It has ended, but something of it is left: it has not ended yet.
                            let left = !state.alive()
                                && (running.contains(&spec.nonce) || !Group::of(&dir, &spec).held().is_empty());
                            let state = if left { ShardState::Stopping } else { state };
                            shelf.hold(spec, dir, (state, pid));
                        }
                        _ => {}
                    }
                }
            }
        }
        shelf
    }

    /// The shards of one run.
    pub fn of_run(&self, run: &str) -> Vec<Held> {
        self.lock().values().filter(|held| held.spec.run == run).cloned().collect()
    }

    /// One shard.
    pub fn get(&self, run: &str, id: &ShardId) -> Option<Held> {
        self.lock().get(&(run.to_owned(), id.clone())).cloned()
    }

    /// The pids of all shards that run.
    pub fn pids(&self) -> Vec<(u32, ShardId)> {
        let held = self.lock();
        let alive = held.values().filter_map(|held| {
            let (state, pid) = held.seen.borrow().clone();
            (state.alive() && pid != 0).then(|| (pid, held.spec.id.clone()))
        });
        alive.collect()
    }

    /// All processes of those shards that hold many.
    pub fn below(&self) -> Vec<(u32, ShardId)> {
        let many: Vec<Held> = self.lock().values().filter(|held| held.spec.role == Role::Ray).cloned().collect();
        let alive = many.into_iter().filter(|held| held.seen.borrow().0.alive());
        alive.flat_map(|held| held.members().into_iter().map(move |pid| (pid, held.spec.id.clone()))).collect()
    }

    /// Every process of every shard. Looks at all processes of the machine.
    pub(super) fn all_members(&self) -> Vec<u32> {
        let held: Vec<Held> = self.lock().values().cloned().collect();
        let alive = held.into_iter().filter(|held| held.seen.borrow().0.alive());
        alive.flat_map(|held| Group::of(&held.dir, &held.spec).look()).collect()
    }

    /// What a process below a shard calls itself in its log: `rank 27`.
    pub fn name(&self, below: &ShardId, pid: u32) -> Option<String> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).get(&(below.clone(), pid)).cloned()
    }

    /// A process was heard to call itself so.
    pub fn named(&self, below: &ShardId, pid: u32, name: String) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert((below.clone(), pid), name);
    }

    /// Starts a shard, unless it was started before. What goes wrong is told as its end.
    pub async fn start(&self, spec: Spec) -> Held {
        if let Some(held) = self.get(&spec.run, &spec.id) {
            return held;
        }
        let dir = self.home.shard(&spec.run, &spec.id);
        let seen = match self.launch(&spec, &dir).await {
            Ok(()) => look(&dir),
            Err(error) => {
                let error = format!("{}: {error}", dir.display());
                tracing::error!(shard = %spec.id, error, "cannot start");
                let exit = Exit { code: None, signal: None, at: now(), error: Some(error.clone()) };
                let _ = replace_json(&dir.join(EXIT), &exit);
                (ShardState::Exited { code: None, error }, 0)
            }
        };
        self.hold(spec, dir, seen)
    }

    async fn launch(&self, spec: &Spec, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        replace_json(&dir.join(SPEC), spec)?;
        let mut command = std::process::Command::new("/proc/self/exe");
        command.arg0("rldeck").arg("shim").arg(dir);
        let null = Stdio::null;
        let mut shim = Command::from(command).stdin(null()).stdout(null()).stderr(null()).spawn()?;
        // Until the shim holds its lock, nobody seems to wait for the shard.
        while !begun(dir) {
            if let Some(status) = shim.try_wait()? {
                return match dir.join(EXIT).exists() {
                    true => Ok(()),
                    false => Err(io::Error::other(format!("the shim ended with {status}"))),
                };
            }
            sleep(AGAIN).await;
        }
        tokio::spawn(async move { shim.wait().await });
        Ok(())
    }

    /// Stops a shard. Its end is seen in [`Held::seen`].
    pub fn stop(&self, run: &str, id: &ShardId, grace: Duration) {
        if let Some(held) = self.get(run, id) {
            tokio::spawn(async move {
                // A shard that is still starting has no process yet that could be told.
                while held.seen.borrow().0.alive() {
                    stop(&Group::of(&held.dir, &held.spec), grace).await;
                    sleep(AGAIN).await;
                }
            });
        }
    }

    /// Puts live changes where the shard reads them; an older version never replaces a newer one.
    pub fn tune(&self, run: &str, id: &ShardId, tune: Tune) {
        let Some(held) = self.get(run, id) else { return };
        let path = held.dir.join(TUNE);
        tokio::spawn(async move {
            while held.seen.borrow().0.alive() {
                match read_json::<Tune>(&path) {
                    Some(there) if there.version >= tune.version => return,
                    _ => {}
                }
                if let Err(error) = replace_json(&path, &tune) {
                    tracing::error!(path = %path.display(), %error, "cannot be written; trying again");
                    sleep(RETRY).await;
                }
            }
        });
    }

    fn hold(&self, spec: Spec, dir: PathBuf, seen: Seen) -> Held {
        let (sender, seen) = watch::channel(seen);
        let key = (spec.run.clone(), spec.id.clone());
        let held = Held { spec: spec.clone(), dir: dir.clone(), seen };
        if held.seen.borrow().0.alive() {
            tracing::info!(shard = %spec.id, node = self.node, "watching");
            tokio::spawn(async move { watch(&dir, &spec, &sender).await });
        }
        self.lock().insert(key, held.clone());
        held
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, ShardId), Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn subdirs(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
