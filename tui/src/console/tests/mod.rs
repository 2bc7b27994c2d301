//! The console as a person meets it: real events go in through the handler of the loop, whole screens come out.

mod any;
mod behaviour;
mod hygiene;
mod screen;

use crossterm::event::Event;
use ratatui::buffer::Buffer;
use rldeck_core::deck::{Change, Delta};

use super::{
    Options,
    app::{App, Intent},
    demo,
    key::Key,
    view,
    wire::{LinkState, News},
};

/// A console of this size that shows this deck, at a fixed time.
fn console(changes: Vec<Change>, (width, height): (u16, u16)) -> App {
    let options = Options { node: "node0".to_owned(), ..Options::default() };
    let colours = |name: &str| (name == "COLORTERM").then(|| "truecolor".to_owned());
    let mut app = super::open(&options, demo::NOW, colours);
    app.handle(Event::Resize(width, height));
    app.news(News::Link(LinkState::Up { round_trip_ms: 2.6 }));
    apply(&mut app, changes);
    app
}

fn apply(app: &mut App, changes: Vec<Change>) {
    app.news(News::Delta(Delta { epoch: 1, seq: 1, changes }));
}

/// Presses keys, written as in a keymap with blanks between them.
fn press(app: &mut App, keys: &str) -> Option<Intent> {
    let mut intent = None;
    for key in keys.split_whitespace() {
        let key = Key::read(key).unwrap_or_else(|| panic!("there is no key {key}"));
        intent = app.handle(Event::Key(key.into()));
    }
    intent
}

fn buffer(app: &App) -> Buffer {
    let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, app.size.0, app.size.1));
    view::draw(app, &mut buffer);
    buffer
}

/// The letters on screen.
fn text(app: &App) -> String {
    let buffer = buffer(app);
    let mut out = String::new();
    for row in buffer.content.chunks(app.size.0.max(1).into()) {
        let mut line = String::new();
        let mut covered = 0;
        for cell in row {
            if covered == 0 {
                line.push_str(cell.symbol());
                covered = super::text::width_of(cell.symbol()).max(1);
            }
            covered -= 1;
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
