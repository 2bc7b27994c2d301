use ratatui::layout::Rect;

use crate::console::{
    app::App,
    format, text,
    theme::Meaning,
    widget::pen::{Pen, piece},
};

/// The last thing that the model wrote, and what it got for it.
pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let Some(sample) = app.deck().samples.back() else {
        let inner = pen.panel(area, "last sample", Vec::new());
        if inner.height > 0 {
            pen.put(inner.x + 2, inner.y, inner.width.saturating_sub(2).into(), "nothing written yet", Meaning::Dim);
        }
        return;
    };
    let good = if sample.reward > 0.5 { Meaning::Good } else { Meaning::Warn };
    let fate = sample.dropped.as_deref().map_or("kept".to_owned(), super::funnel::reason);
    let cut = if sample.truncated { ", cut off" } else { "" };
    let right = vec![
        piece(format!("{} tokens{cut}", format::whole(sample.tokens)), Meaning::Dim).rank(2),
        piece(fate, Meaning::Dim).rank(1),
        piece(format!("reward {}", format::number(sample.reward)), good),
    ];
    let inner = pen.panel(area, "last sample", right);
    let room = usize::from(inner.width.saturating_sub(10));
    let mut y = inner.y;
    let parts = [("prompt", &sample.prompt, 2, Meaning::Text), ("label", &sample.label, 1, Meaning::Good)];
    for (label, said, most, meaning) in parts {
        for (i, line) in text::wrap(said, room, most).iter().enumerate() {
            if y < inner.bottom() {
                pen.put(inner.x + 1, y, 7, if i == 0 { label } else { "" }, Meaning::Dim);
                pen.put(inner.x + 9, y, room, line, meaning);
                y += 1;
            }
        }
    }
    let left = usize::from(inner.bottom().saturating_sub(y));
    for (i, line) in text::wrap(&sample.response, room, left).iter().enumerate() {
        pen.put(inner.x + 1, y, 7, if i == 0 { "wrote" } else { "" }, Meaning::Dim);
        pen.put(inner.x + 9, y, room, line, Meaning::Text);
        y += 1;
    }
}
