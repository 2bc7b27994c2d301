use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

/// FNV-1a over 8-byte words: quick, and enough to notice a truncated or damaged file.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    let step = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| step(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(step(hash, bytes.len() as u64), |hash, byte| step(hash, u64::from(*byte)))
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| match error.kind() {
        std::io::ErrorKind::StorageFull => format!("{}: No space left on device", path.display()),
        _ => format!("{}: {error}", path.display()),
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(failed(path))
}

/// Writes a file and waits until it is on disk.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    File::create(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(failed(path))
}

pub(super) fn create_dir(path: &Path) -> Result<(), String> {
    fs::create_dir_all(path).map_err(failed(path))
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), String> {
    fs::rename(from, to).map_err(failed(to))
}

/// Makes renames within a directory last.
pub(super) fn sync_dir(path: &Path) -> Result<(), String> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(failed(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts() {
        let bytes: Vec<u8> = (0..100).collect();
        let whole = checksum(&bytes);
        for at in 0..100 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert_ne!(checksum(&damaged), whole);
            assert_ne!(checksum(&bytes[..at]), whole);
        }
    }
}
