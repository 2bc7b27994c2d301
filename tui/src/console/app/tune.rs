use std::collections::BTreeMap;

use rldeck_core::{
    argument::{self, Applies, Argument},
    deck::{Deck, Setting},
    job::Engine,
    run::Action,
};

use super::{App, Line};

/// What the Tune view looks at, and changes that are not sent yet.
#[derive(Clone, Debug, Default)]
pub(in crate::console) struct Tune {
    /// The selected row.
    pub(in crate::console) at: usize,
    /// Name to new value.
    pub(in crate::console) edits: BTreeMap<String, String>,
    pub(in crate::console) editor: Option<Editor>,
}

/// A value being typed.
#[derive(Clone, Debug)]
pub(in crate::console) struct Editor {
    /// Of this argument.
    pub(in crate::console) name: String,
    pub(in crate::console) line: Line,
    /// What is wrong with it; empty when nothing is.
    pub(in crate::console) wrong: String,
}

/// An argument with all that is known of it.
#[derive(Clone, Debug)]
pub(in crate::console) struct TuneRow<'a> {
    pub(in crate::console) setting: &'a Setting,
    pub(in crate::console) argument: Option<&'static Argument>,
    pub(in crate::console) applies: Applies,
    /// What is to be sent.
    pub(in crate::console) edit: Option<&'a str>,
}

impl TuneRow<'_> {
    /// Its heading.
    pub(in crate::console) fn group(&self) -> &'static str {
        self.argument.map_or("other", |argument| argument.group.name())
    }
}

impl Tune {
    /// The arguments in the order of the catalogue.
    pub(in crate::console) fn rows<'a>(&'a self, deck: &'a Deck) -> Vec<TuneRow<'a>> {
        let engine = Engine::from_name(&deck.run.engine);
        let mut rows: Vec<(usize, TuneRow<'a>)> = deck
            .settings
            .values()
            .map(|setting| {
                let place = argument::catalogue().iter().position(|known| known.name == setting.name);
                let argument = place.map(|place| &argument::catalogue()[place]);
                let applies = argument.zip(engine).map_or(Applies::Restart, |(a, engine)| a.applies(engine));
                let edit = self.edits.get(&setting.name).map(String::as_str);
                (place.unwrap_or(usize::MAX), TuneRow { setting, argument, applies, edit })
            })
            .collect();
        rows.sort_by_key(|(place, _)| *place);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// The selected argument.
    pub(in crate::console) fn selected<'a>(&'a self, app: &'a App) -> Option<TuneRow<'a>> {
        let mut rows = self.rows(app.deck());
        (!rows.is_empty()).then(|| rows.swap_remove(self.at.min(rows.len() - 1)))
    }

    pub(super) fn scroll(&mut self, by: isize, deck: &Deck) {
        self.at = self.at.saturating_add_signed(by).min(deck.settings.len().saturating_sub(1));
    }

    /// The controller took an action on: what it set is no change any more.
    pub(super) fn accepted(&mut self, action: &Action) {
        if let Action::Tune(set) = action {
            self.edits.retain(|name, value| set.get(name) != Some(value));
        }
    }
}

impl App {
    /// Opens the editor on the selected argument.
    pub(super) fn edit(&mut self) {
        let Some(row) = self.tune.selected(self) else { return };
        let setting = row.setting;
        let text = row.edit.or(setting.pending.as_deref()).unwrap_or(&setting.value);
        let editor = Editor { name: setting.name.clone(), line: Line::of(text), wrong: String::new() };
        self.tune.editor = Some(editor);
    }

    /// What is wrong with the typed value, if anything.
    pub(super) fn check(&mut self) {
        let Some(editor) = &mut self.tune.editor else { return };
        let known = argument::find(&editor.name);
        let wrong = known.and_then(|known| known.check(editor.line.text().trim()).err());
        editor.wrong = wrong.unwrap_or_default();
    }

    /// Keeps the typed value as a change to be sent, when it is one.
    pub(super) fn keep(&mut self) {
        self.check();
        let Some(editor) = self.tune.editor.take_if(|editor| editor.wrong.is_empty()) else { return };
        let value = editor.line.text().trim().to_owned();
        let setting = self.live.deck.settings.get(&editor.name);
        if setting.is_some_and(|setting| setting.pending.as_ref().unwrap_or(&setting.value) == &value) {
            self.tune.edits.remove(&editor.name);
        } else {
            self.tune.edits.insert(editor.name, value);
        }
    }
}
