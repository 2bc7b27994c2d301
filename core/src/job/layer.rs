//! Tables of a document to layers, and a layer over another.

use std::collections::BTreeMap;

use super::document::{Document, Item, Raw, Table};
use super::{preset, settings};
use crate::{
    argument::{self, Argument, Group, Old, Stands},
    finding::Finding,
    nearest::nearest,
};

/// Keys above all tables.
pub(super) const TOP: [&str; 5] = ["name", "recipe", "engine", "allow", "resolved"];

/// What one file sets. Within a table the order is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    /// The keys above all tables.
    pub(super) top: Vec<Item>,
    /// The argument groups; keys are full argument names.
    pub(super) groups: BTreeMap<Group, Vec<Item>>,
    /// The other tables.
    pub(super) settings: BTreeMap<&'static str, Vec<Item>>,
    /// The model that is named: it lies under all of `[model]`.
    preset: Option<Item>,
}

impl Layer {
    /// Sorts the tables of a document; what belongs nowhere is reported.
    pub(super) fn new(document: Document, findings: &mut Vec<Finding>) -> Layer {
        let mut layer = Layer::default();
        for item in document.top {
            if item.key == Group::Model.name() && !matches!(item.raw, Raw::List(_)) {
                layer.preset = Some(item);
            } else if is_top(&item, findings) {
                layer.top.push(item);
            }
        }
        for mut table in document.tables {
            if let Some(group) = Group::from_name(&table.name) {
                let preset = table.items.iter().position(|item| group == Group::Model && item.key == "preset");
                if let Some(at) = preset {
                    layer.preset = Some(table.items.remove(at));
                }
                let mut items: Vec<Item> = Vec::new();
                for item in table.items {
                    let Some(item) = argument_item(group, item, findings) else { continue };
                    match items.iter().find(|other| other.key == item.key) {
                        Some(other) => findings.push(twice(group, other, &item)),
                        None => items.push(item),
                    }
                }
                layer.groups.insert(group, items);
            } else if let Some(name) = settings::table(&table.name) {
                let items = table.items.into_iter().filter(|item| settings::is_key(name, item, findings)).collect();
                layer.settings.insert(name, items);
            } else {
                findings.push(unknown_table(&table));
            }
        }
        layer
    }

    /// Lays `upper` over this one: a key that is in both keeps its place and takes the upper value, the others follow.
    /// Where `upper` names a model, nothing of the lower one's is left.
    pub(super) fn under(mut self, upper: Layer) -> Layer {
        if upper.preset.is_some() {
            self.groups.remove(&Group::Model);
            self.preset = upper.preset;
        }
        lay(&mut self.top, upper.top);
        for (group, items) in upper.groups {
            lay(self.groups.entry(group).or_default(), items);
        }
        for (table, items) in upper.settings {
            lay(self.settings.entry(table).or_default(), items);
        }
        self
    }

    /// Puts in what stands for something else: the model that is named, and the values of old names.
    pub(super) fn settled(mut self, findings: &mut Vec<Finding>) -> Layer {
        if let Some(item) = self.preset.take() {
            self = preset::layer(&item, findings).under(self);
        }
        let value = |name: &str| {
            let set = self.groups.values().flatten().rfind(|item| item.key == name);
            let usual = || argument::find(name)?.default.map(|text| Raw::Text(text.to_owned()));
            set.map(|item| item.raw.clone()).or_else(usual).unwrap_or(Raw::Bool(false))
        };
        let standing: Vec<_> = self
            .groups
            .iter()
            .flat_map(|(group, items)| items.iter().enumerate().map(|(at, item)| (*group, at, item)))
            .filter_map(|(group, at, item)| match item.raw {
                Raw::As(name) => Some((group, at, value(name))),
                _ => None,
            })
            .collect();
        for (group, at, raw) in standing {
            if let Some(item) = self.groups.get_mut(&group).and_then(|items| items.get_mut(at)) {
                item.raw = raw;
            }
        }
        self
    }

    /// A key above all tables.
    pub(super) fn top(&self, key: &str) -> Option<&Item> {
        self.top.iter().find(|item| item.key == key)
    }

    /// A table that holds no arguments; empty when the file has none.
    pub(super) fn settings(&self, table: &str) -> &[Item] {
        self.settings.get(table).map_or(&[], Vec::as_slice)
    }
}

fn lay(lower: &mut Vec<Item>, upper: Vec<Item>) {
    for item in upper {
        match lower.iter_mut().find(|known| known.key == item.key) {
            Some(known) => *known = item,
            None => lower.push(item),
        }
    }
}

fn is_top(item: &Item, findings: &mut Vec<Finding>) -> bool {
    let key = item.key.as_str();
    if TOP.contains(&key) {
        return true;
    }
    let tables = matches!(&item.raw, Raw::List(list) if list.contains(&Raw::Other("a table")));
    let text = if tables {
        format!("[[{key}]] has a bracket too many: write [{key}]")
    } else if Group::from_name(key).is_some() || settings::table(key).is_some() {
        format!("{key} is a table: write [{key}] and its keys below")
    } else if let Some(argument) = argument::find(key) {
        format!("{key} stands above all tables: write it below [{}]", argument.group.name())
    } else {
        match nearest(key, TOP) {
            Some(meant) => format!("{key} is unknown here: did you mean {meant}?"),
            None => format!("{key} is unknown here: above all tables stand {}", TOP[..4].join(", ")),
        }
    };
    findings.push(Finding::error(Some(item.place.clone()), text));
    false
}

