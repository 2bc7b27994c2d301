//! A job file to a job: all that is wrong with it is found at once.

use std::collections::BTreeMap;

use super::{
    Alert, Cluster, Engine, Job, Paths, RestartPolicy, Set, Value,
    document::{self, Item, Raw},
    layer::Layer,
    recipe::{recipe, recipes},
    rule,
    settings::{self, Values},
    variable::Variables,
};
use crate::{
    argument::{self, Group, Kind},
    finding::{Finding, Place},
    nearest::nearest,
    shard::Severity,
};

impl Job {
    /// Reads a job file. `file` is its name for findings; `vars` gives the variables that `[env]` does not.
    /// What comes with the job are warnings; an `Err` holds at least one error, and each that there is.
    pub fn read(
        text: &str,
        file: &str,
        vars: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Job, Vec<Finding>), Vec<Finding>> {
        let mut findings = Vec::new();
        let job = read(text, file, vars, &mut findings);
        // The file's own lines first, then the recipe's, then what has no line.
        findings.sort_by_key(|finding| match &finding.place {
            Some(place) if place.file == file => (0, place.line),
            Some(place) => (1, place.line),
            None => (2, 0),
        });
        match job.filter(|_| findings.iter().all(|finding| finding.severity < Severity::Error)) {
            Some(job) => Ok((job, findings)),
            None => Err(findings),
        }
    }

    /// [`Job::read`] for the bytes of a file.
    pub fn read_bytes(
        bytes: &[u8],
        file: &str,
        vars: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Job, Vec<Finding>), Vec<Finding>> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Job::read(text, file, vars),
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = u32::try_from(before.iter().filter(|byte| **byte == b'\n').count() + 1).unwrap_or(u32::MAX);
                let text = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
                    "this is UTF-16: save the file as UTF-8"
                } else {
                    "this is not UTF-8 text: save the file as UTF-8"
                };
                Err(vec![Finding::error(Some(Place::new(file, line)), text)])
            }
        }
    }

    /// A recipe as it is.
    pub fn from_recipe(name: &str, vars: &dyn Fn(&str) -> Option<String>) -> Result<(Job, Vec<Finding>), Vec<Finding>> {
        match recipe(name) {
            Some(text) => Job::read(text, &recipe_file(name), vars),
            None => Err(vec![Finding::error(None, unknown_recipe(name))]),
        }
    }
}

/// What findings call the file of a recipe.
fn recipe_file(name: &str) -> String {
    format!("recipe {name}")
}

fn unknown_recipe(name: &str) -> String {
    let names = recipes().iter().map(|(name, _)| *name);
    match nearest(name, names.clone()) {
        Some(meant) => format!("the recipe {name} is unknown: did you mean {meant}?"),
        None => format!("the recipe {name} is unknown: there are {}", names.collect::<Vec<_>>().join(", ")),
    }
}

fn read(text: &str, file: &str, vars: &dyn Fn(&str) -> Option<String>, findings: &mut Vec<Finding>) -> Option<Job> {
    let document = document::parse(text, file).map_err(|errors| findings.extend(errors)).ok()?;
    if document.tables.iter().all(|table| table.items.is_empty()) {
        let text = "there is nothing in this file: write recipe = \"r1-mini\", or start from `rldeck init r1-mini`";
        findings.push(Finding::error(Some(Place::new(file, 1)), text));
        return None;
    }
    let layer = Layer::new(document, findings);
    let resolved = layer.top("resolved").is_some_and(|item| item.raw == Raw::Bool(true));
    let base = if resolved || is_recipe(file) { Ok(Layer::default()) } else { base(&layer, findings) };
    let whole = base.is_ok();
    let layer = base.unwrap_or_default().under(layer);

    let reader = Reader { variables: Variables::new(layer.settings("env"), vars, findings), layer };
    let recipe = reader.text("recipe", findings);
    let engine = reader.text("engine", findings);
    let name = reader.name(recipe.as_deref(), file, findings);
    let (arguments, places) = reader.arguments(findings);
    let cluster = Cluster::new(&reader.values("cluster", findings));
    let engine = match engine {
        Some(text) => reader.engine(&text, findings),
        None if cluster.hosts.is_empty() && cluster.hostfile.is_none() => Engine::Embedded,
        None => Engine::Slime,
    };
    let job = Job {
        name,
        recipe,
        engine,
        arguments,
        cluster,
        env: reader.variables.env(),
        slime: Paths::new(&reader.values("slime", findings)),
        restart: RestartPolicy::new(&reader.values("restart", findings)),
        alerts: reader.alerts(findings),
    };
    // Without its base, or with values missing that could not be read, rules between them would cry wolf.
    if whole && findings.iter().all(|finding| finding.severity < Severity::Error) {
        findings.extend(rule::check(&job, &|name| places.get(name).cloned()));
    }
    Some(job)
}

