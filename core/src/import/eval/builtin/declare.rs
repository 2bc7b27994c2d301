//! Variables: `NAME=value`, `export`, `local`, `unset`.

use super::super::{
    super::{
        shell::{Assign, Assigned, At, Stop, is_name},
        value::{Field, Held, Text},
    },
    Flow, Shell,
};

/// More elements than any array of a launch script has.
const MOST: usize = 10_000;

impl Shell<'_> {
    pub(super) fn set_variable(&mut self, assign: &Assign) -> Result<(), Stop> {
        let (name, at) = (assign.name.as_str(), &assign.at);
        let before = self.state.variables.get(name).map(|variable| variable.held.clone());
        let held = match &assign.value {
            Assigned::Many(words) => {
                let mut fields = match before {
                    Some(Held::Many(fields)) if assign.append => fields.to_vec(),
                    Some(Held::One(text)) if assign.append => vec![Field { text, place: at.place(), from: None }],
                    _ => Vec::new(),
                };
                for word in words {
                    if keyed(word.parts.first()) {
                        return Err(self.wrong(&word.at, "an array with written [indices] is not read"));
                    }
                    fields.extend(self.fields(word)?);
                }
                Held::Many(fields.into())
            }
            Assigned::One(word) => {
                let text = self.text(word)?;
                match &assign.index {
                    Some(index) => {
                        let index = match self.sum(index, false)? {
                            Ok(number) => number.unwrap_or(0),
                            Err(hole) => return Err(self.wrong(at, format!("the index uses {}", hole.why))),
                        };
                        self.indexed(before, index, text, assign)?
                    }
                    None => match before {
                        Some(Held::Many(fields)) if !fields.is_empty() => {
                            self.indexed(Some(Held::Many(fields)), 0, text, assign)?
                        }
                        before if assign.append => {
                            let before = match before.or_else(|| self.look_up(name, at)) {
                                Some(Held::One(text)) => text,
                                Some(Held::Many(_)) | None => Text::default(),
                            };
                            let mut whole = before;
                            whole.extend(text);
                            Held::One(whole)
                        }
                        _ => Held::One(text),
                    },
                }
            }
        };
        self.assign(name, held, at)
    }

    fn indexed(&mut self, before: Option<Held>, index: i64, text: Text, assign: &Assign) -> Result<Held, Stop> {
        let at = &assign.at;
        let mut fields = match before {
            Some(Held::Many(fields)) => fields.to_vec(),
            Some(Held::One(text)) => vec![Field { text, place: at.place(), from: None }],
            None => Vec::new(),
        };
        let index = if index < 0 { index + fields.len() as i64 } else { index };
        let index = usize::try_from(index).ok().filter(|index| *index <= fields.len() && *index < MOST);
        let Some(index) = index else {
            return Err(self.wrong(at, format!("{} has no such element, nor is it the next one", assign.name)));
        };
        let (place, from) = (at.place(), None);
        match fields.get_mut(index) {
            Some(field) if assign.append => {
                field.text.extend(text);
                field.place = place;
            }
            Some(field) => *field = Field { text, place, from },
            None => fields.push(Field { text, place, from }),
        }
        Ok(Held::Many(fields.into()))
    }

    pub(super) fn declare(
        &mut self,
        command: &str,
        words: &[Field],
        assigns: &[&Assign],
        at: &At,
    ) -> Result<Flow, Stop> {
        let mut exports = command == "export";
        let mut array = false;
        let mut names = Vec::new();
        for word in words {
            match word.text.known() {
                Ok(text) if text.starts_with(['-', '+']) => {
                    if text.contains('A') {
                        return Err(self.wrong(at, "an array with keys (declare -A) is not read"));
                    }
                    exports |= text.contains('x');
                    array |= text.contains('a');
                }
                Ok(text) if is_name(&text) => names.push(text),
                Ok(text) => match text.split_once('=').filter(|(name, _)| is_name(name)) {
                    // As from `export "$NAME=value"`.
                    Some((name, value)) => {
                        names.push(name.to_owned());
                        self.assign(name, Held::One(Text::plain(value)), at)?;
                    }
                    None => return Err(self.wrong(at, format!("{command} {text:?} is not read"))),
                },
                Err(hole) => return Err(self.wrong(at, format!("the name of a variable is {}", hole.why))),
            }
        }
        let hides = command != "export" && command != "readonly" && self.state.frames.len() > 1;
        if hides {
            for name in names.iter().chain(assigns.iter().map(|assign| &assign.name)) {
                let before = self.state.variables.get(name).cloned();
                if let Some(frame) = self.state.frames.last_mut()
                    && !frame.hidden.iter().any(|(hidden, _)| hidden == name)
                {
                    frame.hidden.push((name.clone(), before));
                }
            }
        }
        for name in &names {
            if exports && !self.state.variables.contains_key(name) {
                // Of the caller: it is exported already, when it is there.
                if let Some(Held::One(text)) = self.look_up(name, at) {
                    self.assign(name, Held::One(text), at)?;
                }
            } else if hides || (array && !self.state.variables.contains_key(name)) {
                let held = if array { Held::Many(Vec::new().into()) } else { Held::One(Text::default()) };
                self.assign(name, held, at)?;
            }
        }
        for assign in assigns {
            self.set_variable(assign)?;
            names.push(assign.name.clone());
        }
        if exports {
            for name in names {
                if let Some(variable) = self.state.variables.get_mut(&name) {
                    variable.exported = true;
                }
            }
        }
        Ok(Flow::Next)
    }

    pub(super) fn forget(&mut self, words: &[Field]) {
        for name in words.iter().filter_map(|word| word.text.known().ok()) {
            if self.state.variables.remove(&name).is_none() {
                self.state.functions.remove(&name);
            }
            // What the caller has under this name is gone for the script too.
            if is_name(&name) && (self.machine.variable)(&name).is_some() {
                let variable = super::super::Variable { held: Held::One(Text::default()), exported: false };
                self.state.variables.insert(name, variable);
            }
        }
    }
}

/// Whether an element is written `[key]=value`.
fn keyed(part: Option<&super::super::super::shell::Part>) -> bool {
    match part {
        Some(super::super::super::shell::Part::Text(text)) => text.starts_with('[') && text.contains("]="),
        _ => false,
    }
}
