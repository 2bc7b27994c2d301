//! A key with its modifiers, as people write it: `q`, `G`, `ctrl-c`, `shift-tab`, `pgup`.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One stroke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Keys that are not a character: as they are written, as they are shown.
const NAMED: [(&str, &str, KeyCode); 15] = [
    ("enter", "Enter", KeyCode::Enter),
    ("esc", "Esc", KeyCode::Esc),
    ("tab", "Tab", KeyCode::Tab),
    ("shift-tab", "Shift-Tab", KeyCode::BackTab),
    ("backspace", "Backspace", KeyCode::Backspace),
    ("delete", "Delete", KeyCode::Delete),
    ("up", "↑", KeyCode::Up),
    ("down", "↓", KeyCode::Down),
    ("left", "←", KeyCode::Left),
    ("right", "→", KeyCode::Right),
    ("pgup", "PgUp", KeyCode::PageUp),
    ("pgdn", "PgDn", KeyCode::PageDown),
    ("home", "Home", KeyCode::Home),
    ("end", "End", KeyCode::End),
    ("space", "Space", KeyCode::Char(' ')),
];

impl Key {
    /// Reads what a keymap holds.
    pub(super) fn read(text: &str) -> Option<Key> {
        let named = |name: &str| NAMED.iter().find(|(known, _, _)| *known == name).map(|(_, _, code)| *code);
        let (modifiers, rest) = match text.split_once('-').filter(|(_, rest)| !rest.is_empty()) {
            Some(("ctrl", rest)) => (KeyModifiers::CONTROL, rest),
            Some(("alt", rest)) => (KeyModifiers::ALT, rest),
            _ => (KeyModifiers::NONE, text),
        };
        let code = match named(rest) {
            Some(code) => code,
            None => {
                let mut chars = rest.chars();
                let only = chars.next().filter(|c| !c.is_control() && !c.is_whitespace())?;
                chars.next().is_none().then_some(KeyCode::Char(only))?
            }
        };
        Some(Key { code, modifiers })
    }

    /// The character it writes into a line of text.
    pub(super) fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// The key without modifiers; `None` when there are some.
    pub(super) fn plain(self) -> Option<KeyCode> {
        self.modifiers.is_empty().then_some(self.code)
    }

    /// The letter held together with Ctrl.
    pub(super) fn control(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers == KeyModifiers::CONTROL => Some(c),
            _ => None,
        }
    }
}

#[cfg(test)]
impl From<Key> for KeyEvent {
    fn from(key: Key) -> KeyEvent {
        KeyEvent::new(key.code, key.modifiers)
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Key {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        let code = match event.code {
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            // Terminals disagree about the case of a letter held with Ctrl.
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        if code == KeyCode::BackTab {
            modifiers = KeyModifiers::NONE;
        }
        Key { code, modifiers }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        match NAMED.iter().find(|(_, _, code)| *code == self.code) {
            Some((_, shown, _)) => f.write_str(shown),
            None => match self.code {
                KeyCode::Char(c) if !self.modifiers.is_empty() => write!(f, "{}", c.to_ascii_uppercase()),
                KeyCode::Char(c) => write!(f, "{c}"),
                code => write!(f, "{code}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_and_print() {
        for (written, shown) in
            [("q", "q"), ("G", "G"), ("ctrl-c", "Ctrl-C"), ("pgup", "PgUp"), ("shift-tab", "Shift-Tab"), ("-", "-")]
        {
            assert_eq!(Key::read(written).unwrap().to_string(), shown);
        }
        assert_eq!(Key::read("space"), Some(KeyEvent::new(KeyCode::Char(' '), KeyModifiers::NONE).into()));
        assert_eq!(Key::read("T"), Some(KeyEvent::new(KeyCode::Char('T'), KeyModifiers::SHIFT).into()));
        assert_eq!(Key::read("shift-tab"), Some(KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT).into()));
        for wrong in ["", "qq", "ctrl-", "hyper-x", "\t"] {
            assert_eq!(Key::read(wrong), None, "{wrong:?}");
        }
    }
}
