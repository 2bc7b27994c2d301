use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

/// A file of JSON lines that is only ever appended to. What could not be written waits in memory.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// So many bytes hold whole lines.
    good: u64,
    waiting: Vec<u8>,
    /// Sync every write to the disk.
    sync: bool,
}

impl Journal {
    /// Opens the file and reads what it holds. A last line that was cut off by a crash is cut away; lines that cannot be read are counted.
    pub(super) fn open<T: DeserializeOwned>(path: &Path, sync: bool) -> io::Result<(Journal, Vec<T>, usize)> {
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let held = fs::read(path)?;
        let good = held.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if good < held.len() {
            file.set_len(good as u64)?;
        }
        let lines = held[..good].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let (mut read, mut corrupt) = (Vec::new(), 0);
        for line in lines {
            match serde_json::from_slice(line) {
                Ok(item) => read.push(item),
                Err(_) => corrupt += 1,
            }
        }
        Ok((Journal { file, good: good as u64, waiting: Vec::new(), sync }, read, corrupt))
    }

    /// Takes a line on; [`Journal::write`] brings it to the disk.
    pub(super) fn add(&mut self, item: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.waiting, item)?;
        self.waiting.push(b'\n');
        Ok(())
    }

    /// Writes all that waits, as one.
    pub(super) fn write(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let synced = |file: &File| if self.sync { file.sync_data() } else { Ok(()) };
        if let Err(error) = self.file.write_all(&self.waiting).and_then(|()| synced(&self.file)) {
            // A part of it may be there.
            let _ = self.file.set_len(self.good);
            return Err(error);
        }
        self.good += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_off_by_a_crash_is_cut_away() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/journal.jsonl");
        let (mut journal, read, _) = Journal::open::<u32>(&path, true).unwrap();
        assert!(read.is_empty());
        journal.add(&1).unwrap();
        journal.add(&2).unwrap();
        journal.write().unwrap();
        fs::write(&path, [fs::read(&path).unwrap(), b"garbage\n33".to_vec()].concat()).unwrap();
        let (mut journal, read, corrupt) = Journal::open::<u32>(&path, true).unwrap();
        assert_eq!((read, corrupt), (vec![1, 2], 1));
        journal.add(&4).unwrap();
        journal.write().unwrap();
        let (_, read, _) = Journal::open::<u32>(&path, true).unwrap();
        assert_eq!(read, [1, 2, 4]);
    }
}
