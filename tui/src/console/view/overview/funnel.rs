use ratatui::layout::Rect;
use rldeck_core::shard::Funnel;

use crate::console::{
    app::App,
    format, text,
    theme::Meaning,
    widget::{
        bar,
        pen::{Pen, piece},
    },
};

/// What dynamic sampling did with the groups of the last rollout.
pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let Some(funnel) = app.deck().funnels.back() else {
        let inner = pen.panel(area, "sampling funnel", Vec::new());
        if inner.height > 0 {
            let y = inner.y + inner.height / 2;
            pen.put(inner.x + 2, y, inner.width.saturating_sub(2).into(), "no rollout yet", Meaning::Dim);
        }
        return;
    };
    let right = vec![
        piece("groups of", Meaning::Dim).rank(1),
        piece("rollout", Meaning::Dim),
        piece(funnel.rollout.to_string(), Meaning::Number),
    ];
    let inner = pen.panel(area, "sampling funnel", right);
    let mut rows = vec![("sampled".to_owned(), funnel.sampled, Meaning::Bar)];
    let mut dropped: Vec<_> = funnel.dropped.iter().collect();
    dropped.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let room = usize::from(inner.height.saturating_sub(2));
    if dropped.len() > room.max(1) {
        let rest: u64 = dropped.iter().skip(room.saturating_sub(1)).map(|(_, n)| **n).sum();
        dropped.truncate(room.saturating_sub(1));
        rows.extend(dropped.iter().map(|(why, n)| (reason(why), **n, Meaning::BarDropped)));
        rows.push(("other".to_owned(), rest, Meaning::BarDropped));
    } else {
        rows.extend(dropped.iter().map(|(why, n)| (reason(why), **n, Meaning::BarDropped)));
    }
    rows.push(("kept".to_owned(), funnel.kept, Meaning::BarKept));
    for ((label, n, meaning), y) in rows.iter().zip(inner.y..inner.bottom()) {
        row(label, *n, funnel.sampled, *meaning, Rect { y, height: 1, ..inner }, pen);
    }
    let used = rows.len() as u16;
    if inner.height >= used + 2 {
        let y = inner.y + used + 1;
        history(app, Rect { y, height: 1, ..inner }, pen);
    }
}

fn row(label: &str, n: u64, of: u64, meaning: Meaning, area: Rect, pen: &mut Pen<'_>) {
    let x = area.x + 1;
    let room = |x: u16| usize::from(area.right().saturating_sub(x));
    pen.put(x, area.y, room(x).min(11), label, if meaning == Meaning::BarKept { Meaning::Text } else { Meaning::Dim });
    let figures = text::pad_left(&format::whole(n), 5);
    pen.put(x + 11, area.y, room(x + 11).min(5), &figures, Meaning::Number);
    let share = if of == 0 { 0.0 } else { n as f64 / of as f64 };
    let width = area.width.saturating_sub(25);
    if width >= 4 {
        bar::solid(pen, Rect { x: x + 17, width, ..area }, share, meaning);
        pen.put_left_of(area.right() - 1, area.y, &format!("{:.0}%", share * 100.0), Meaning::Dim);
    }
}

/// How much was kept of each of the last rollouts.
fn history(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let funnels = &app.deck().funnels;
    let width = usize::from(area.width.saturating_sub(25));
    if width < 4 {
        return;
    }
    let kept = |funnel: &Funnel| if funnel.sampled == 0 { 0.0 } else { funnel.kept as f64 / funnel.sampled as f64 };
    let drawn: String = funnels.iter().skip(funnels.len().saturating_sub(width)).map(|f| bar::level(kept(f))).collect();
    pen.put(area.x + 1, area.y, 16, "kept, of late", Meaning::Dim);
    pen.put(area.x + 18, area.y, width, &drawn, Meaning::BarKept);
}

/// slime's reasons in words.
pub(super) fn reason(name: &str) -> String {
    match name {
        "zero_std_0.0" | "zero_std_0" => "all wrong".to_owned(),
        "zero_std_1.0" | "zero_std_1" => "all right".to_owned(),
        other => other.replace('_', " "),
    }
}