fn is_recipe(file: &str) -> bool {
    recipes().iter().any(|(name, _)| recipe_file(name) == file)
}

/// The layer of the recipe that a file names.
fn base(layer: &Layer, findings: &mut Vec<Finding>) -> Result<Layer, ()> {
    let Some(Item { raw: Raw::Text(name), place, .. }) = layer.top("recipe") else { return Ok(Layer::default()) };
    let Some(text) = recipe(name) else {
        findings.push(Finding::error(Some(place.clone()), unknown_recipe(name)));
        return Err(());
    };
    let document = document::parse(text, &recipe_file(name)).map_err(|errors| findings.extend(errors))?;
    Ok(Layer::new(document, findings))
}

struct Reader<'a> {
    layer: Layer,
    variables: Variables<'a>,
}

impl Reader<'_> {
    /// A text above all tables.
    fn text(&self, key: &str, findings: &mut Vec<Finding>) -> Option<String> {
        let item = self.layer.top(key)?;
        match &item.raw {
            Raw::Text(text) => self.variables.expand(text, &item.place, findings),
            other => {
                let text = format!("{key} is {}: write {key} = \"...\"", other.described());
                findings.push(Finding::error(Some(item.place.clone()), text));
                None
            }
        }
    }

    fn engine(&self, text: &str, findings: &mut Vec<Finding>) -> Engine {
        Engine::from_name(text).unwrap_or_else(|| {
            let place = self.layer.top("engine").map(|item| item.place.clone());
            let text = format!("engine is {}: it must be one of embedded, slime", argument::quoted(text));
            findings.push(Finding::error(place, text));
            Engine::Embedded
        })
    }

    /// The name in the file, or else that of the recipe, or else that of the file.
    fn name(&self, recipe: Option<&str>, file: &str, findings: &mut Vec<Finding>) -> String {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if let Some(name) = self.text("name", findings) {
            if name.is_empty() || name.len() > 64 || name.starts_with(['.', '-']) || !name.chars().all(plain) {
                let place = self.layer.top("name").map(|item| item.place.clone());
                let text = format!(
                    "name is {}: it must be at most 64 letters, digits, - _ or ., for it names directories",
                    argument::quoted(&name)
                );
                findings.push(Finding::error(place, text));
            }
            return name;
        }
        if let Some(recipe) = recipe {
            return recipe.to_owned();
        }
        let base = file.rsplit('/').next().unwrap_or(file);
        let stem = base.strip_suffix(".toml").unwrap_or(base);
        let name: String = stem.chars().take(64).map(|letter| if plain(letter) { letter } else { '-' }).collect();
        let name = name.trim_start_matches(['.', '-']);
        if name.is_empty() { "job".to_owned() } else { name.to_owned() }
    }

    /// The arguments, group by group, and where each is written.
    fn arguments(&self, findings: &mut Vec<Finding>) -> (Vec<Set>, BTreeMap<String, Place>) {
        let mut sets: Vec<Set> = Vec::new();
        let mut places: BTreeMap<String, Place> = BTreeMap::new();
        let mut removed = Vec::new();
        for (group, items) in &self.layer.groups {
            for item in items {
                let kind = argument::find(&item.key).map(|argument| argument.kind);
                match self.value(item, kind, findings) {
                    Some(Some(value)) => {
                        let earlier = sets.iter().rev().find(|set| set.name == item.key);
                        if let Some(earlier) = earlier.filter(|_| *group != Group::Misc) {
                            findings.push(twice(&item.key, earlier.group, *group, &places, item));
                        }
                        sets.push(Set { group: *group, name: item.key.clone(), value });
                        places.insert(item.key.clone(), item.place.clone());
                    }
                    Some(None) => removed.push((group, item)),
                    None => {}
                }
            }
        }
        for (group, item) in removed {
            if let Some(set) = sets.iter().find(|set| set.name == item.key) {
                let there = set.group.name();
                let text = format!(
                    "{} = false in [{}] does nothing, for it is set in [{there}]: write it there",
                    item.key,
                    group.name()
                );
                findings.push(Finding::error(Some(item.place.clone()), text));
            }
        }
        (sets, places)
    }

    /// The values of a table that holds no arguments.
    fn values(&self, table: &str, findings: &mut Vec<Finding>) -> Values {
        let mut values = Values::new();
        for item in self.layer.settings(table) {
            if let Some(Some(value)) = self.value(item, settings::kind(table, &item.key), findings) {
                values.insert(item.key.clone(), value);
            }
        }
        values
    }

    fn alerts(&self, findings: &mut Vec<Finding>) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for item in self.layer.settings("alert") {
            let conditions = match self.value(item, Some(Kind::List), findings) {
                Some(Some(Value::Many(conditions))) => conditions,
                Some(Some(Value::One(condition))) => vec![condition],
                _ => continue,
            };
            for condition in conditions {
                match Alert::read(&item.key, &condition) {
                    Some(alert) => alerts.push(alert),
                    None => {
                        let text = format!(
                            "the alert on {} is {}: write it like \"> 0.5\" or \"< 0.1 for 20\"",
                            item.key,
                            argument::quoted(&condition)
                        );
                        findings.push(Finding::error(Some(item.place.clone()), text));
                    }
                }
            }
        }
        alerts
    }

    /// The value of a key, looked up and checked; `Some(None)` when it is left out, `None` when it was refused.
    fn value(&self, item: &Item, kind: Option<Kind>, findings: &mut Vec<Finding>) -> Option<Option<Value>> {
        let refuse = |found: String, findings: &mut Vec<Finding>| {
            let allowed =
                kind.map_or_else(|| "a text, a number, true or an array of them".to_owned(), |kind| kind.allowed());
            let text = format!("{} is {found}: it must be {allowed}", item.key);
            findings.push(Finding::error(Some(item.place.clone()), text));
            None
        };
        match &item.raw {
            Raw::Bool(false) => Some(None),
            Raw::Bool(true) if kind.is_none_or(|kind| kind == Kind::Flag) => Some(Some(Value::Flag)),
            Raw::Number(_) | Raw::Text(_) => {
                let text = self.scalar(item, &item.raw, findings)?;
                match kind {
                    Some(Kind::Flag) if text == "true" => return Some(Some(Value::Flag)),
                    Some(Kind::Flag) if text == "false" => return Some(None),
                    Some(kind) => kind
                        .check(&text)
                        .map_err(|allowed| {
                            let text = format!("{} is {}: {allowed}", item.key, argument::shown(&text));
                            findings.push(Finding::error(Some(item.place.clone()), text));
                        })
                        .ok()?,
                    None => {}
                }
                Some(Some(Value::One(text)))
            }
            Raw::List(list) if kind.is_none_or(|kind| kind == Kind::List) => {
                if list.is_empty() {
                    let text = format!("{} has no value: write false to leave it out", item.key);
                    findings.push(Finding::error(Some(item.place.clone()), text));
                    return None;
                }
                let bad = list.iter().find(|raw| !matches!(raw, Raw::Number(_) | Raw::Text(_)));
                if let Some(bad) = bad {
                    return refuse(format!("an array with {} in it", bad.described()), findings);
                }
                let texts: Vec<_> = list.iter().map(|raw| self.scalar(item, raw, findings)).collect();
                Some(Some(Value::Many(texts.into_iter().collect::<Option<_>>()?)))
            }
            other => refuse(other.described(), findings),
        }
    }

    /// A text or number with its variables looked up.
    fn scalar(&self, item: &Item, raw: &Raw, findings: &mut Vec<Finding>) -> Option<String> {
        let text = match raw {
            Raw::Text(text) => self.variables.expand(text, &item.place, findings)?,
            Raw::Number(text) => text.clone(),
            _ => return None,
        };
        if text.contains('\0') {
            let text = format!("{} has a zero byte, which no argument can carry", item.key);
            findings.push(Finding::error(Some(item.place.clone()), text));
            return None;
        }
        Some(text)
    }
}

/// The same argument in two tables: only the later one would count.
fn twice(name: &str, earlier: Group, later: Group, places: &BTreeMap<String, Place>, item: &Item) -> Finding {
    let other = places.get(name).map(|place| format!(" ({place})")).unwrap_or_default();
    let text = format!("{name} is in [{}] and in [{}]{other}: keep one of them", later.name(), earlier.name());
    Finding::error(Some(item.place.clone()), text)
}
