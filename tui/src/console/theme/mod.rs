//! Colour themes: TOML files that give each [`Meaning`] a style. Those of `themes/` are built in; a person's own
//! lie in `$XDG_CONFIG_HOME/rldeck/themes` and hold only what differs.

mod colour;
mod meaning;
mod read;

pub(super) use colour::Depth;
pub(super) use meaning::Meaning;
use ratatui::style::Style;

use super::settings::Problem;

/// Styles of all meanings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Theme {
    pub(super) name: String,
    /// In a few words.
    pub(super) about: String,
    styles: [Style; Meaning::COUNT],
}

impl Theme {
    /// The style of a meaning: only what it sets, to be laid over what is there.
    pub(super) fn style(&self, meaning: Meaning) -> Style {
        self.styles[meaning as usize]
    }
}

/// The themes built in: file name, text.
const BUILT_IN: [(&str, &str); 4] = [
    ("night", include_str!("../../../../themes/night.toml")),
    ("day", include_str!("../../../../themes/day.toml")),
    ("contrast", include_str!("../../../../themes/contrast.toml")),
    ("mono", include_str!("../../../../themes/mono.toml")),
];

/// All themes, one of them chosen.
#[derive(Clone, Debug)]
pub(super) struct Themes {
    all: Vec<Theme>,
    current: usize,
}

impl Themes {
    /// The themes built in and those in `own` (name, text), as `depth` shows them; with what is wrong in them.
    pub(super) fn load(own: &[(String, String)], depth: Depth) -> (Themes, Vec<Problem>) {
        let mut sources: Vec<(String, String)> =
            BUILT_IN.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        for (name, text) in own {
            sources.push((name.clone(), text.clone()));
        }
        let mut problems = Vec::new();
        let mut all: Vec<Theme> = Vec::new();
        for (name, text) in sources {
            let theme = read::theme(&name, &text, &all, depth, &mut problems);
            match all.iter_mut().find(|known| known.name == theme.name) {
                Some(known) => *known = theme,
                None => all.push(theme),
            }
        }
        let mut themes = Themes { all, current: 0 };
        if depth == Depth::None {
            themes.choose("mono");
        }
        (themes, problems)
    }

    /// The one in use.
    pub(super) fn current(&self) -> &Theme {
        &self.all[self.current]
    }

    /// Uses the one of this name; `false` when there is none.
    pub(super) fn choose(&mut self, name: &str) -> bool {
        let found = self.all.iter().position(|theme| theme.name == name);
        self.current = found.unwrap_or(self.current);
        found.is_some()
    }

    /// Uses the next one.
    pub(super) fn next(&mut self) {
        self.current = (self.current + 1) % self.all.len();
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.all.iter().map(|theme| theme.name.as_str())
    }
}

#[cfg(test)]
mod tests;
