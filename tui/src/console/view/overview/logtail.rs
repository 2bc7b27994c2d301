use ratatui::layout::Rect;

use super::super::{logs, phase};
use crate::console::{app::App, text, theme::Meaning, widget::pen::Pen};

/// The last lines of all shards.
pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let inner = pen.panel(area, "log", Vec::new());
    let picture = app.picture();
    let all = picture.numbers();
    if all.is_empty() && inner.height > 0 {
        pen.put(inner.x + 2, inner.y, inner.width.saturating_sub(2).into(), "nothing was printed yet", Meaning::Dim);
    }
    let from = all.end.saturating_sub(inner.height.into()).max(all.start);
    let lead = if area.width < 40 { 2 } else { 22 };
    for (number, y) in (from..all.end).zip(inner.y..inner.bottom()) {
        let Some(line) = picture.line(number) else { continue };
        let place = Rect { y, height: 1, ..inner };
        logs::head(app, line, place, lead, pen);
        let room = usize::from(inner.width.saturating_sub(lead + 1));
        let (_, meaning) = phase::severity(line.severity);
        pen.put(inner.x + lead, y, room, &text::fit(&line.text, room), meaning);
    }
}
