use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{PORT, address};
use crate::rig::tools::run;

/// Where the hosts' own files lie: below `target/`, because hosts cover `/tmp` and `/root` with their own.
pub(super) struct Dir(TempDir);

impl Dir {
    pub(super) fn new() -> io::Result<Dir> {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
        tempfile::Builder::new().prefix("hosts-").tempdir_in(parent).map(Dir)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Keys of the hosts and of the one user, sshd's and ssh's configuration, names and addresses.
pub(super) fn keys(dir: &Path, count: usize) -> Result<(), String> {
    key(&dir.join("id"))?;
    let mut known = String::new();
    let mut config = String::new();
    let mut names = "127.0.0.1 localhost\n".to_owned();
    for index in 0..count {
        let host_key = dir.join(format!("host{index}.key"));
        let public = key(&host_key)?;
        let at = address(index);
        known += &format!("[{at}]:{PORT} {public}\n");
        config += &format!("Host node{index}\n    HostName {at}\n");
        names += &format!("{at} node{index}\n");
        write(dir.join(format!("sshd{index}.conf")), &server(&at, &host_key, dir))?;
    }
    config += &format!(
        "Host 10.77.0.* node*\n    Port {PORT}\n    User root\n    BatchMode yes\n    IdentitiesOnly yes\n    \
         IdentityFile {0}/id\n    UserKnownHostsFile {0}/known_hosts\n    GlobalKnownHostsFile /dev/null\n    \
         StrictHostKeyChecking yes\n    ConnectTimeout 5\n    LogLevel ERROR\n",
        dir.display()
    );
    write(dir.join("names"), &names)?;
    write(dir.join("known_hosts"), &known)?;
    write(dir.join("ssh_config"), &config)
}

fn server(address: &str, key: &Path, dir: &Path) -> String {
    format!(
        "Port {PORT}\nListenAddress {address}\nHostKey {}\nAuthorizedKeysFile {}/id.pub\nPermitRootLogin prohibit-password\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\n\
         MaxStartups 100\nMaxSessions 100\nSubsystem sftp internal-sftp\n",
        key.display(),
        dir.display()
    )
}

/// Makes a key pair; the public half.
fn key(path: &Path) -> Result<String, String> {
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "rldeck-test", "-f", path.to_str().unwrap()])?;
    let public = fs::read_to_string(path.with_added_extension("pub")).map_err(|error| error.to_string())?;
    Ok(public.trim().to_owned())
}

fn write(path: PathBuf, text: &str) -> Result<(), String> {
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}
