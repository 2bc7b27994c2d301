//! Megatron's checkpoints in a directory: which are whole, and which a crash has left behind.

use std::{fs, io, path::Path};

/// What Megatron writes last: the iteration that is whole.
const TRACKER: &str = "latest_checkpointed_iteration.txt";

/// One `iter_NNNNNNN` directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The last rollout in it.
    pub(crate) rollout: u64,
    pub(crate) path: String,
    /// Size of all its files.
    pub(crate) bytes: u64,
    /// What is missing in it; empty when it is whole.
    pub(crate) missing: String,
}

/// The checkpoints of a directory, the one that the tracker names last.
pub(crate) fn scan(dir: &Path) -> io::Result<Vec<Found>> {
    let tracker = fs::read_to_string(dir.join(TRACKER)).ok();
    let latest: Option<u64> = tracker.and_then(|text| text.trim().parse().ok());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(rollout) = name.to_str().and_then(|name| name.strip_prefix("iter_")?.parse().ok()) else { continue };
        found.push(look(&entry.path(), rollout)?);
    }
    for each in found.iter_mut().filter(|each| each.missing.is_empty()) {
        if latest.is_none_or(|latest| each.rollout > latest) {
            // All files are there, but not all ranks have said so.
            each.missing = format!("{TRACKER} does not name it yet");
        }
    }
    found.sort_by_key(|each| (Some(each.rollout) == latest, each.rollout));
    Ok(found)
}

fn look(dir: &Path, rollout: u64) -> io::Result<Found> {
    let (mut bytes, mut parts, mut empty) = (0, 0, 0);
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let size = entry.metadata()?.len();
        bytes += size;
        if entry.path().extension().is_some_and(|kind| kind == "distcp") {
            parts += 1;
            empty += u64::from(size == 0);
        }
    }
    let missing = match () {
        () if !dir.join(".metadata").is_file() => ".metadata".to_owned(),
        () if !dir.join("common.pt").is_file() => "common.pt".to_owned(),
        () if parts == 0 => "all of its .distcp files".to_owned(),
        () if empty > 0 => format!("the content of {empty} of {parts} .distcp files"),
        () => String::new(),
    };
    Ok(Found { rollout, path: dir.to_string_lossy().into_owned(), bytes, missing })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iteration(dir: &Path, rollout: u64, files: &[(&str, &str)]) {
        let dir = dir.join(format!("iter_{rollout:07}"));
        fs::create_dir(&dir).unwrap();
        files.iter().for_each(|(name, text)| fs::write(dir.join(name), text).unwrap());
    }

    #[test]
    fn a_checkpoint_is_whole_when_all_of_it_is_there_and_the_tracker_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let whole = [(".metadata", "m"), ("common.pt", "c"), ("__0_0.distcp", "12345"), ("__1_0.distcp", "1")];
        iteration(dir.path(), 39, &whole);
        iteration(dir.path(), 19, &whole);
        iteration(dir.path(), 59, &whole);
        iteration(dir.path(), 79, &whole[1..]);
        iteration(dir.path(), 9, &[whole[0], whole[1], ("__0_0.distcp", "")]);
        fs::write(dir.path().join(TRACKER), "39\n").unwrap();
        let found = scan(dir.path()).unwrap();
        let said: Vec<_> = found.iter().map(|each| (each.rollout, each.missing.as_str())).collect();
        let expected = [
            (9, "the content of 1 of 1 .distcp files"),
            (19, ""),
            (59, "latest_checkpointed_iteration.txt does not name it yet"),
            (79, ".metadata"),
            (39, ""),
        ];
        assert_eq!(said, expected);
        assert_eq!(found[1].bytes, 8);
        assert!(scan(&dir.path().join("nowhere")).is_err());
    }
}
