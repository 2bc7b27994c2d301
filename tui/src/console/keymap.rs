//! Which key does what: the file built in, and over it what a person's own file says otherwise.

use toml::de::DeValue;

use super::{
    app::View,
    key::Key,
    settings::{File, Problem, string},
    verb::{Layer, TABLE, Verb},
};

const BUILT_IN: &str = include_str!("keymap.toml");

/// Keys of every verb.
#[derive(Clone, Debug, Default)]
pub(super) struct Keymap {
    keys: Vec<(Verb, Vec<Key>)>,
}

impl Keymap {
    /// The keys built in.
    pub(super) fn built_in() -> (Keymap, Vec<Problem>) {
        let mut keymap = Keymap::default();
        let problems = keymap.lay("keymap.toml", BUILT_IN);
        (keymap, problems)
    }

    /// Lays a file over what is there: each verb that it names gets the keys that it gives. Says what is wrong in it.
    pub(super) fn lay(&mut self, name: &str, text: &str) -> Vec<Problem> {
        let file = File { name, text };
        let table = match file.table() {
            Ok(table) => table,
            Err(problem) => return vec![problem],
        };
        let mut problems = Vec::new();
        for (title, value) in &table {
            let Some(layer) = Layer::ALL.into_iter().find(|layer| layer.name() == title.get_ref().as_ref()) else {
                let known = Layer::ALL.map(Layer::name);
                problems.push(file.unknown(&title.span(), "table", title.get_ref(), known));
                continue;
            };
            let DeValue::Table(entries) = value.get_ref() else {
                problems.push(file.problem(&value.span(), format!("`{}` must be a table", layer.name())));
                continue;
            };
            for (name, value) in entries {
                let known = TABLE.iter().filter(|row| row.layer == layer);
                let Some(row) = known.clone().find(|row| row.name == name.get_ref().as_ref()) else {
                    let known = known.map(|row| row.name);
                    problems.push(file.unknown(&name.span(), "command", name.get_ref(), known));
                    continue;
                };
                match read(value.get_ref()) {
                    Ok(keys) => self.set(row.verb, keys),
                    Err(wrong) => problems.push(file.problem(&value.span(), wrong)),
                }
            }
        }
        problems.sort_by_key(|problem| problem.line);
        problems.extend(self.twice().into_iter().map(|text| file.problem(&(0..0), text)));
        problems
    }

    fn set(&mut self, verb: Verb, keys: Vec<Key>) {
        self.keys.retain(|(known, _)| *known != verb);
        self.keys.push((verb, keys));
    }

    /// Keys that would do two things in one view.
    fn twice(&self) -> Vec<String> {
        let pairs: Vec<(Verb, Key)> =
            self.keys.iter().flat_map(|(verb, keys)| keys.iter().map(|key| (*verb, *key))).collect();
        let mut found = Vec::new();
        for (i, (a, key)) in pairs.iter().enumerate() {
            for (b, _) in pairs[..i].iter().filter(|(_, other)| other == key) {
                let (in_a, in_b) = (a.row().layer.view(), b.row().layer.view());
                if in_a.is_none() || in_b.is_none() || in_a == in_b {
                    found.push(format!("`{key}` does two things: {} and {}", b.row().name, a.row().name));
                }
            }
        }
        found
    }

    /// What a key does in a view.
    pub(super) fn verb(&self, view: View, key: Key) -> Option<Verb> {
        self.keys
            .iter()
            .filter(|(verb, _)| verb.row().layer.view().is_none_or(|only| only == view))
            .find(|(_, keys)| keys.contains(&key))
            .map(|(verb, _)| *verb)
    }

    /// The keys of a verb, the first one first.
    pub(super) fn keys(&self, verb: Verb) -> &[Key] {
        self.keys.iter().find(|(known, _)| *known == verb).map_or(&[], |(_, keys)| keys)
    }

    /// How the first key is shown; empty without any.
    pub(super) fn shown(&self, verb: Verb) -> String {
        self.keys(verb).first().map(Key::to_string).unwrap_or_default()
    }
}

fn read(value: &DeValue<'_>) -> Result<Vec<Key>, String> {
    let one = |value: &DeValue<'_>| {
        let text = string(value).ok_or("a key is a string")?;
        Key::read(text).ok_or_else(|| format!("there is no key `{text}`"))
    };
    match value {
        DeValue::Array(values) => values.iter().map(|value| one(value.get_ref())).collect(),
        value => Ok(vec![one(value)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_a_key_a_name_and_a_description() {
        let (keymap, problems) = Keymap::built_in();
        assert_eq!(problems, []);
        for row in &TABLE {
            assert!(row.text.len() > 3 && !row.name.is_empty());
            assert!(!keymap.keys(row.verb).is_empty(), "{:?} has no key", row.verb);
            let view = row.layer.view().unwrap_or(View::Overview);
            for key in keymap.keys(row.verb) {
                assert_eq!(keymap.verb(view, *key), Some(row.verb), "{key} does not reach {:?}", row.verb);
            }
            assert_eq!(TABLE.iter().filter(|other| other.verb == row.verb || other.name == row.name).count(), 1);
        }
    }

    #[test]
    fn a_person_s_file_holds_only_what_differs() {
        let (mut keymap, _) = Keymap::built_in();
        let problems =
            keymap.lay("keys.toml", "[job]\nrestart = \"R\"\n[console]\nquti = [\"x\"]\nhelp = [\"hyper\"]\n");
        let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            said,
            ["keys.toml:4: there is no command `quti`; did you mean `quit`?", "keys.toml:5: there is no key `hyper`",]
        );
        assert_eq!(keymap.shown(Verb::Restart), "R");
        assert_eq!(keymap.shown(Verb::Stop), "s");
    }

    #[test]
    fn two_meanings_of_a_key_are_reported() {
        let (mut keymap, _) = Keymap::built_in();
        let problems = keymap.lay("keys.toml", "[logs]\nwrap = \"r\"\n");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].text.contains("`r` does two things"));
    }
}
