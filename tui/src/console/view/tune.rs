//! Arguments of the job: what is in force, what is asked for, what is about to be asked for, and when it applies.

use ratatui::layout::Rect;
use rldeck_core::argument::Applies;

use super::palette;
use crate::console::{
    app::{App, Target, TuneRow},
    text,
    theme::Meaning,
    widget::pen::{Pen, piece},
};

enum Line<'a> {
    Group(&'static str),
    Row(usize, TuneRow<'a>),
}

/// Headings and rows, from the first that is shown on.
fn lines(app: &App, height: usize) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut selected = 0;
    let mut group = "";
    for (i, row) in app.tune.rows(app.deck()).into_iter().enumerate() {
        if row.group() != group {
            group = row.group();
            lines.push(Line::Group(group));
        }
        if i == app.tune.at {
            selected = lines.len();
        }
        lines.push(Line::Row(i, row));
    }
    let from = if lines.len() <= height { 0 } else { selected.saturating_sub(height / 2).min(lines.len() - height) };
    lines.split_off(from)
}

/// Where the list lies, and below it what is said about the selected row.
fn places(area: Rect) -> (Rect, Rect) {
    let below = if area.height >= 10 { 4 } else { 0 };
    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1 + below), ..area };
    (list, Rect { y: list.bottom(), height: below.min(area.height), ..area })
}

pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let edits = app.tune.edits.len();
    let mut right = Vec::new();
    if edits > 0 {
        let many = if edits == 1 { "change" } else { "changes" };
        right.push(piece(format!("{edits} {many} not sent: {} applies", apply_key(app)), Meaning::Busy));
    }
    pen.panel(area, "arguments", right);
    let (list, below) = places(area);
    if app.deck().settings.is_empty() {
        if list.height > 0 {
            let said = "no run, so nothing to change: launch one first";
            pen.put(list.x + 2, list.y, list.width.saturating_sub(2).into(), said, Meaning::Dim);
        }
        return;
    }
    let columns = Columns::of(list.width);
    for (line, y) in lines(app, list.height.into()).into_iter().zip(list.y..list.bottom()) {
        let place = Rect { y, height: 1, ..list };
        match line {
            Line::Group(name) => {
                pen.put(place.x + 1, y, place.width.saturating_sub(1).into(), name, Meaning::Brand);
            }
            Line::Row(i, row) => draw_row(app, i == app.tune.at, &row, &columns, place, pen),
        }
    }
    about(app, below, pen);
}

fn apply_key(app: &App) -> String {
    app.keymap.shown(crate::console::verb::Verb::Apply)
}

/// Widths of name, value, change and when it applies; what is left is for the help.
struct Columns {
    name: u16,
    value: u16,
    change: u16,
    applies: u16,
}

impl Columns {
    fn of(width: u16) -> Columns {
        match width {
            0..50 => Columns { name: width / 2, value: width / 4, change: width / 4, applies: 0 },
            50..76 => Columns { name: 26, value: 10, change: 12, applies: 0 },
            76..110 => Columns { name: 30, value: 12, change: 14, applies: 14 },
            _ => Columns { name: 32, value: 14, change: 20, applies: 14 },
        }
    }
}

