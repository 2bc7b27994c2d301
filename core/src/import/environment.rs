//! What the processes of the job find in their environment, and where slime lies.

use serde_json::Value as Json;

use super::{
    argument::open,
    eval::Launch,
    value::{Field, Hole, Piece, Text},
};
use crate::finding::Finding;

/// `[env]` and `[slime]`.
#[derive(Debug, Default)]
pub(super) struct Environment {
    pub(super) variables: Vec<(String, Text)>,
    pub(super) slime_dir: Option<String>,
    pub(super) megatron_dir: Option<String>,
    pub(super) python: Option<String>,
}

/// The letters that stand for pieces while JSON is read: nobody writes them.
const MARKS: std::ops::Range<u32> = 0xE000..0xF8FF;

impl Environment {
    pub(super) fn new(launch: &Launch, findings: &mut Vec<Finding>) -> Environment {
        let mut environment = Environment::default();
        let all: Vec<(String, Text)> = match &launch.runtime_env {
            Some(field) => variables(field, findings),
            // Without Ray, what the script exports is all that there is.
            None if !launch.through_ray => launch.exported.clone().into_iter().collect(),
            None => Vec::new(),
        };
        let mut own = Vec::new();
        for (name, text) in all {
            if ours(&name, &text) {
                own.push(name);
            } else if let Some(hole) = text.first_hole() {
                let said = open(&format!("{name} of the environment"), hole);
                let text = format!("{said}; it is left out of [env]");
                findings.push(Finding::warning(Some(launch.place.clone()), text));
            } else if name != "PYTHONPATH" || !environment.python_path(&text) {
                environment.variables.push((name, text));
            }
        }
        if !own.is_empty() {
            let text = format!("left out (rldeck sets these from [cluster]): {}", own.join(", "));
            findings.push(info(launch, text));
        }
        if launch.through_ray {
            let names: Vec<&str> = launch.exported.keys().map(String::as_str).collect();
            let known = |name: &&str| {
                !own.iter().any(|own| own == name) && !environment.variables.iter().any(|(known, _)| known == name)
            };
            let names: Vec<&str> = names.into_iter().filter(known).filter(|name| !is_ours(name)).collect();
            if !names.is_empty() {
                let text = format!(
                    "left out (exported on node0, not given to the job): {}; what all nodes need stands in [env]",
                    names.join(", ")
                );
                findings.push(info(launch, text));
            }
        }
        environment.places(launch, findings);
        environment
    }

    /// Whether `PYTHONPATH` only names what `[slime]` names.
    fn python_path(&mut self, text: &Text) -> bool {
        let Ok(path) = text.known() else { return false };
        let mut only = true;
        for entry in path.split(':').filter(|entry| !entry.is_empty()) {
            let dir = if entry == "/" { entry } else { entry.trim_end_matches('/') };
            let base = dir.rsplit('/').next().unwrap_or(dir);
            if base.to_ascii_lowercase().contains("megatron") {
                self.megatron_dir = Some(dir.to_owned());
            } else if base == "slime" {
                self.slime_dir = Some(dir.to_owned());
            } else {
                only = false;
            }
        }
        only
    }

    fn places(&mut self, launch: &Launch, findings: &mut Vec<Finding>) {
        let script = launch.script.known().unwrap_or_default();
        let (dir, base) = script.rsplit_once('/').unwrap_or(("", &script));
        if dir.starts_with('/') {
            self.slime_dir = Some(dir.to_owned());
        } else if let Some(Ok(start)) = launch.dir.as_ref().map(Text::known) {
            let dir = if dir.is_empty() || dir == "." { start } else { format!("{start}/{dir}") };
            self.slime_dir = Some(dir);
        }
        if base != "train.py" {
            let text = format!("the script launches {base}, but rldeck launches train.py of slime");
            findings.push(Finding::warning(Some(launch.place.clone()), text));
        }
        self.python = launch.python.known().ok().filter(|python| python != "python3");
    }
}

