use std::{
    fs,
    path::{Path, PathBuf},
};

use super::tools::{Skip, alone, find, run, target};

/// The release that `reference/ray.md` is about.
const RAY: &str = "ray[default]==2.60.0";

/// A virtual environment with Ray in it, made once and kept: 382 MB, half a minute.
pub fn venv() -> Result<PathBuf, Skip> {
    let (dir, stamp) = (target().join("ray-2.60.0"), "rldeck-complete");
    let _lock = alone("ray");
    if dir.join(stamp).exists() {
        return Ok(dir);
    }
    let python = python((3, 10)).ok_or_else(|| Skip("no python3 of 3.10 or later, which Ray needs".into()))?;
    // What an interrupted installation has left is no base for the next.
    let _ = fs::remove_dir_all(&dir);
    let path = dir.to_str().unwrap();
    let pip = format!("{path}/bin/pip");
    run(&python, &["-m", "venv", path])
        .and_then(|_| run(&pip, &["install", "--quiet", "--disable-pip-version-check", RAY]))
        .and_then(|_| fs::write(dir.join(stamp), RAY).map_err(|error| error.to_string()))
        .map_err(|error| Skip(format!("cannot install Ray: {error}")))?;
    Ok(dir)
}

/// The real place of python3 when it is at least this version.
pub fn python(least: (u32, u32)) -> Option<String> {
    let python = find("python3")?;
    let ask = "import sys; print(sys.executable); print(*sys.version_info[:2])";
    let said = run(python.to_str()?, &["-c", ask]).ok()?;
    let (executable, version) = said.trim().split_once('\n')?;
    let (major, minor) = version.split_once(' ')?;
    let version: (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    (version >= least && Path::new(executable).exists()).then(|| executable.to_owned())
}
