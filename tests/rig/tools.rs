use std::{
    fmt, fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Why a test cannot run on this machine. It says so and counts as skipped.
#[derive(Debug)]
pub struct Skip(pub String);

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What several hosts on one machine need, and the Debian package that has it.
const TOOLS: &[(&str, &str)] = &[
    ("/usr/sbin/sshd", "openssh-server"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
];

/// `target/`, where things stay between runs.
pub fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

/// The top of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Waits until no other test process does the same work.
pub fn alone(what: &str) -> File {
    let lock = File::create(target().join(format!("{what}.lock"))).unwrap();
    lock.lock().unwrap();
    lock
}

/// Runs a command that must succeed; its words, or what it said instead.
pub fn run(program: &str, args: &[&str]) -> Result<String, String> {
    let output: Output = Command::new(program).args(args).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().lines().last().unwrap_or_default().to_owned();
    Err(format!("{program} {}: {said}", args.join(" ")))
}

/// The one user who may make hosts, install packages and write cgroups.
pub fn is_root() -> bool {
    run("id", &["-u"]).is_ok_and(|id| id.trim() == "0")
}

/// Where a program lies.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|dir| dir.join(name));
    places.find(|place| fs::metadata(place).is_ok_and(|found| found.is_file()))
}

/// Makes sure that sshd, ip and the like are there, installing them where that is allowed.
pub fn host_tools() -> Result<(), Skip> {
    let _lock = alone("packages");
    let missing =
        || -> Vec<&str> { TOOLS.iter().filter(|(tool, _)| find(tool).is_none()).map(|(_, of)| *of).collect() };
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    let install = [&["install", "-y", "--no-install-recommends"], &packages[..]].concat();
    let tried = run("apt-get", &install).or_else(|_| {
        run("apt-get", &["update"])?;
        run("apt-get", &install)
    });
    match (tried, missing()) {
        (_, still) if still.is_empty() => Ok(()),
        (Err(error), _) => Err(Skip(error)),
        (Ok(_), still) => Err(Skip(format!("{} did not bring what is needed", still.join(", ")))),
    }
}
