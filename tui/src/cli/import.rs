use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use rldeck_core::import::{Imported, Machine, import};

use super::{Failure, say};

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The launch script; it is read, and nothing of it is run
    script: PathBuf,
    /// A variable that the script expects in its environment, or whose value only running it could tell
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Where the job file goes; it must not exist [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Import {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let script = self.script.display().to_string();
        let text = read(&self.script).map_err(|error| format!("{script} cannot be read: {error}"))?;
        let set: BTreeMap<String, String> = self.set.into_iter().collect();
        let dir = std::env::current_dir().map_err(|error| format!("the working directory is gone: {error}"))?;
        let machine = Machine {
            variable: &|name| std::env::var(name).ok(),
            set: &set,
            read: &|path| read(Path::new(path)),
            dir: &dir.display().to_string(),
        };
        let Imported { file, findings } = match import(&text, &script, &machine) {
            Ok(imported) => imported,
            Err(findings) => {
                findings.iter().for_each(|finding| eprintln!("{finding}"));
                return Ok(ExitCode::FAILURE);
            }
        };
        findings.iter().for_each(|finding| eprintln!("{finding}"));
        match self.output {
            None => say(file.trim_end()),
            Some(path) => {
                let written =
                    fs::File::create_new(&path).and_then(|mut out| io::Write::write_all(&mut out, file.as_bytes()));
                written.map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) || !name.chars().all(letter) {
        return Err(format!("{name:?} is no name of a variable"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// The text of a script. Only an ordinary file is opened: a pipe would wait, a device would never end.
fn read(path: &Path) -> Result<String, String> {
    /// More than any script; what is larger is refused by its size.
    const LARGEST: u64 = 1024 * 1024;
    let meta = fs::metadata(path).map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("it is no ordinary file".to_owned());
    }
    if meta.len() > LARGEST {
        return Err(format!("{} KB are too much for a script", meta.len() / 1024));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}
