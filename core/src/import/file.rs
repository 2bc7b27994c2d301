//! The job file, with the caller's variables where they came from.

use std::collections::BTreeMap;

use super::{
    argument::Arguments,
    environment::Environment,
    eval::Launch,
    value::{Field, Piece, Text},
};
use crate::{
    argument::Group,
    finding::{Finding, Place},
    job::{self, is_number, is_secret, line, quote, short},
};

/// Variables of a person or a machine: their values are written out.
const PERSONAL: [&str; 13] = [
    "HOME",
    "USER",
    "LOGNAME",
    "PATH",
    "PWD",
    "OLDPWD",
    "SHELL",
    "TMPDIR",
    "LANG",
    "HOSTNAME",
    "RUN_DIR",
    "CACHE",
    "LD_LIBRARY_PATH",
];

/// A job file that is written.
pub(super) struct Written {
    pub(super) text: String,
    /// From which line of the script a line of the file comes.
    pub(super) places: BTreeMap<u32, Place>,
}

struct Writer {
    text: String,
    places: BTreeMap<u32, Place>,
    /// `[env]`, in the order of the script.
    env: Vec<(String, String)>,
    /// Variables that stay as they are, with their values.
    given: BTreeMap<String, String>,
}

pub(super) fn write(
    name: &str,
    script: &str,
    arguments: &Arguments,
    environment: Environment,
    launch: &Launch,
    hostfile: Option<Field>,
    findings: &mut Vec<Finding>,
) -> Written {
    let mut writer = Writer { text: String::new(), places: BTreeMap::new(), env: Vec::new(), given: BTreeMap::new() };
    // What the job has under a name in its own environment is not what the script meant by it.
    let own: Vec<String> = environment.variables.iter().map(|(name, _)| name.clone()).collect();
    for (name, text) in &environment.variables {
        let itself = matches!(text.pieces(), [Piece::Given { name: given, .. }] if **given == **name);
        let text =
            if itself && !is_secret(name) { Text::plain(text.known().unwrap_or_default()) } else { text.clone() };
        let value = if itself && is_secret(name) { quote(&format!("${{{name}}}")) } else { writer.quoted(&text, &own) };
        writer.env.push((name.clone(), value));
    }

    let mut tables = Writer { text: String::new(), places: BTreeMap::new(), env: Vec::new(), given: BTreeMap::new() };
    std::mem::swap(&mut tables.given, &mut writer.given);
    let hostfile = hostfile.map(|field| (tables.quoted(&field.text, &own), field.place));
    for group in Group::ALL {
        let list: Vec<_> = arguments.list.iter().filter(|argument| argument.group == group).collect();
        if !list.is_empty() {
            tables.text.push_str(&format!("\n[{}]\n", group.name()));
        }
        for argument in list {
            let mut values: Vec<String> = argument.values.iter().map(|text| tables.scalar(text, &own)).collect();
            let value = match values.len() {
                0 => "true".to_owned(),
                1 => values.remove(0),
                _ => format!("[{}]", values.join(", ")),
            };
            tables.row(short(group, &argument.name), &value, Some(&argument.place));
        }
    }

    let base = script.rsplit('/').next().unwrap_or(script);
    let base: String = base.chars().filter(|letter| !letter.is_control()).collect();
    writer.text = format!("# From {base}, by `rldeck import`.\n");
    writer.row("name", &quote(name), None);
    writer.row("engine", "\"slime\"", None);
    writer.cluster(arguments, hostfile, launch, findings);
    for name in tables.given.keys().filter(|name| is_secret(name)) {
        let text =
            format!("{name} is a secret: it does not stand in the file, but must be set where the job is launched");
        findings.push(Finding::info(Some(launch.place.clone()), text));
    }
    let given = tables.given.into_iter().filter(|(name, _)| !is_secret(name));
    let mut env: Vec<_> = given.map(|(name, value)| (name, quote(&value.replace('$', "$$")))).collect();
    env.append(&mut writer.env);
    writer.table("env", env);
    let Environment { slime_dir, megatron_dir, python, .. } = environment;
    let usual = job::Paths::default();
    let rows = [
        ("dir", slime_dir, usual.dir),
        ("megatron-dir", megatron_dir, usual.megatron_dir),
        ("python", python, usual.python),
    ];
    let rows = rows.into_iter().filter_map(|(key, value, usual)| {
        let value = value.filter(|value| *value != usual)?;
        Some((key.to_owned(), quote(&value.replace('$', "$$"))))
    });
    writer.table("slime", rows.collect());

    let lines = writer.lines();
    writer.places.extend(tables.places.into_iter().map(|(line, place)| (line + lines, place)));
    writer.text.push_str(&tables.text);
    Written { text: writer.text, places: writer.places }
}

impl Writer {
    fn lines(&self) -> u32 {
        u32::try_from(self.text.matches('\n').count()).unwrap_or(u32::MAX)
    }

    fn row(&mut self, key: &str, value: &str, place: Option<&Place>) {
        line(&mut self.text, key, value);
        if let Some(place) = place {
            self.places.insert(self.lines(), place.clone());
        }
    }

    fn table(&mut self, name: &str, rows: Vec<(String, String)>) {
        if !rows.is_empty() {
            self.text.push_str(&format!("\n[{name}]\n"));
        }
        for (key, value) in rows {
            self.row(&key, &value, None);
        }
    }

    fn cluster(
        &mut self,
        arguments: &Arguments,
        hostfile: Option<(String, Place)>,
        launch: &Launch,
        findings: &mut Vec<Finding>,
    ) {
        let (nodes, place) = arguments.nodes.clone().unwrap_or((1, launch.place.clone()));
        if hostfile.is_some() || arguments.nodes.is_some() || arguments.gpus.is_some() || arguments.colocate.is_some() {
            self.text.push_str("\n[cluster]\n");
        }
        match hostfile {
            Some((path, place)) => {
                self.row("hostfile", &path, Some(&place));
            }
            None if nodes > 1 => {
                self.text.push_str(&format!("# hosts = [\"NODE0\", ...]      # the {nodes} machines\n"));
                let text = format!("the job wants {nodes} machines: name them below [cluster], as hosts or a hostfile");
                findings.push(Finding::warning(Some(place), text));
            }
            None => {}
        }
        if let Some((nodes, place)) = &arguments.nodes {
            self.row("nodes", &nodes.to_string(), Some(place));
        }
        if let Some((gpus, place)) = &arguments.gpus {
            self.row("gpus-per-node", &gpus.to_string(), Some(place));
        }
        if let Some(place) = &arguments.colocate {
            self.row("colocate", "true", Some(place));
        }
    }

    fn scalar(&mut self, text: &Text, own: &[String]) -> String {
        match text.pieces() {
            [Piece::Plain(plain)] if is_number(plain) => plain.clone(),
            _ => self.quoted(text, own),
        }
    }

    /// A text in quotes, with `${NAME}` for what the caller gave.
    fn quoted(&mut self, text: &Text, own: &[String]) -> String {
        let mut out = String::new();
        for piece in text.pieces() {
            match piece {
                Piece::Plain(plain) => out.push_str(&plain.replace('$', "$$")),
                Piece::Given { name, value } => {
                    let other = own.iter().any(|own| **own == **name) || PERSONAL.contains(&&**name);
                    if other && !is_secret(name) {
                        out.push_str(&value.replace('$', "$$"));
                    } else {
                        self.given.insert(name.to_string(), value.to_string());
                        out.push_str(&format!("${{{name}}}"));
                    }
                }
                // Holes are refused before anything is written.
                Piece::Hole(_) => {}
            }
        }
        quote(&out)
    }
}
