//! Merged layers to the parts of a job: variables looked up, values checked.

use std::collections::BTreeMap;

use super::{
    Alert, Engine, Set, Value,
    document::{Item, Raw},
    layer::Layer,
    rule::Written,
    settings::{self, Values},
    variable::Variables,
};
use crate::{
    argument::{self, Group, Kind, quoted},
    finding::{Finding, rule, rules},
    nearest::nearest,
};

/// Gives out the parts of a job, and reports what is wrong with them.
pub(super) struct Resolver<'a> {
    pub(super) layer: &'a Layer,
    pub(super) variables: &'a Variables<'a>,
    pub(super) findings: &'a mut Vec<Finding>,
    pub(super) written: Written,
}

/// What became of one key.
enum Outcome {
    /// It has this value.
    Set(Value),
    /// It is left out: `false`.
    Left,
    /// It is wrong, which is reported.
    Refused,
}

impl Resolver<'_> {
    /// A text above all tables.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let item = self.layer.top(key)?;
        match &item.raw {
            Raw::Text(text) => self.variables.expand(text, &item.place, self.findings),
            other => {
                self.refuse(item, format!("{key} is {}: write {key} = \"...\"", other.described()));
                None
            }
        }
    }

    /// The engine, where it is named.
    pub(super) fn engine(&mut self) -> Option<Engine> {
        let item = self.layer.top("engine")?;
        let text = self.text("engine");
        let engine = text.as_deref().and_then(Engine::from_name);
        if engine.is_none() {
            self.written.unclear.insert("engine".to_owned());
        }
        if let Some(text) = text.filter(|_| engine.is_none()) {
            let allowed = Kind::Choice(&["embedded", "slime"]).check(&text).err().unwrap_or_default();
            self.refuse(item, format!("engine is {}: {allowed}", quoted(&text)));
        }
        engine
    }

    /// The rules that may be broken. One that does not exist is told, for what was meant is not allowed.
    pub(super) fn allow(&mut self) -> Vec<String> {
        let Some(item) = self.layer.top("allow") else { return Vec::new() };
        let listed = match &item.raw {
            Raw::List(list) => list.as_slice(),
            Raw::Text(_) => std::slice::from_ref(&item.raw),
            Raw::Bool(_) | Raw::Number(_) | Raw::As(_) | Raw::Other(_) => &[],
        };
        let texts = listed.iter().map(|raw| if let Raw::Text(text) = raw { Some(text.clone()) } else { None });
        let Some(ids) = texts.collect::<Option<Vec<_>>>().filter(|_| matches!(item.raw, Raw::List(_) | Raw::Text(_)))
        else {
            self.refuse(item, format!("allow is {}: write allow = [\"RULE\", ...]", item.raw.described()));
            return Vec::new();
        };
        for id in ids.iter().filter(|id| rule(id).is_none()) {
            let meant = nearest(id, rules().iter().map(|rule| rule.id));
            let meant = meant.map(|meant| format!(": did you mean {meant}?")).unwrap_or_default();
            let text = format!("allow names {}, but there is no such rule{meant}", quoted(id));
            self.findings.push(Finding::warning(Some(item.place.clone()), text));
        }
        ids
    }

    /// The name in the file, or else that of the recipe, or else that of the file.
    pub(super) fn name(&mut self, recipe: Option<&str>, file: &str) -> String {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if let Some(item) = self.layer.top("name") {
            let name = self.text("name").unwrap_or_default();
            let good = !name.starts_with(['.', '-']) && name.chars().all(plain) && (1..=64).contains(&name.len());
            if !good && matches!(item.raw, Raw::Text(_)) {
                let text =
                    format!("name is {}: it names directories, so write letters, digits and - _ . only", quoted(&name));
                self.refuse(item, text);
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

    /// The arguments, group by group.
    pub(super) fn arguments(&mut self) -> Vec<Set> {
        let mut sets: Vec<Set> = Vec::new();
        let mut left = Vec::new();
        // Where each stands that is set so far.
        let mut before: BTreeMap<&str, (Group, &Item)> = BTreeMap::new();
        for (group, item) in self.layer.groups.iter().flat_map(|(group, items)| items.iter().map(|item| (*group, item)))
        {
            match self.value(item, argument::find(&item.key).map(|argument| argument.kind)) {
                Outcome::Set(value) => {
                    // What stands again in [misc] is meant to override.
                    let twice = before.insert(&item.key, (group, item)).filter(|_| group != Group::Misc);
                    if let Some(earlier) = twice {
                        self.twice(earlier, (group, item));
                    }
                    self.written.places.insert(item.key.clone(), item.place.clone());
                    sets.push(Set { group, name: item.key.clone(), value });
                }
                Outcome::Left => left.push((group, item)),
                Outcome::Refused => {
                    self.written.unclear.insert(item.key.clone());
                }
            }
        }
        for (group, item) in left {
            if let Some((other, set)) = before.get(item.key.as_str()) {
                let (name, here, there) = (&item.key, group.name(), other.name());
                let text = format!(
                    "{name} = false in [{here}] does nothing, for [{there}] sets it ({}): write it there",
                    set.place
                );
                self.refuse(item, text);
            }
        }
        sets
    }

    /// The same argument in two tables: the earlier one would count for nothing.
    fn twice(&mut self, earlier: (Group, &Item), later: (Group, &Item)) {
        let own = self.written.is_own(&later.1.place);
        let ((_, item), (group, other)) = if own { (later, earlier) } else { (earlier, later) };
        let text = format!("{} is in [{}] too ({}): keep one of them", item.key, group.name(), other.place);
        self.refuse(item, text);
    }

    /// The values of a table that holds no arguments.
    pub(super) fn values(&mut self, table: &str) -> Values {
        let mut values = Values::new();
        for item in self.layer.settings(table) {
            let name = format!("{table}.{}", item.key);
            let kind = settings::kind(table, &item.key);
            let value = match self.value(item, kind) {
                Outcome::Set(value) => value,
                // A flag may be true when nothing is said: here false is a value, not an absence.
                Outcome::Left if kind == Some(Kind::Flag) => Value::One("false".to_owned()),
                Outcome::Left => continue,
                Outcome::Refused => {
                    self.written.unclear.insert(name);
                    continue;
                }
            };
            self.written.places.insert(name, item.place.clone());
            values.insert(item.key.clone(), value);
        }
        values
    }

    /// The bounds on metrics.
    pub(super) fn alerts(&mut self) -> Vec<Alert> {
        let mut alerts = Vec::new();
        for item in self.layer.settings("alert") {
            let conditions = match self.value(item, Some(Kind::List)) {
                Outcome::Set(Value::Many(conditions)) => conditions,
                Outcome::Set(Value::One(condition)) => vec![condition],
                Outcome::Set(Value::Flag) | Outcome::Left | Outcome::Refused => continue,
            };
            for condition in conditions {
                match Alert::read(&item.key, &condition) {
                    Some(alert) => alerts.push(alert),
                    None => {
                        let found = quoted(&condition);
                        let text = format!("{} is {found}: write it like \"> 0.5\" or \"< 0.1 for 20\"", item.key);
                        self.refuse(item, text);
                    }
                }
            }
        }
        alerts
    }

    /// The value of a key, looked up and checked.
    fn value(&mut self, item: &Item, kind: Option<Kind>) -> Outcome {
        let list = kind.is_none_or(|kind| kind == Kind::List);
        let flag = kind.is_none_or(|kind| kind == Kind::Flag);
        match &item.raw {
            Raw::Bool(false) => Outcome::Left,
            Raw::Bool(true) if flag => Outcome::Set(Value::Flag),
            Raw::Number(_) | Raw::Text(_) => self.one(item, kind),
            Raw::List(values) if list => self.many(item, kind, values),
            other => self.must(item, kind, other.described()),
        }
    }

    fn one(&mut self, item: &Item, kind: Option<Kind>) -> Outcome {
        let Some(text) = self.scalar(item, &item.raw) else { return Outcome::Refused };
        match kind {
            Some(Kind::Flag) if text == "true" => return Outcome::Set(Value::Flag),
            Some(Kind::Flag) if text == "false" => return Outcome::Left,
            Some(kind) => {
                if let Err(allowed) = kind.check(&text) {
                    let text = format!("{} is {}: {allowed}", item.key, argument::shown(&text));
                    return self.refuse(item, text);
                }
            }
            None => {}
        }
        Outcome::Set(Value::One(text))
    }

    fn many(&mut self, item: &Item, kind: Option<Kind>, values: &[Raw]) -> Outcome {
        if values.is_empty() {
            return self.refuse(item, format!("{} has no value: write false to leave it out", item.key));
        }
        if let Some(bad) = values.iter().find(|raw| !matches!(raw, Raw::Number(_) | Raw::Text(_))) {
            return self.must(item, kind, format!("an array with {} in it", bad.described()));
        }
        let texts: Vec<_> = values.iter().map(|raw| self.scalar(item, raw)).collect();
        match texts.into_iter().collect() {
            Some(texts) => Outcome::Set(Value::Many(texts)),
            None => Outcome::Refused,
        }
    }

    /// A text or number with its variables looked up.
    fn scalar(&mut self, item: &Item, raw: &Raw) -> Option<String> {
        let text = match raw {
            Raw::Text(text) => self.variables.expand(text, &item.place, self.findings)?,
            Raw::Number(text) => text.clone(),
            Raw::Bool(_) | Raw::List(_) | Raw::As(_) | Raw::Other(_) => return None,
        };
        if text.contains('\0') {
            self.refuse(item, format!("{} has a zero byte in it, which no process can be given", item.key));
            return None;
        }
        Some(text)
    }

    fn must(&mut self, item: &Item, kind: Option<Kind>, found: String) -> Outcome {
        let allowed =
            kind.map_or_else(|| "a text, a number, true, or an array of texts".to_owned(), |kind| kind.allowed());
        self.refuse(item, format!("{} is {found}: it must be {allowed}", item.key))
    }

    fn refuse(&mut self, item: &Item, text: String) -> Outcome {
        self.findings.push(Finding::error(Some(item.place.clone()), text));
        Outcome::Refused
    }
}
