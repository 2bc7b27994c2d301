//! `${NAME}` in strings: from `[env]` first, then from the caller.

use std::collections::BTreeMap;

use super::document::Item;
use super::document::Raw;
use crate::{
    finding::{Finding, Place},
    nearest::nearest,
};

/// Variables that rldeck itself gives, for the nearest name to a misspelt one.
const USUAL: [&str; 5] = ["CACHE", "RUN_DIR", "HOME", "USER", "PWD"];

/// No entry of `[env]` goes through more others than this.
const DEEPEST: usize = 50;
/// No value becomes longer than this: entries that double each other would fill the memory.
const LONGEST: usize = 64 * 1024;

/// Looks variables up.
pub(super) struct Variables<'a> {
    /// `[env]`, as it is written.
    written: BTreeMap<String, (String, Place)>,
    /// `[env]`, resolved; `None` where that failed and was reported.
    resolved: BTreeMap<String, Option<String>>,
    outer: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Variables<'a> {
    /// Takes `[env]` and resolves it. An entry may use others, and its own name for the outer variable.
    pub(super) fn new(
        env: &[Item],
        outer: &'a dyn Fn(&str) -> Option<String>,
        findings: &mut Vec<Finding>,
    ) -> Variables<'a> {
        let mut written = BTreeMap::new();
        let mut resolved = BTreeMap::new();
        for item in env {
            let text = match &item.raw {
                Raw::Text(text) | Raw::Number(text) => text.clone(),
                Raw::Bool(value) => u8::from(*value).to_string(),
                Raw::List(_) | Raw::As(_) | Raw::Other(_) => {
                    let found = item.raw.described();
                    let text = format!("{} is {found}: a variable is a text, like {} = \"value\"", item.key, item.key);
                    findings.push(Finding::error(Some(item.place.clone()), text));
                    resolved.insert(item.key.clone(), None);
                    continue;
                }
            };
            if !is_name(&item.key) {
                let text = format!("{:?} is no name of a variable: write letters, digits and _", item.key);
                findings.push(Finding::error(Some(item.place.clone()), text));
                continue;
            }
            written.insert(item.key.clone(), (text, item.place.clone()));
        }
        let mut variables = Variables { written, resolved, outer };
        for item in env {
            variables.resolve(&item.key, &mut Vec::new(), findings);
        }
        variables
    }

    /// The environment, resolved.
    pub(super) fn env(&self) -> BTreeMap<String, String> {
        self.resolved.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))).collect()
    }

    /// `text` with its variables looked up; `None` when that failed, which is reported.
    pub(super) fn expand(&self, text: &str, place: &Place, findings: &mut Vec<Finding>) -> Option<String> {
        let look_up = |name: &str, findings: &mut Vec<Finding>| match self.resolved.get(name) {
            Some(value) => value.clone(),
            None => self.outer(name, place, findings),
        };
        expand(text, place, findings, look_up)
    }

    fn outer(&self, name: &str, place: &Place, findings: &mut Vec<Finding>) -> Option<String> {
        let value = (self.outer)(name);
        if value.is_none() {
            let usual = USUAL.into_iter().filter(|name| (self.outer)(name).is_some()).collect::<Vec<_>>();
            let meant = match nearest(
                name,
                self.written.keys().map(String::as_str).filter(|known| *known != name).chain(usual),
            ) {
                Some(meant) => format!("did you mean ${{{meant}}}?"),
                None => format!("set it in [env] or in the environment, or write $${{{name}}} for the text itself"),
            };
            findings.push(Finding::error(Some(place.clone()), format!("the variable {name} is unknown: {meant}")));
        }
        value
    }

    /// Resolves one entry of `[env]`; `path` holds those that led to it.
    fn resolve(&mut self, name: &str, path: &mut Vec<String>, findings: &mut Vec<Finding>) -> Option<String> {
        if let Some(done) = self.resolved.get(name) {
            return done.clone();
        }
        let (text, place) = self.written.get(name)?.clone();
        path.push(name.to_owned());
        let value = expand(&text, &place, findings, |used, findings| {
            if used == name || !(self.written.contains_key(used) || self.resolved.contains_key(used)) {
                return self.outer(used, &place, findings);
            }
            if let Some(start) = path.iter().position(|step| step == used) {
                let circle = path[start..].join(" -> ");
                let text = format!(
                    "{used} goes round in a circle ({circle} -> {used}): give one of them a value without the others"
                );
                findings.push(Finding::error(Some(place.clone()), text));
                for step in &path[start..] {
                    self.resolved.insert(step.clone(), None);
                }
                return None;
            }
            if path.len() >= DEEPEST {
                let text = format!("{used} goes through more than {DEEPEST} other variables: write its value out");
                findings.push(Finding::error(Some(place.clone()), text));
                self.resolved.insert(used.to_owned(), None);
                return None;
            }
            self.resolve(used, path, findings)
        });
        path.pop();
        // An entry of a circle is failed already, and stays so.
        let value = self.resolved.entry(name.to_owned()).or_insert(value);
        value.clone()
    }
}

/// Replaces each `${NAME}` by what `look_up` gives, and `$$` by a dollar sign.
fn expand(
    text: &str,
    place: &Place,
    findings: &mut Vec<Finding>,
    mut look_up: impl FnMut(&str, &mut Vec<Finding>) -> Option<String>,
) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut good = true;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inner) = after.strip_prefix('{') {
            let Some((name, after)) = inner.split_once('}').filter(|(name, _)| is_name(name)) else {
                let text = format!(
                    "{} has a ${{ that names no variable: write ${{NAME}}, or $$ for a dollar sign",
                    crate::argument::quoted(text)
                );
                findings.push(Finding::error(Some(place.clone()), text));
                return None;
            };
            match look_up(name, findings) {
                Some(value) => out.push_str(&value),
                None => good = false,
            }
            if out.len() > LONGEST {
                let text = format!("with its variables this is longer than {} KB", LONGEST / 1024);
                findings.push(Finding::error(Some(place.clone()), text));
                return None;
            }
            rest = after;
        } else if after.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_') {
            let name: String =
                after.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
            let text = format!("${name} is not looked up: write ${{{name}}}, or $${name} for the text itself");
            findings.push(Finding::error(Some(place.clone()), text));
            good = false;
            rest = after;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    good.then_some(out)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
