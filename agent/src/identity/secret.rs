//! Files that hold keys: readable by their owner alone, never reached through a link.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, process::getuid};
use serde::{Serialize, de::DeserializeOwned};

use crate::home::Home;

/// Nobody needs more than this for a few certificates.
const MOST: u64 = 1 << 20;

/// The directory of this home that holds keys, made when it is not there.
pub(super) fn dir(home: &Home) -> io::Result<PathBuf> {
    let dir = home.path().join("identity");
    match DirBuilder::new().mode(0o700).create(&dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(&dir)?;
    match found.is_dir() && found.uid() == getuid().as_raw() && found.mode() & 0o077 == 0 {
        true => Ok(dir),
        false => Err(refuse(&dir, "a directory that only you can enter (chmod 700)")),
    }
}

/// Reads what [`write`] wrote; `None` when it is not there.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let nofollow = OFlags::NOFOLLOW.bits() as i32;
    let file = match OpenOptions::new().read(true).custom_flags(nofollow).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(named(path, &error)),
    };
    let found = file.metadata()?;
    if !found.is_file() || found.uid() != getuid().as_raw() || found.mode() & 0o077 != 0 {
        return Err(refuse(path, "a file that only you can read (chmod 600)"));
    }
    let mut data = Vec::new();
    file.take(MOST).read_to_end(&mut data)?;
    serde_json::from_slice(&data).map(Some).map_err(|error| named(path, &error.into()))
}

/// Replaces the file as a whole, never by writing through a link that somebody put there.
pub(super) fn write(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let aside = path.with_extension(format!("tmp-{}", std::process::id()));
    // What an earlier process of this number left.
    let _ = fs::remove_file(&aside);
    let written = (|| {
        let nofollow = OFlags::NOFOLLOW.bits() as i32;
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(nofollow).open(&aside)?;
        file.write_all(&serde_json::to_vec(value)?)?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        File::open(path.parent().unwrap_or(path))?.sync_all()
    })();
    written.map_err(|error: io::Error| {
        let _ = fs::remove_file(&aside);
        named(path, &error)
    })
}

fn refuse(path: &Path, must: &str) -> io::Error {
    io::Error::other(format!("{} must be {must}, and yours", path.display()))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_key_that_others_could_read_or_that_lies_elsewhere_is_refused() {
        let at = tempfile::tempdir().unwrap();
        let home = Home::open(Some(at.path().join("home"))).unwrap();
        let dir = super::dir(&home).unwrap();
        let path = dir.join("x.json");
        assert_eq!(read::<u32>(&path).unwrap(), None);
        write(&path, &7).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read::<u32>(&path).unwrap(), Some(7));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read::<u32>(&path).unwrap_err().to_string().contains("must be a file that only you can read"));
        fs::remove_file(&path).unwrap();
        let elsewhere = at.path().join("elsewhere");
        fs::write(&elsewhere, "7").unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&elsewhere, &path).unwrap();
        read::<u32>(&path).unwrap_err();
        write(&path, &8).unwrap();
        assert_eq!((fs::read_to_string(&elsewhere).unwrap().as_str(), read::<u32>(&path).unwrap()), ("7", Some(8)));
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        super::dir(&home).unwrap_err();
    }
}
