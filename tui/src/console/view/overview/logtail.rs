use ratatui::layout::Rect;

use super::super::{events, logs, phase};
use crate::console::{app::App, text, theme::Meaning, widget::pen::Pen};

/// From this height on alerts have a panel of their own.
const PLAIN: u16 = 6;

/// The last lines of all shards; before them the worst alerts, where they have no panel of their own.
pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let inner = pen.panel(area, "log", Vec::new());
    let picture = app.picture();
    let all = picture.numbers();
    if all.is_empty() && inner.height > 0 {
        pen.put(inner.x + 2, inner.y, inner.width.saturating_sub(2).into(), "nothing was printed yet", Meaning::Dim);
    }
    let mut inner = inner;
    for alert in events::worst(app.deck()).into_iter().take(inner.height.saturating_sub(1).min(2).into()) {
        if area.height >= PLAIN {
            break;
        }
        events::alert(app, alert, Rect { height: 1, ..inner }, pen);
        inner = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    }
    let from = all.end.saturating_sub(inner.height.into()).max(all.start);
    let lead = logs::lead(area.width);
    for (number, y) in (from..all.end).zip(inner.y..inner.bottom()) {
        let Some(line) = picture.line(number) else { continue };
        let place = Rect { y, height: 1, ..inner };
        logs::head(app, line, place, lead, pen);
        let room = usize::from(inner.width.saturating_sub(lead + 1));
        let (_, meaning) = phase::severity(line.severity);
        pen.put(inner.x + lead, y, room, &text::fit(&line.text, room), meaning);
    }
}
