//! A slime launch script to the job file that launches the same arguments.
//!
//! Nothing of the script is run. It is read into a tree ([`shell`]), and the tree is gone through by rules that only
//! compute ([`eval`]): what would need a command is a hole. A hole that ends up in an argument is refused with its line,
//! any other does no harm. So is what the caller did not set.

mod argument;
mod environment;
mod eval;
mod file;
mod shell;
mod value;

use std::collections::BTreeMap;

use crate::{
    finding::{Finding, Place},
    job::Job,
    shard::Severity,
};

/// The largest script that is read.
const LARGEST: usize = 256 * 1024;

/// What a script may ask of the machine.
pub struct Machine<'a> {
    /// A variable of the caller's environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Variables that the operator gives: they come first, and they fill what only running something could tell.
    pub set: &'a BTreeMap<String, String>,
    /// The text of a file that the script sources, or why there is none.
    pub read: &'a dyn Fn(&str) -> Result<String, String>,
    /// The directory in which the script is started.
    pub dir: &'a str,
}

/// What a script became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The job file.
    pub file: String,
    /// What was left out, and what should be looked at; no errors.
    pub findings: Vec<Finding>,
}

/// Makes the job file of a launch script. `script` is its name, as the operator gave it.
pub fn import(text: &str, script: &str, machine: &Machine<'_>) -> Result<Imported, Vec<Finding>> {
    if text.len() > LARGEST {
        let text = format!("{} KB are too much for a launch script: is this the right file?", text.len() / 1024);
        return Err(vec![Finding::error(Some(Place::new(script, 1)), text)]);
    }
    let done = eval::evaluate(text, script, machine).map_err(|stop| vec![*stop])?;
    let mut findings = done.notes;
    let arguments = argument::Arguments::new(&done.launch, &mut findings);
    let environment = environment::Environment::new(&done.launch, &mut findings);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        findings.retain(|finding| finding.severity == Severity::Error);
        return Err(findings);
    }
    let name = name(script);
    let written = file::write(&name, script, &arguments, environment, &done.launch, done.hostfile, &mut findings);
    check(&written, &arguments, &done.launch, machine, findings)
}

/// Reads the file back, and lets nothing out that says something else than the script.
fn check(
    written: &file::Written,
    arguments: &argument::Arguments,
    launch: &eval::Launch,
    machine: &Machine<'_>,
    mut findings: Vec<Finding>,
) -> Result<Imported, Vec<Finding>> {
    let vars = |name: &str| machine.set.get(name).cloned().or_else(|| (machine.variable)(name));
    // What is said about a line of the file is said about the line of the script that it comes from.
    let there = |finding: Finding| {
        let place = finding.place.and_then(|place| written.places.get(&place.line).cloned());
        Finding { place: Some(place.unwrap_or_else(|| launch.place.clone())), ..finding }
    };
    let (job, said) =
        Job::read(&written.text, "job.toml", &vars).map_err(|said| said.into_iter().map(there).collect::<Vec<_>>())?;
    findings.extend(said.into_iter().map(there));
    let meant = Job { arguments: arguments.sets(), ..job.clone() };
    let same = Job::read(&meant.to_toml(), "job.toml", &vars).is_ok_and(|(meant, _)| meant.arguments == job.arguments);
    if !same {
        let text = "the job file does not read back into the arguments of this launch: this is a fault of rldeck";
        return Err(vec![Finding::error(Some(launch.place.clone()), text)]);
    }
    Ok(Imported { file: written.text.clone(), findings })
}

/// The name of the job: that of the script, without what all scripts have.
fn name(script: &str) -> String {
    let base = script.rsplit('/').next().unwrap_or(script);
    let stem = base.strip_suffix(".sh").unwrap_or(base);
    let stem = stem.strip_prefix("run").unwrap_or(stem).trim_start_matches(['-', '_', '.']);
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let name: String = stem.chars().take(64).map(plain).collect();
    if name.trim_start_matches(['-', '.']).is_empty() { "job".to_owned() } else { name }
}

#[cfg(test)]
mod tests;
