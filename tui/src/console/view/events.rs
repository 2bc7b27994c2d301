use ratatui::layout::Rect;
use rldeck_core::{
    deck::{Alert, Deck},
    run::Entry,
};

use super::phase;
use crate::console::{
    app::App,
    format, text,
    theme::Meaning,
    widget::pen::{Pen, piece},
};

/// What stands against the run, and below it the journal: who did what, and when.
pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let deck = app.deck();
    let most = (area.height / 2).max(2);
    let room = usize::from(area.width.saturating_sub(3 + AGE));
    let rows: usize = worst(deck).iter().map(|alert| text::wrap(&alert.text, room, MOST_ROWS).len()).sum();
    let height = (rows.max(1) as u16 + 1).min(most).min(area.height);
    alerts(app, Rect { height, ..area }, MOST_ROWS, pen);
    let rest = Rect { y: area.y + height, height: area.height - height, ..area };
    journal(app, deck, rest, pen);
}

/// Rows that one alert takes at most.
const MOST_ROWS: usize = 3;
/// Columns for the age of an alert.
const AGE: u16 = 8;

/// The alerts that stand, the worst first, each in at most `most` rows.
pub(super) fn alerts(app: &App, area: Rect, most: usize, pen: &mut Pen<'_>) {
    let alerts = worst(app.deck());
    let below = area.bottom();
    let rule = area;
    let mut row = Rect { y: area.y + 1, height: 1, ..area };
    let mut shown = 0;
    for alert in &alerts {
        if row.y >= below {
            break;
        }
        row.y += self::alert(app, alert, Rect { height: (below - row.y).min(most as u16), ..row }, pen);
        shown += 1;
    }
    let hidden = alerts.len() - shown;
    let right = if hidden > 0 { vec![piece(format!("{hidden} more"), Meaning::Warn)] } else { Vec::new() };
    let inner = pen.panel(rule, "alerts", right);
    if alerts.is_empty() && inner.height > 0 {
        pen.put(inner.x + 2, inner.y, inner.width.saturating_sub(2).into(), "none", Meaning::Dim);
    }
}

/// All alerts, the worst first, and of those the latest.
pub(super) fn worst(deck: &Deck) -> Vec<&Alert> {
    let mut alerts: Vec<_> = deck.alerts.values().collect();
    alerts.sort_by_key(|alert| (std::cmp::Reverse(alert.severity), std::cmp::Reverse(alert.since)));
    alerts
}

/// One alert: how bad, since when, what, in as many rows as it needs and the area has. Returns how many those are.
pub(super) fn alert(app: &App, alert: &Alert, area: Rect, pen: &mut Pen<'_>) -> u16 {
    let (mark, meaning) = phase::severity(alert.severity);
    let (mark, meaning) = if mark == " " { ("·", Meaning::Dim) } else { (mark, meaning) };
    pen.put(area.x + 1, area.y, 1, mark, meaning);
    let mut x = area.x + 3;
    if area.width >= 60 {
        let age = format::age(app.shown_at().saturating_sub(alert.since));
        pen.put(x, area.y, AGE.into(), &age, Meaning::Dim);
        x += AGE;
    }
    let room = usize::from(area.right().saturating_sub(x + 1));
    let lines = text::wrap(&alert.text, room, area.height.into());
    for (line, y) in lines.iter().zip(area.y..area.bottom()) {
        pen.put(x, y, room, line, meaning);
    }
    lines.len().clamp(1, usize::from(area.height.max(1))) as u16
}

fn journal(app: &App, deck: &Deck, area: Rect, pen: &mut Pen<'_>) {
    let end = app.events.end(deck);
    let below = deck.journal.len() - end;
    let state = match (app.events.follows(), below) {
        (true, _) => piece("following", Meaning::Good),
        (false, below) => piece(format!("{} below", format::whole(below as u64)), Meaning::Warn),
    };
    let count = piece(format!("{} entries", format::whole(deck.journal.len() as u64)), Meaning::Dim).rank(1);
    let inner = pen.panel(area, "journal", vec![count, state]);
    let from = end.saturating_sub(inner.height.into());
    if deck.journal.is_empty() && inner.height > 0 {
        pen.put(inner.x + 2, inner.y, inner.width.saturating_sub(2).into(), "nothing happened yet", Meaning::Dim);
    }
    for (entry, y) in deck.journal.range(from..end).zip(inner.y..inner.bottom()) {
        line(app, entry, Rect { y, height: 1, ..inner }, pen);
    }
}

fn line(app: &App, entry: &Entry, area: Rect, pen: &mut Pen<'_>) {
    let (mark, meaning) = phase::severity(entry.severity());
    let (mut x, y) = (area.x + 1, area.y);
    if area.width >= 40 {
        pen.put(x, y, 8, &format::clock(entry.at, app.utc_offset), Meaning::Dim);
        x += 10;
    }
    if area.width >= 70 {
        pen.put(x, y, 14, &entry.who, Meaning::Dim);
        x += 16;
    }
    pen.put(x, y, 1, mark, meaning);
    pen.put(x + 2, y, usize::from(area.right().saturating_sub(x + 3)), &entry.text(), meaning);
}