fn info(launch: &Launch, text: String) -> Finding {
    Finding::info(Some(launch.place.clone()), text)
}

fn is_ours(name: &str) -> bool {
    matches!(name, "MASTER_ADDR" | "no_proxy" | "NO_PROXY")
}

/// Whether rldeck knows it better: the address of node0, and what is made of it.
fn ours(name: &str, text: &Text) -> bool {
    let from_address = |piece: &Piece| match piece {
        Piece::Plain(text) => text.contains("MASTER_ADDR"),
        Piece::Given { name, .. } => &**name == "MASTER_ADDR",
        Piece::Hole(hole) => hole.give.as_deref().is_some_and(is_ours),
    };
    name == "MASTER_ADDR" || (is_ours(name) && text.pieces().iter().any(from_address))
}

/// `env_vars` of a runtime environment.
fn variables(field: &Field, findings: &mut Vec<Finding>) -> Vec<(String, Text)> {
    let place = || Some(field.place.clone());
    let whole: Option<&std::rc::Rc<Hole>> = match field.text.pieces() {
        [Piece::Hole(hole)] => Some(hole),
        _ => None,
    };
    if let Some(hole) = whole {
        findings.push(Finding::warning(place(), open("runtime-env-json", hole) + "; nothing of it is in [env]"));
        return Vec::new();
    }
    let marked = match marked(&field.text) {
        Some(marked) => marked,
        None => {
            findings.push(Finding::error(place(), "--runtime-env-json has letters that no JSON has"));
            return Vec::new();
        }
    };
    let json: Json = match serde_json::from_str(&marked) {
        Ok(json) => json,
        Err(error) => {
            findings.push(Finding::error(place(), format!("--runtime-env-json is no JSON: {error}")));
            return Vec::new();
        }
    };
    let mut out = Vec::new();
    for (key, value) in json.as_object().into_iter().flatten() {
        match (key.as_str(), value) {
            ("env_vars", Json::Object(variables)) => {
                for (name, value) in variables {
                    let text = match value {
                        Json::String(text) => text.clone(),
                        Json::Array(_) | Json::Object(_) => {
                            findings.push(Finding::error(place(), format!("{name} of env_vars must be a text")));
                            continue;
                        }
                        other => other.to_string(),
                    };
                    if !super::shell::is_name(name) {
                        findings
                            .push(Finding::error(place(), format!("{name:?} of env_vars is no name of a variable")));
                        continue;
                    }
                    out.push((name.clone(), unmarked(&text, &field.text)));
                }
            }
            (key, _) => {
                let text = format!("{key} of --runtime-env-json has no place in a job file: it is left out");
                findings.push(Finding::warning(place(), text));
            }
        }
    }
    out
}

/// A text with a letter of its own for each piece that is not plain.
fn marked(text: &Text) -> Option<String> {
    let mut out = String::new();
    for (number, piece) in text.pieces().iter().enumerate() {
        match piece {
            Piece::Plain(plain) if plain.chars().any(|letter| MARKS.contains(&u32::from(letter))) => return None,
            Piece::Plain(plain) => out.push_str(plain),
            Piece::Given { .. } | Piece::Hole(_) => {
                let mark = MARKS.start + u32::try_from(number).ok()?;
                out.push(char::from_u32(mark).filter(|mark| MARKS.contains(&u32::from(*mark)))?);
            }
        }
    }
    Some(out)
}

fn unmarked(marked: &str, whole: &Text) -> Text {
    let mut out = Text::default();
    for letter in marked.chars() {
        let number = u32::from(letter).checked_sub(MARKS.start).map(|number| number as usize);
        match number.and_then(|number| whole.pieces().get(number)) {
            Some(piece @ (Piece::Given { .. } | Piece::Hole(_))) => out.push(piece.clone()),
            _ => out.push_str(letter.encode_utf8(&mut [0; 4])),
        }
    }
    out
}
