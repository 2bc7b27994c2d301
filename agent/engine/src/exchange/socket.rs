use std::{
    fs::{self, File},
    io,
    os::{
        fd::AsRawFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

/// A socket's path may hold 108 bytes only; a directory may lie deeper. Through its descriptor every path is short.
fn short(path: &Path) -> io::Result<(File, PathBuf)> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let dir = File::open(parent)?;
    let through = Path::new("/proc/self/fd").join(dir.as_raw_fd().to_string());
    // Without /proc the plain path has to do.
    let through = if through.exists() { through } else { parent.to_owned() };
    Ok((dir, through.join(name)))
}

/// Listens; what an ended trainer left behind is removed.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    let (_dir, path) = short(path)?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => UnixListener::bind(path),
    }
}

pub(crate) fn connect(path: &Path) -> io::Result<UnixStream> {
    let (_dir, path) = short(path)?;
    UnixStream::connect(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paths_and_leftovers_are_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a-rather-long-name-of-a-directory/".repeat(6));
        fs::create_dir_all(&deep).unwrap();
        let path = deep.join("exchange.sock");
        drop(listen(&path).unwrap());
        let _listener = listen(&path).unwrap();
        connect(&path).unwrap();
    }
}
