//! The command that launches the job.

use std::collections::BTreeMap;

use super::{
    super::{
        shell::{Node, Stop},
        value::{Field, Text},
    },
    Shell, path,
};
use crate::finding::{Finding, Place};

/// What a script launches.
#[derive(Clone, Debug)]
pub(in super::super) struct Launch {
    pub(in super::super) place: Place,
    /// The Python that runs it.
    pub(in super::super) python: Text,
    /// `train.py` or its like, as it is named.
    pub(in super::super) script: Text,
    /// What stands behind it.
    pub(in super::super) arguments: Vec<Field>,
    /// The JSON of Ray's runtime environment.
    pub(in super::super) runtime_env: Option<Field>,
    /// Whether Ray is asked to run it.
    pub(in super::super) through_ray: bool,
    /// What the script has exported.
    pub(in super::super) exported: BTreeMap<String, Text>,
    /// Where it is started, when the script or Ray went somewhere.
    pub(in super::super) dir: Option<Text>,
}

/// Commands that only run another one.
const AROUND: [&str; 7] = ["exec", "nohup", "setsid", "command", "time", "sudo", "env"];

impl Shell<'_> {
    /// Keeps a launch; whether it is one.
    pub(super) fn launch(&mut self, fields: &[Field], node: &Node) -> Result<bool, Stop> {
        let mut words = fields;
        let mut exported = self.exported();
        while let Some((first, rest)) = words.split_first() {
            let Ok(text) = first.text.known() else { break };
            if let Some((name, value)) = text.split_once('=').filter(|(name, _)| super::shell::is_name(name)) {
                exported.insert(name.to_owned(), Text::plain(value));
            } else if !AROUND.contains(&text.as_str()) {
                break;
            }
            words = rest;
        }
        let text = |number: usize| words.get(number).and_then(|field: &Field| field.text.known().ok());
        let ray = text(0).as_deref() == Some("ray") && text(1).as_deref() == Some("job");
        let (mut runtime_env, mut dir) = (None, self.state.dir.clone());
        if ray {
            if text(2).as_deref() != Some("submit") {
                return Ok(false);
            }
            let mut at = 3;
            while let Some(field) = words.get(at) {
                at += 1;
                let option = start(field);
                if option == "--" {
                    break;
                }
                if !option.starts_with("--") {
                    at -= 1;
                    break;
                }
                let (name, value) = match option.split_once('=') {
                    Some((name, _)) => (name.to_owned(), Some(behind(field, name.len() + 1))),
                    // Of the options that stand alone, each has its value next.
                    None if ["--no-wait", "--verify"].contains(&option.as_str()) => continue,
                    None => {
                        at += 1;
                        (option, words.get(at - 1).cloned())
                    }
                };
                match name.as_str() {
                    "--runtime-env-json" => runtime_env = value,
                    "--working-dir" => dir = value.map(|field| field.text),
                    "--runtime-env" => {
                        let text = "--runtime-env names a file, which is not read: write --runtime-env-json";
                        self.note(Finding::warning(Some(field.place.clone()), text));
                    }
                    _ => {}
                }
            }
            words = words.get(at..).unwrap_or_default();
        }
        let Some(python) = words.first() else { return Ok(false) };
        let named = python.text.seen().unwrap_or_default();
        if !path::base_name(&named, "").starts_with("python") {
            return Ok(false);
        }
        let script = words.iter().skip(1).position(|field| !start(field).starts_with('-'));
        let Some(script) = script.and_then(|at| words.get(at + 1).map(|field| (at + 1, field))) else {
            return Ok(false);
        };
        let name = script.1.text.seen().unwrap_or_default();
        let name = path::base_name(&name, "");
        if !name.starts_with("train") || !name.ends_with(".py") {
            return Ok(false);
        }
        self.launches.push(Launch {
            place: node.at.place(),
            python: python.text.clone(),
            script: script.1.text.clone(),
            arguments: words[script.0 + 1..].to_vec(),
            runtime_env,
            through_ray: ray,
            exported,
            dir,
        });
        Ok(true)
    }
}

/// The plain text with which a field begins.
fn start(field: &Field) -> String {
    match field.text.pieces().first() {
        Some(super::Piece::Plain(text)) => text.clone(),
        _ => String::new(),
    }
}

/// A field without so many bytes at its beginning, which is plain.
pub(in super::super) fn behind(field: &Field, bytes: usize) -> Field {
    let mut text = Text::default();
    for (number, piece) in field.text.pieces().iter().enumerate() {
        match piece {
            super::Piece::Plain(plain) if number == 0 => text.push_str(plain.get(bytes..).unwrap_or_default()),
            piece => text.push(piece.clone()),
        }
    }
    Field { text, ..field.clone() }
}
