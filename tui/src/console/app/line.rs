use crossterm::event::KeyCode;

use crate::console::key::Key;

/// One line of text that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::console) struct Line {
    before: String,
    after: String,
}

/// What a key did to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Changed,
    Accepted,
    Cancelled,
    Other,
}

impl Line {
    pub(super) fn of(text: &str) -> Line {
        Line { before: text.to_owned(), after: String::new() }
    }

    /// All of it.
    pub(in crate::console) fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    /// Before and after the cursor.
    pub(in crate::console) fn parts(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }

    pub(in crate::console) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Line::default();
    }

    /// Puts text in at the cursor, without what is no part of a line.
    pub(super) fn insert(&mut self, text: &str) {
        self.before.extend(text.chars().filter(|c| !c.is_control()).take(4096));
    }

    pub(super) fn key(&mut self, key: Key) -> Typed {
        if let Some(c) = key.character() {
            self.before.push(c);
            return Typed::Changed;
        }
        match (key.plain(), key.control()) {
            (Some(KeyCode::Enter), _) => Typed::Accepted,
            (Some(KeyCode::Esc), _) | (_, Some('c')) => Typed::Cancelled,
            (Some(KeyCode::Backspace), _) | (_, Some('h')) => {
                self.before.pop();
                Typed::Changed
            }
            (Some(KeyCode::Delete), _) => {
                self.after = self.after.chars().skip(1).collect();
                Typed::Changed
            }
            (Some(KeyCode::Left), _) => {
                if let Some(c) = self.before.pop() {
                    self.after.insert(0, c);
                }
                Typed::Changed
            }
            (Some(KeyCode::Right), _) => {
                let mut rest = self.after.chars();
                self.before.extend(rest.next());
                self.after = rest.collect();
                Typed::Changed
            }
            (Some(KeyCode::Home), _) | (_, Some('a')) => {
                self.after = self.text();
                self.before.clear();
                Typed::Changed
            }
            (Some(KeyCode::End), _) | (_, Some('e')) => {
                self.before = self.text();
                self.after.clear();
                Typed::Changed
            }
            (_, Some('u')) => {
                self.before.clear();
                Typed::Changed
            }
            (_, Some('w')) => {
                let kept = self.before.trim_end().rfind(' ').map_or(0, |at| at + 1);
                self.before.truncate(kept);
                Typed::Changed
            }
            _ => Typed::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_typed_and_mended() {
        let mut line = Line::of("1e-3");
        for key in ["backspace", "4", "home", "delete", "3", "right", "left", "ctrl-e", "ctrl-w", "7"] {
            line.key(Key::read(key).unwrap());
        }
        assert_eq!(line.text(), "7");
        line.insert("a\nb\x1b[c");
        assert_eq!(line.text(), "7ab[c");
        assert_eq!(line.key(Key::read("enter").unwrap()), Typed::Accepted);
        assert_eq!(line.key(Key::read("esc").unwrap()), Typed::Cancelled);
    }
}