fn unknown_table(table: &Table) -> Finding {
    let name = &table.name;
    let tables = || Group::ALL.into_iter().map(Group::name).chain(settings::TABLES);
    let text = if name == "allow" {
        "allow is a key: write allow = [\"RULE\"] above all tables".to_owned()
    } else if TOP.contains(&name.as_str()) {
        format!("{name} is a key: write {name} = \"...\" above all tables")
    } else {
        let aliases = [
            ("grpo", ["algorithm", "loss"]),
            ("checkpoint", ["ckpt", "checkpoints"]),
            ("perf", ["parallel", "performance"]),
        ];
        let alias = aliases.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(group, _)| *group);
        match alias.or_else(|| nearest(name, tables().collect::<Vec<_>>())) {
            Some(meant) => format!("the table [{name}] is unknown: did you mean [{meant}]?"),
            None => {
                format!("the table [{name}] is unknown: the tables are {}", tables().collect::<Vec<_>>().join(", "))
            }
        }
    };
    Finding::error(Some(table.place.clone()), text)
}

/// Gives a key its full argument name, or reports why it has none.
fn argument_item(group: Group, mut item: Item, findings: &mut Vec<Finding>) -> Option<Item> {
    let key = item.key.as_str();
    let place = || Some(item.place.clone());
    if matches!(item.raw, Raw::Other("a table")) {
        let text =
            format!("[{}.{key}] is a table inside a table: write key = value below [{}]", group.name(), group.name());
        findings.push(Finding::error(place(), text));
        return None;
    }
    let spelt = key.trim_start_matches('-').replace('_', "-");
    if key.starts_with('-') || (full_name(group, key).1.is_none() && spelt != key && is_known(group, &spelt)) {
        findings.push(Finding::error(place(), format!("{key} is written {spelt} in a job file")));
        return None;
    }
    if key.is_empty() || !key.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter)) {
        let text = format!("{key:?} cannot be the name of an argument: write letters, digits and -");
        findings.push(Finding::error(place(), text));
        return None;
    }
    let text = match key {
        "actor-num-nodes" | "actor-num-gpus-per-node" => "follows from [cluster]: write hosts and gpus-per-node there",
        "colocate" | "rollout-shards" => "belongs in [cluster]: write it there",
        _ => "",
    };
    if !text.is_empty() {
        findings.push(Finding::error(place(), format!("{key} {text}")));
        return None;
    }
    let (name, known) = full_name(group, key);
    if let Some(old) = argument::old(&name) {
        return today(group, old, item, findings);
    }
    if let Some(argument) = known.filter(|argument| argument.group != group && group != Group::Misc) {
        let text = format!("{key} stands in [{}] but belongs in [{}]", group.name(), argument.group.name());
        findings.push(Finding::warning(place(), text));
    }
    item.key = name;
    Some(item)
}

/// What stands today for an argument of older days.
fn today(group: Group, old: &Old, item: Item, findings: &mut Vec<Finding>) -> Option<Item> {
    let place = Some(item.place.clone());
    let Raw::Bool(given) = item.raw else {
        let text = format!("{} is {}: it must be true or false", item.key, item.raw.described());
        findings.push(Finding::error(place, text));
        return None;
    };
    let (now, shown, raw) = match old.value {
        _ if !given => (old.now, "false".to_owned(), Raw::Bool(false)),
        Stands::For(value) => (old.now, format!("{value:?}"), Raw::Text(value.to_owned())),
        Stands::As(other) => (old.now, short(group, other).to_owned(), Raw::As(other)),
    };
    let text = format!("{} is an old name: it is read as {} = {shown}; write that", item.key, short(group, now));
    findings.push(Finding::warning(place, text));
    Some(Item { key: now.to_owned(), raw, place: item.place })
}

/// Two keys of a table that are the same argument: `[sglang]` has a short and a long form, and old names.
fn twice(group: Group, earlier: &Item, item: &Item) -> Finding {
    let name = short(group, &item.key);
    let text = format!("this is {name}, which is there already ({}): keep one of them", earlier.place);
    Finding::error(Some(item.place.clone()), text)
}

fn is_known(group: Group, key: &str) -> bool {
    let (name, known) = full_name(group, key);
    known.is_some() || argument::old(&name).is_some()
}

/// The argument name that a key of a table stands for: below `[sglang]` its `sglang-` may be left out.
fn full_name(group: Group, key: &str) -> (String, Option<&'static Argument>) {
    if group == Group::Sglang && !key.starts_with("sglang-") {
        let prefixed = format!("sglang-{key}");
        let known = argument::find(&prefixed);
        return match known.or_else(|| argument::find(key)) {
            Some(argument) => (argument.name.to_owned(), Some(argument)),
            None => (prefixed, None),
        };
    }
    (key.to_owned(), argument::find(key))
}

/// The key that stands for an argument in a table.
pub(super) fn short(group: Group, name: &str) -> &str {
    match name.strip_prefix("sglang-") {
        Some(rest) if group == Group::Sglang && full_name(group, rest).0 == name => rest,
        _ => name,
    }
}
