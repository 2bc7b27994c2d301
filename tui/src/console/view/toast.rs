use ratatui::layout::Rect;

use crate::console::{app::App, text, theme::Meaning, widget::pen::Pen};

/// The last message, over the footer; a long one takes more lines.
pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let Some(toast) = app.toast.as_ref().filter(|_| app.over.is_none() && area.height > 1) else { return };
    let mark = match toast.meaning {
        Meaning::Good => "✓",
        Meaning::Bad => "✗",
        Meaning::Busy => "…",
        _ => "!",
    };
    let most = usize::from(area.height / 2).max(1);
    let lines = text::wrap(&toast.text, area.width.saturating_sub(5).into(), most);
    let height = lines.len() as u16;
    let place = Rect { y: area.bottom() - height, height, ..area };
    pen.clear(place, Meaning::Sheet);
    pen.put(place.x + 1, place.y, 1, mark, toast.meaning);
    for (line, y) in lines.iter().zip(place.y..) {
        pen.put(place.x + 3, y, area.width.saturating_sub(4).into(), line, toast.meaning);
    }
}
