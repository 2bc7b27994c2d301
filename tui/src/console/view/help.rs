use ratatui::layout::Rect;

use super::sheet;
use crate::console::{
    app::App,
    text,
    theme::Meaning,
    verb::{Layer, TABLE},
    widget::pen::Pen,
};

enum Line {
    Heading(String),
    Key(String, &'static str),
    Blank,
    Text(&'static str),
}

/// All keys, from the table.
fn lines(app: &App) -> Vec<Line> {
    let mut lines = Vec::new();
    for layer in Layer::ALL {
        let here = layer.view().is_none_or(|view| view == app.view);
        let note = layer.view().filter(|_| !here).map(|view| format!(" (in {})", view.name())).unwrap_or_default();
        lines.push(Line::Heading(format!("{}{note}", layer.name())));
        for row in TABLE.iter().filter(|row| row.layer == layer) {
            let keys: Vec<String> = app.keymap.keys(row.verb).iter().map(ToString::to_string).collect();
            lines.push(Line::Key(keys.join(" "), row.text));
        }
        lines.push(Line::Blank);
    }
    lines.push(Line::Heading("mouse".to_owned()));
    lines.push(Line::Text("click tabs, footer keys, rows of Tune; the wheel scrolls"));
    lines.push(Line::Text("hold Shift to select text as the terminal does"));
    lines
}

/// How many lines the help has.
pub(in crate::console) fn help_lines(app: &App) -> usize {
    lines(app).len()
}

pub(super) fn draw(app: &App, from: usize, area: Rect, pen: &mut Pen<'_>) {
    let lines = lines(app);
    let width = area.width.min(84);
    let height = area.height.saturating_sub(3).min(lines.len() as u16 + 2).max(area.height.min(3));
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height.saturating_sub(height + 1)).min(2),
        width,
        height,
    };
    sheet::frame(pen, place, "keys");
    let shown = usize::from(place.height.saturating_sub(2));
    let from = from.min(lines.len().saturating_sub(shown));
    let (left, room) = (place.x + 2, usize::from(place.width.saturating_sub(4)));
    for (line, y) in lines.iter().skip(from).zip(place.y + 1..place.bottom().saturating_sub(1)) {
        match line {
            Line::Heading(name) => {
                pen.put(left, y, room, name, Meaning::Brand);
            }
            Line::Key(keys, what) => {
                pen.put(left, y, room.min(14), &text::pad_left(keys, 14), Meaning::Key);
                pen.put(left + 16, y, room.saturating_sub(16), what, Meaning::Text);
            }
            Line::Text(what) => {
                pen.put(left + 16, y, room.saturating_sub(16), what, Meaning::Text);
            }
            Line::Blank => {}
        }
    }
    if from + shown < lines.len() && place.height > 2 {
        let more = format!(" {} more ↓ ", lines.len() - from - shown);
        pen.put_left_of(place.right().saturating_sub(2), place.bottom() - 1, &more, Meaning::Dim);
    }
}