fn draw_row(app: &App, selected: bool, row: &TuneRow<'_>, columns: &Columns, area: Rect, pen: &mut Pen<'_>) {
    let setting = row.setting;
    if selected {
        pen.put(area.x, area.y, area.width.into(), &" ".repeat(area.width.into()), Meaning::Selected);
    }
    let own = |meaning| if selected { Meaning::Selected } else { meaning };
    let mut x = area.x + 1;
    let left = |x: u16| usize::from(area.right().saturating_sub(x));
    pen.put(x, area.y, left(x).min(2), if selected { "›" } else { "" }, own(Meaning::Key));
    x += 2;
    pen.put(x, area.y, left(x).min(usize::from(columns.name.saturating_sub(3))), &setting.name, own(Meaning::Text));
    x = area.x + columns.name;
    let value = if setting.value.is_empty() { "not given" } else { &setting.value };
    let meaning = if setting.value.is_empty() { Meaning::Dim } else { Meaning::Number };
    pen.put(x, area.y, left(x).min(usize::from(columns.value.saturating_sub(1))), value, own(meaning));
    x += columns.value;
    let change = Rect { x, width: columns.change.saturating_sub(1).min(area.right().saturating_sub(x)), ..area };
    match app.tune.editor.as_ref().filter(|editor| selected && editor.name == setting.name) {
        Some(editor) => palette::input(pen, change, &editor.line),
        None => {
            let (said, meaning) = match (row.edit, &setting.pending) {
                (Some(edit), _) => (format!("→ {edit}"), Meaning::Busy),
                (None, Some(pending)) => (format!("… {pending}"), Meaning::Warn),
                (None, None) if !setting.refused.is_empty() => ("refused".to_owned(), Meaning::Bad),
                (None, None) => (String::new(), Meaning::Text),
            };
            pen.put(change.x, change.y, change.width.into(), &said, own(meaning));
        }
    }
    x += columns.change;
    if columns.applies > 0 {
        let (badge, meaning) = badge(row.applies);
        pen.put(x, area.y, left(x).min(columns.applies.into()), badge, own(meaning));
        x += columns.applies;
    }
    if left(x) > 20 {
        let help = row.argument.map_or("", |argument| argument.help);
        pen.put(x, area.y, left(x) - 1, help, own(Meaning::Dim));
    }
}

fn badge(applies: Applies) -> (&'static str, Meaning) {
    let meaning = match applies {
        Applies::Live => Meaning::Good,
        Applies::NextRollout | Applies::NextSave => Meaning::CurveA,
        Applies::Restart => Meaning::Warn,
    };
    (applies.label(), meaning)
}

/// All that is known of the selected argument, or what is wrong with what is typed.
fn about(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let Some(row) = app.tune.selected(app).filter(|_| area.height > 1) else { return };
    let setting = row.setting;
    let inner = pen.panel(area, &setting.name, vec![piece(badge(row.applies).0, badge(row.applies).1)]);
    let room = usize::from(inner.width.saturating_sub(3));
    let help = row.argument.map_or("", |argument| argument.help);
    let allowed = row.argument.map(|argument| format!("; {}", argument.kind.allowed())).unwrap_or_default();
    pen.put(inner.x + 2, inner.y, room, &format!("{help}{allowed}"), Meaning::Text);
    let (said, meaning) = match (&app.tune.editor, row.edit, &setting.pending) {
        (Some(editor), _, _) if !editor.wrong.is_empty() => (editor.wrong.clone(), Meaning::Bad),
        (Some(_), _, _) => ("Enter keeps it for the next apply".to_owned(), Meaning::Dim),
        (None, Some(edit), _) => {
            (format!("{edit} is not sent yet: {} sends all changes", apply_key(app)), Meaning::Busy)
        }
        (None, None, Some(pending)) => {
            let when = row.applies.label();
            let when = if row.applies == Applies::Live { "the next step" } else { when };
            (format!("{pending} was asked for and comes into force with {}", the(when)), Meaning::Warn)
        }
        (None, None, None) if !setting.refused.is_empty() => (format!("refused: {}", setting.refused), Meaning::Bad),
        _ => {
            let default = row.argument.and_then(|argument| argument.default);
            (default.map(|default| format!("slime's default is {default}")).unwrap_or_default(), Meaning::Dim)
        }
    };
    for (line, y) in text::wrap(&said, room, 2).iter().zip(inner.y + 1..inner.bottom()) {
        pen.put(inner.x + 2, y, room, line, meaning);
    }
}

fn the(when: &str) -> String {
    if when.starts_with("the ") {
        when.to_owned()
    } else if when == "restart" {
        "the next restart (r)".to_owned()
    } else {
        format!("the {when}")
    }
}

/// Rows can be clicked.
pub(super) fn zones(app: &App, area: Rect) -> Vec<(Rect, Target)> {
    let (list, _) = places(area);
    lines(app, list.height.into())
        .into_iter()
        .zip(list.y..list.bottom())
        .filter_map(|(line, y)| match line {
            Line::Row(i, _) => Some((Rect { y, height: 1, ..list }, Target::Row(i))),
            Line::Group(_) => None,
        })
        .collect()
}
