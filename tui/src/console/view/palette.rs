use ratatui::layout::Rect;

use super::sheet;
use crate::console::{
    app::{App, Line, Palette},
    text,
    theme::Meaning,
    widget::pen::Pen,
};

/// A line of text with its cursor. Returns the column after it.
pub(super) fn input(pen: &mut Pen<'_>, area: Rect, line: &Line) {
    let (before, after) = line.parts();
    let room = usize::from(area.width);
    pen.put(area.x, area.y, room, &" ".repeat(room), Meaning::Input);
    let skip = before.chars().count().saturating_sub(room.saturating_sub(2));
    let start: String = before.chars().skip(skip).collect();
    let x = pen.put(area.x, area.y, room.saturating_sub(1), &start, Meaning::Input);
    let mut rest = after.chars();
    let under = rest.next().unwrap_or(' ');
    let left = usize::from(area.right().saturating_sub(x));
    if left > 0 {
        pen.block(Rect { x, y: area.y, width: 1, height: 1 }, &under.to_string(), Meaning::Input);
        pen.put(x + 1, area.y, left - 1, rest.as_str(), Meaning::Input);
    }
}

pub(super) fn draw(app: &App, palette: &Palette, area: Rect, pen: &mut Pen<'_>) {
    let found = palette.found(app);
    let width = area.width.min(84);
    let height = (found.len() as u16 + 4).clamp(5, 18).min(area.height);
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height).min(2), width, height };
    sheet::frame(pen, place, "commands");
    let inner = Rect {
        x: place.x + 2,
        y: place.y + 1,
        width: place.width.saturating_sub(4),
        height: place.height.saturating_sub(2),
    };
    if inner.is_empty() {
        return;
    }
    pen.put(inner.x, inner.y, 1, ":", Meaning::Key);
    input(pen, Rect { x: inner.x + 2, height: 1, width: inner.width.saturating_sub(2), ..inner }, &palette.line);
    let rows = usize::from(inner.height.saturating_sub(2));
    let from = (palette.at + 1).saturating_sub(rows);
    let room = usize::from(inner.width);
    for ((i, row), y) in found.iter().enumerate().skip(from).zip(inner.y + 2..inner.bottom()) {
        if i == palette.at {
            pen.put(inner.x, y, room, &" ".repeat(room), Meaning::Selected);
            pen.tint(Rect { y, height: 1, ..inner }, Meaning::Selected);
        }
        let chosen = |meaning| if i == palette.at { Meaning::Selected } else { meaning };
        pen.put(inner.x, y, room.min(16), &text::pad(row.name, 16), chosen(Meaning::Text));
        pen.put(inner.x + 17, y, room.saturating_sub(17).min(10), &app.keymap.shown(row.verb), chosen(Meaning::Key));
        pen.put(inner.x + 28, y, room.saturating_sub(28), row.text, chosen(Meaning::Dim));
    }
    if found.is_empty() {
        pen.put(inner.x, inner.y + 2, room, "no command has this in its name", Meaning::Dim);
    }
}
