use ratatui::layout::Rect;
use rldeck_core::deck::LogLine;

use super::super::{events, logs, phase};
use crate::console::{
    app::App,
    theme::Meaning,
    verb::Verb,
    widget::pen::{Pen, piece},
};

/// From this height on alerts have a panel of their own.
const PLAIN: u16 = 6;
/// So many lines are looked through for those worth showing.
const LOOKED_AT: u64 = 500;

/// The last lines of all shards but those that the charts show already; before them the worst alerts, where they have no panel of their own.
pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let picture = app.picture();
    let all = picture.numbers();
    let note = format!("without metrics; {} shows all", app.keymap.shown(Verb::Logs));
    let mut inner = pen.panel(area, "log", vec![piece(note, Meaning::Dim)]);
    let alerts = if area.height < PLAIN { events::worst(app.deck()) } else { Vec::new() };
    for alert in alerts.into_iter().take(inner.height.saturating_sub(1).min(2).into()) {
        events::alert(app, alert, Rect { height: 1, ..inner }, pen);
        inner = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    }
    let first = all.end.saturating_sub(LOOKED_AT).max(all.start);
    let mut lines: Vec<&LogLine> = (first..all.end)
        .rev()
        .filter_map(|number| picture.line(number))
        .filter(|line| !is_metrics(&line.text))
        .take(inner.height.into())
        .collect();
    lines.reverse();
    if lines.is_empty() && inner.height > 0 {
        pen.put(inner.x + 1, inner.y, inner.width.saturating_sub(2).into(), "nothing was printed yet", Meaning::Dim);
    }
    let lead = logs::lead(area.width);
    let room = usize::from(inner.width.saturating_sub(lead + 1));
    for (line, y) in lines.into_iter().zip(inner.y..) {
        logs::head(app, line, Rect { y, height: 1, ..inner }, lead, pen);
        let (_, meaning) = phase::severity(line.severity);
        pen.put(inner.x + lead, y, room, gist(&line.text), meaning);
    }
}

/// A line as slime logs it, `[time] file:line - text`, without what stands beside it anyway.
fn gist(line: &str) -> &str {
    let said = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).and_then(|(time, rest)| {
        let (place, said) = rest.split_once(" - ")?;
        (time.len() < 30 && place.len() < 40 && !place.contains(' ')).then_some(said)
    });
    said.unwrap_or(line)
}

/// `step 163: {'train/loss': ...`: values that are drawn as curves.
fn is_metrics(line: &str) -> bool {
    let (name, rest) = gist(line).split_once(' ').unwrap_or_default();
    let number = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    matches!(name, "step" | "rollout" | "perf" | "eval") && number > 0 && rest[number..].starts_with(": {")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gist_of_a_line() {
        let line = "[2026-11-23 19:36:23] save.rs:24 - saved checkpoint of rollout 29";
        assert_eq!(gist(line), "saved checkpoint of rollout 29");
        for line in ["plain", "[x] y", "[a] b c - d", "[2026] ", "[", ""] {
            assert_eq!(gist(line), line);
        }
        assert!(is_metrics("[2026-11-23 19:36:23] mod.rs:134 - step 57: {'train/loss': 0.1}"));
        assert!(is_metrics("rollout 3: {'a': 1}"));
        assert!(!is_metrics("rollout 3: slow") && !is_metrics("step") && !is_metrics("") && !is_metrics("eval x: {"));
    }
}
