use crossterm::event::{Event, KeyCode, KeyEventKind, MouseButton, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{App, Intent, Over, View, line::Typed};
use crate::console::{key::Key, verb::Verb, view};

/// Lines that one notch of the wheel moves.
const WHEEL: isize = 3;

/// A place on screen that does something when it is clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum Target {
    Verb(Verb),
    /// Says yes to the sheet.
    Confirm,
    /// Closes what lies over the view.
    Close,
    /// A row of the Tune view.
    Row(usize),
}

/// What lies at a place.
fn zone_at(zones: &[(Rect, Target)], x: u16, y: u16) -> Option<Target> {
    zones.iter().find(|(area, _)| area.contains(Position { x, y })).map(|(_, target)| *target)
}

impl App {
    /// Takes in what a person or the terminal did.
    pub(in crate::console) fn handle(&mut self, event: Event) -> Option<Intent> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                self.dirty = true;
                self.key(key.into())
            }
            Event::Mouse(mouse) => match mouse.kind {
                MouseEventKind::ScrollUp => self.wheel(-WHEEL),
                MouseEventKind::ScrollDown => self.wheel(WHEEL),
                MouseEventKind::Down(MouseButton::Left) => {
                    self.dirty = true;
                    let target = zone_at(&view::zones(self), mouse.column, mouse.row)?;
                    self.click(target)
                }
                _ => None,
            },
            Event::Paste(text) => {
                self.dirty = true;
                self.paste(&text);
                None
            }
            Event::Resize(width, height) => {
                self.dirty = true;
                self.size = (width, height);
                None
            }
            _ => None,
        }
    }

    fn wheel(&mut self, by: isize) -> Option<Intent> {
        self.dirty = true;
        match &mut self.over {
            Some(Over::Help(line)) => *line = line.saturating_add_signed(by),
            Some(_) => {}
            None => self.scroll(by),
        }
        None
    }

    fn click(&mut self, target: Target) -> Option<Intent> {
        match (target, &self.over) {
            (Target::Confirm, Some(Over::Sheet(sheet))) => self.confirm(*sheet),
            (Target::Close, _) => {
                self.over = None;
                None
            }
            (Target::Verb(verb), None) => self.perform(verb),
            (Target::Row(row), None) => {
                if self.tune.at == row {
                    return self.perform(Verb::Edit);
                }
                self.tune.at = row;
                self.tune.editor = None;
                None
            }
            _ => None,
        }
    }

    fn paste(&mut self, text: &str) {
        match &mut self.over {
            Some(Over::Palette(palette)) => palette.line.insert(text),
            Some(_) => {}
            None if self.view == View::Logs && self.logs.typing => {
                self.logs.filter.insert(text);
                self.filter();
            }
            None => {
                if let Some(editor) = &mut self.tune.editor {
                    editor.line.insert(text);
                    self.check();
                }
            }
        }
    }

    fn key(&mut self, key: Key) -> Option<Intent> {
        let said = self.toast.take_if(|toast| toast.until.is_none());
        if key.control() == Some('c') && self.over.is_none() && !self.typing() {
            return Some(Intent::Quit);
        }
        match &self.over {
            Some(Over::Help(_)) => self.help_key(key),
            Some(Over::Palette(_)) => return self.palette_key(key),
            Some(Over::Sheet(sheet)) => match (key.plain(), key.character()) {
                (Some(KeyCode::Enter), _) | (_, Some('y')) => return self.confirm(*sheet),
                (Some(KeyCode::Esc), _) | (_, Some('n' | 'q')) => self.over = None,
                _ if key.control() == Some('c') => self.over = None,
                _ => {}
            },
            None if self.view == View::Logs && self.logs.typing => self.filter_key(key),
            None if self.tune.editor.is_some() => self.editor_key(key),
            None => {
                let verb = self.keymap.verb(self.view, key)?;
                if verb == Verb::Back && said.is_some() {
                    return None;
                }
                return self.perform(verb);
            }
        }
        None
    }

    fn typing(&self) -> bool {
        self.tune.editor.is_some() || (self.view == View::Logs && self.logs.typing)
    }

    fn help_key(&mut self, key: Key) {
        let page = isize::from(i16::try_from(self.size.1).unwrap_or(24)) / 2;
        let by = match self.keymap.verb(self.view, key) {
            Some(Verb::Up) => -1,
            Some(Verb::Down) => 1,
            Some(Verb::PageUp) => -page,
            Some(Verb::PageDown) => page,
            Some(Verb::Top) => -(1 << 20),
            Some(Verb::Bottom) => 1 << 20,
            _ => return self.over = None,
        };
        let most = view::help_lines(self).saturating_sub(1);
        if let Some(Over::Help(line)) = &mut self.over {
            *line = line.saturating_add_signed(by).min(most);
        }
    }

    fn palette_key(&mut self, key: Key) -> Option<Intent> {
        let Some(Over::Palette(palette)) = &self.over else { return None };
        let mut palette = palette.clone();
        let found = palette.found(self);
        match (key.plain(), key.control()) {
            (Some(KeyCode::Up), _) | (_, Some('p')) => palette.at = palette.at.saturating_sub(1),
            (Some(KeyCode::Down), _) | (_, Some('n')) => palette.at = (palette.at + 1).min(found.len().max(1) - 1),
            _ => match palette.line.key(key) {
                Typed::Accepted => {
                    self.over = None;
                    return self.perform(found.get(palette.at)?.verb);
                }
                Typed::Cancelled => {
                    self.over = None;
                    return None;
                }
                Typed::Changed => palette.at = 0,
                Typed::Other => {}
            },
        }
        self.over = Some(Over::Palette(palette));
        None
    }

    fn filter_key(&mut self, key: Key) {
        match self.logs.filter.key(key) {
            Typed::Accepted => self.logs.typing = false,
            Typed::Cancelled => {
                self.logs.typing = false;
                self.logs.filter.clear();
                self.filter();
            }
            Typed::Changed => self.filter(),
            Typed::Other => {
                if let Some(verb @ (Verb::Up | Verb::Down | Verb::PageUp | Verb::PageDown)) =
                    self.keymap.verb(self.view, key)
                {
                    self.perform(verb);
                }
            }
        }
    }

    fn editor_key(&mut self, key: Key) {
        let Some(editor) = &mut self.tune.editor else { return };
        match editor.line.key(key) {
            Typed::Accepted => self.keep(),
            Typed::Cancelled => self.tune.editor = None,
            Typed::Changed => self.check(),
            Typed::Other => {}
        }
    }
}
