//! What the shards print, drawn from the bottom up: the work of a frame is that of a screenful, however long the lines.

use ratatui::layout::Rect;
use rldeck_core::deck::LogLine;

use super::{palette, phase};
use crate::console::{
    app::App,
    format, text,
    theme::Meaning,
    widget::pen::{Pen, piece},
};

/// A wrapped line takes at most so many rows.
const MOST_ROWS: usize = 12;

pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    if area.is_empty() {
        return;
    }
    let logs = &app.logs;
    let only = logs.shard.clone().unwrap_or_else(|| "all shards".to_owned());
    let mut right = Vec::new();
    if logs.severe {
        right.push(piece("warnings and errors", Meaning::Warn).rank(1));
    }
    let filtered = !logs.filter.is_empty() || logs.severe || logs.shard.is_some();
    let all = app.picture().numbers();
    let count = format::whole(logs.count() as u64);
    let of = if filtered { format!("{count} of {}", format::whole(all.end - all.start)) } else { count };
    right.push(piece(format!("{of} lines"), Meaning::Dim).rank(2));
    right.push(match (logs.follows(), logs.below()) {
        (true, _) => piece("following", Meaning::Good),
        (false, 0) => piece("held", Meaning::Warn),
        (false, below) => piece(format!("{} below", format::whole(below as u64)), Meaning::Warn),
    });
    let mut inner = pen.panel(area, &format!("logs: {only}"), right);
    if logs.typing || !logs.filter.is_empty() {
        let row = Rect { y: inner.bottom().saturating_sub(1), height: 1.min(inner.height), ..inner };
        inner.height = inner.height.saturating_sub(1);
        if row.height > 0 {
            pen.put(row.x + 1, row.y, 1, "/", Meaning::Key);
            let line = Rect { x: row.x + 3, width: row.width.saturating_sub(4).min(60), ..row };
            if logs.typing {
                palette::input(pen, line, &logs.filter);
            } else {
                pen.put(line.x, line.y, line.width.into(), &logs.filter.text(), Meaning::Found);
            }
        }
    }
    lines(app, inner, pen);
}

fn lines(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let picture = app.picture();
    if app.logs.count() == 0 && area.height > 0 {
        let said =
            if picture.numbers().is_empty() { "nothing was printed yet" } else { "no line passes; Esc shows all" };
        pen.put(area.x + 2, area.y + area.height / 2, area.width.saturating_sub(2).into(), said, Meaning::Dim);
        return;
    }
    let lead = lead(area.width);
    let room = usize::from(area.width.saturating_sub(lead + 1));
    let mut blocks: Vec<(&LogLine, Vec<String>)> = Vec::new();
    let mut used = 0;
    for line in app.logs.upwards().filter_map(|number| picture.line(number)) {
        let rows =
            if app.logs.wrap { text::wrap(&line.text, room, MOST_ROWS) } else { vec![text::fit(&line.text, room)] };
        used += rows.len();
        blocks.push((line, rows));
        if used >= area.height.into() {
            break;
        }
    }
    let mut skip = used.saturating_sub(area.height.into());
    let mut y = area.y;
    for (line, rows) in blocks.into_iter().rev() {
        for (i, row) in rows.iter().enumerate() {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if i == 0 {
                head(app, line, Rect { y, height: 1, ..area }, lead, pen);
            }
            body(app, line, row, Rect { x: area.x + lead, y, width: room as u16, height: 1 }, pen);
            y += 1;
        }
    }
}

/// Columns before the text.
pub(super) fn lead(width: u16) -> u16 {
    match width {
        0..40 => 2,
        40..60 => 14,
        _ => 24,
    }
}

/// Time, shard and severity of a line.
pub(super) fn head(app: &App, line: &LogLine, area: Rect, lead: u16, pen: &mut Pen<'_>) {
    let (mark, meaning) = phase::severity(line.severity);
    let (x, y) = (area.x + 1, area.y);
    if lead >= 24 {
        pen.put(x, y, 8, &format::clock(line.at, app.utc_offset), Meaning::Dim);
        pen.put(x + 9, y, 11, &line.shard.label(), phase::shard(app.deck(), &line.shard));
    } else if lead >= 14 {
        pen.put(x, y, 11, &line.shard.label(), phase::shard(app.deck(), &line.shard));
    }
    pen.put(area.x + lead - 2, y, 1, mark, meaning);
}

/// The text of a line, with what the filter found.
fn body(app: &App, line: &LogLine, row: &str, area: Rect, pen: &mut Pen<'_>) {
    let (_, meaning) = phase::severity(line.severity);
    let old = line.shard.attempt != app.deck().run.attempt;
    let meaning = if old && meaning == Meaning::Text { Meaning::Dim } else { meaning };
    pen.put(area.x, area.y, area.width.into(), row, meaning);
    let filter = app.logs.filter.text();
    if filter.is_empty() {
        return;
    }
    let exact = filter.chars().any(char::is_uppercase);
    let shown = if exact { row.to_owned() } else { row.to_lowercase() };
    if shown.len() != row.len() {
        return;
    }
    for (at, found) in shown.match_indices(&filter) {
        let Some(original) = row.get(at..at + found.len()) else { continue };
        let x = area.x + text::width_of(&row[..at]) as u16;
        pen.put(x, area.y, area.right().saturating_sub(x).into(), original, Meaning::Found);
    }
}
