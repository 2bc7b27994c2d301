//! Checkpoints: written aside, renamed when complete, `latest_checkpointed_iteration.txt` last. Whatever happens while one
//! is written, the one before stays whole.

mod file;
mod model;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

pub(crate) use file::checksum;
pub(crate) use model::read_model;

use crate::model::Layout;

const LATEST: &str = "latest_checkpointed_iteration.txt";
const STATE: &str = "rldeck_state.json";
const OPTIMIZER: &str = "optimizer.safetensors";
/// So many checkpoints stay; older ones go once a new one is complete.
const KEPT: usize = 3;

/// Where a job stands. With the seeds it names every random number that is still to be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The last rollout trained.
    pub(crate) rollout: u64,
    /// Optimizer steps taken.
    pub(crate) step: u64,
    /// Prompts taken from the endless sequence of data.
    pub(crate) position: u64,
}

/// `rldeck_state.json`: where the job stands, and what the other files must look like.
#[derive(Serialize, Deserialize)]
struct State {
    progress: Progress,
    files: BTreeMap<String, (u64, String)>,
}

/// A checkpoint in memory.
#[derive(Debug, PartialEq)]
pub(crate) struct Checkpoint {
    pub(crate) progress: Progress,
    pub(crate) weights: Vec<f32>,
    pub(crate) moments: (Vec<f32>, Vec<f32>),
}

/// A checkpoint on disk.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

fn directory(root: &Path, rollout: u64) -> PathBuf {
    root.join(format!("iter_{rollout:07}"))
}

/// Complete or damaged checkpoints of ours, oldest first.
fn ours(root: &Path) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix("iter_")?.parse().ok()?;
            entry.path().join(STATE).exists().then(|| (number, entry.path()))
        })
        .collect();
    found.sort();
    found
}

/// Writes a directory aside and renames it when it is complete.
fn publish(dir: &Path, fill: impl FnOnce(&Path) -> Result<(), String>) -> Result<(), String> {
    let (parent, name) = (dir.parent().unwrap_or(Path::new(".")), dir.file_name().unwrap_or_default());
    file::create_dir(parent)?;
    let aside = parent.join(format!(".{}.partial", name.to_string_lossy()));
    let old = parent.join(format!(".{}.old", name.to_string_lossy()));
    let result = (|| {
        for leftover in [&aside, &old].into_iter().filter(|path| path.exists()) {
            fs::remove_dir_all(leftover).map_err(|error| format!("{}: {error}", leftover.display()))?;
        }
        file::create_dir(&aside)?;
        fill(&aside)?;
        file::sync_dir(&aside)?;
        if dir.exists() {
            file::rename(dir, &old)?;
        }
        file::rename(&aside, dir)?;
        file::sync_dir(parent)
    })();
    let _ = fs::remove_dir_all(if result.is_ok() { &old } else { &aside });
    result
}

/// Saves under `root`; nothing of it remains when it fails.
pub(crate) fn save(root: &Path, layout: &Layout, checkpoint: &Checkpoint) -> Result<Saved, String> {
    let dir = directory(root, checkpoint.progress.rollout);
    let mut bytes = 0;
    publish(&dir, |aside| {
        let mut files = model::write_model(aside, layout, &checkpoint.weights)?.to_vec();
        let moment = |name: &str, values: &[f32]| (name.to_owned(), vec![values.len()], model::to_bytes(values));
        let moments = [moment("exp_avg", &checkpoint.moments.0), moment("exp_avg_sq", &checkpoint.moments.1)];
        file::write(&aside.join(OPTIMIZER), &model::tensors(&moments)?)?;
        files.push(OPTIMIZER);
        let mut state = State { progress: checkpoint.progress.clone(), files: BTreeMap::new() };
        for name in files {
            let content = file::read(&aside.join(name))?;
            bytes += content.len() as u64;
            state.files.insert(name.to_owned(), (content.len() as u64, format!("{:016x}", checksum(&content))));
        }
        let state = serde_json::to_vec_pretty(&state).map_err(|error| error.to_string())?;
        bytes += state.len() as u64;
        file::write(&aside.join(STATE), &state)
    })?;
    let aside = root.join(format!(".{LATEST}.partial"));
    let latest = file::write(&aside, checkpoint.progress.rollout.to_string().as_bytes())
        .and_then(|()| file::rename(&aside, &root.join(LATEST)))
        .and_then(|()| file::sync_dir(root));
    if let Err(error) = latest {
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    let older: Vec<_> = ours(root).into_iter().filter(|(rollout, _)| *rollout < checkpoint.progress.rollout).collect();
    for (_, path) in older.iter().rev().skip(KEPT - 1) {
        let _ = fs::remove_dir_all(path);
    }
    Ok(Saved { path: dir, bytes })
}

/// The checkpoint to resume from. None when nothing was ever saved there. What had to be passed over goes to `complain`.
pub(crate) fn load(
    root: &Path,
    layout: &Layout,
    mut complain: impl FnMut(String),
) -> Result<Option<(Checkpoint, PathBuf)>, String> {
    let Ok(latest) = fs::read_to_string(root.join(LATEST)) else { return Ok(None) };
    let number = latest.trim().parse::<u64>();
    let mut candidates = ours(root);
    if let Ok(number) = &number {
        candidates.retain(|(rollout, _)| rollout <= number);
    }
    let named = number.as_ref().map(|number| directory(root, *number));
    if named.as_ref().map_or(true, |named| candidates.last().is_none_or(|(_, path)| path != named)) {
        complain(format!("{}: names {:?}, which is not there", root.join(LATEST).display(), latest.trim()));
    }
    for (_, path) in candidates.into_iter().rev() {
        match read(&path, layout) {
            Ok(checkpoint) => return Ok(Some((checkpoint, path))),
            Err(error) => complain(format!("checkpoint is damaged, trying the one before: {error}")),
        }
    }
    Err(format!("no complete checkpoint in {}; remove its {LATEST} to begin anew", root.display()))
}

fn read(dir: &Path, layout: &Layout) -> Result<Checkpoint, String> {
    let at = dir.join(STATE);
    let state: State =
        serde_json::from_slice(&file::read(&at)?).map_err(|error| format!("{}: {error}", at.display()))?;
    for (name, (bytes, sum)) in &state.files {
        let content = file::read(&dir.join(name))?;
        if content.len() as u64 != *bytes {
            return Err(format!("{}: {} bytes of {bytes}", dir.join(name).display(), content.len()));
        }
        if format!("{:016x}", checksum(&content)) != *sum {
            return Err(format!("{}: wrong checksum", dir.join(name).display()));
        }
    }
    let path = dir.join(OPTIMIZER);
    let bytes = file::read(&path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let moment = |name: &str| {
        let values = file.tensor(name).map(|tensor| model::from_bytes(tensor.data())).unwrap_or_default();
        (values.len() == layout.len).then_some(values).ok_or_else(|| format!("{}: no {name}", path.display()))
    };
    Ok(Checkpoint {
        progress: state.progress,
        weights: read_model(dir, layout)?,
        moments: (moment("exp_avg")?, moment("exp_avg_sq")?),
    })
}

/// Saves a model alone.
pub(crate) fn save_model(dir: &Path, layout: &Layout, weights: &[f32]) -> Result<(), String> {
    publish(dir, |aside| model::write_model(aside, layout, weights).map(|_| ()))
}

#[cfg(test)]
mod tests;
