//! Header, tabs and footer: the same around every view.

use ratatui::layout::Rect;
use rldeck_core::{run::State, shard::Severity};

use crate::console::{
    app::{App, Over, Target, View},
    format, text,
    theme::Meaning,
    verb::{TABLE, Verb},
    widget::pen::{Pen, Piece, piece},
    wire::LinkState,
};

/// The state in a glyph, and its colour.
pub(super) fn state(state: State) -> (&'static str, Meaning) {
    match state {
        State::Idle => ("○", Meaning::Dim),
        State::Preparing | State::Starting | State::Stopping => ("◐", Meaning::Busy),
        State::Running => ("●", Meaning::Good),
        State::Stopped => ("○", Meaning::Warn),
        State::Failed => ("✗", Meaning::Bad),
        State::Finished => ("✓", Meaning::Good),
    }
}

/// Who, what, how far.
pub(super) fn header(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let deck = app.deck();
    let run = &deck.run;
    let never = matches!(app.link, LinkState::Connecting { .. });
    let (glyph, meaning) = if never { ("◌", Meaning::Busy) } else { state(run.state) };
    let name = if never { "connecting" } else { run.state.name() };
    if area.width < 12 {
        let x = pen.put(area.x, area.y, 1, glyph, meaning) + 1;
        pen.put(x, area.y, area.right().saturating_sub(x).into(), name, meaning);
        return;
    }
    let mut left = vec![piece("rldeck", Meaning::Brand).rank(9), piece(run.job.clone(), Meaning::Number).rank(4)];
    left.push(piece(format!("{glyph} {name}"), meaning));
    if let Some(rollout) = run.rollout {
        let of = if run.num_rollout > 0 { format!(" of {}", run.num_rollout) } else { String::new() };
        left.push(piece(format!("rollout {rollout}{of}"), Meaning::Text).rank(1));
    }
    if let Some(step) = run.step {
        left.push(piece(format!("step {step}"), Meaning::Text).rank(8));
    }
    if run.attempt > 0 {
        left.push(piece(format!("attempt {}", run.attempt), Meaning::Text).rank(5));
    }
    if let Some(eta) = deck.eta() {
        left.push(piece(format!("ETA {}", format::duration(eta)), Meaning::Text).rank(3));
    } else if !run.reason.is_empty() && run.state != State::Running {
        left.push(piece(run.reason.clone(), Meaning::Dim).rank(10));
    }
    let up = deck.nodes.values().filter(|node| node.connected).count();
    let gpus: usize = deck.nodes.values().filter_map(|node| node.frame.as_ref()).map(|frame| frame.gpus.len()).sum();
    let mut right = Vec::new();
    if !deck.nodes.is_empty() {
        let all = deck.nodes.len();
        let meaning = if up == all { Meaning::Text } else { Meaning::Bad };
        right.push(piece(format!("{up}/{all} nodes"), meaning).rank(6));
    }
    if gpus > 0 {
        right.push(piece(format!("{gpus} GPU"), Meaning::Text).rank(7));
    }
    let zone = if app.utc_offset == 0 && area.width >= 100 { " UTC" } else { "" };
    right.push(piece(format::clock(app.now, app.utc_offset) + zone, Meaning::Dim).rank(2));
    let width = usize::from(area.width.saturating_sub(if area.width > 20 { 2 } else { 0 }));
    let x = area.x + u16::from(area.width > 20);
    let wide = |pieces: &[Piece]| pieces.iter().map(|p| text::width_of(&p.text) + 2).sum::<usize>();
    for most in (0..=10).rev() {
        let keep = |pieces: &[Piece]| -> Vec<Piece> { pieces.iter().filter(|p| p.rank <= most).cloned().collect() };
        let (l, r) = (keep(&left), keep(&right));
        if wide(&l) + wide(&r) <= width + 2 || most == 0 {
            let row = Rect { x, width: width as u16, height: 1, ..area };
            pen.pieces_right(row, r, 2);
            pen.pieces(row, l, 2);
            return;
        }
    }
}

/// Where each tab lies, and what stands on it.
fn places(app: &App, area: Rect) -> Vec<(Rect, View, String)> {
    let named: Vec<String> =
        View::ALL.iter().map(|view| format!(" {} {} ", app.keymap.shown(Verb::show(*view)), view.name())).collect();
    let wide: usize = named.iter().map(|label| text::width_of(label)).sum();
    let mut x = area.x;
    View::ALL
        .into_iter()
        .zip(named)
        .map(|(view, named)| {
            let short = wide > usize::from(area.width) && view != app.view;
            let label = if short { format!(" {} ", app.keymap.shown(Verb::show(view))) } else { named };
            let width = (text::width_of(&label) as u16).min(area.right().saturating_sub(x));
            let place = Rect { x, y: area.y + 1, width, height: 1 };
            x += width;
            (place, view, label)
        })
        .collect()
}

/// The views, alerts and the link.
pub(super) fn tabs(app: &App, area: Rect, pen: &mut Pen<'_>) {
    if area.height < 5 {
        return;
    }
    let mut end = area.x;
    for (place, view, label) in places(app, area) {
        let meaning = if view == app.view { Meaning::TabCurrent } else { Meaning::Tab };
        pen.put(place.x, place.y, place.width.into(), &label, meaning);
        end = place.right();
    }
    let room = Rect { x: end + 2, y: area.y + 1, width: area.right().saturating_sub(end + 3), height: 1 };
    if room.x < area.right() {
        pen.pieces_right(room, status(app), 3);
    }
}

/// The right end of the tabs.
fn status(app: &App) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if let Some((_, since)) = &app.held {
        pieces.push(piece(format!("paused {}", format::age(app.now.saturating_sub(*since))), Meaning::Warn));
    }
    let deck = app.deck();
    let dropped: u64 = deck.dropped.values().sum();
    if dropped > 0 {
        pieces.push(piece(format!("{} dropped", format::whole(dropped)), Meaning::Warn).rank(3));
    }
    let alerts = deck.alerts.len();
    let worst = deck.alerts.values().map(|alert| alert.severity).max();
    if let Some(worst) = worst {
        let meaning = if worst == Severity::Error { Meaning::Bad } else { Meaning::Warn };
        pieces.push(piece(format!("{alerts} alert{}", if alerts == 1 { "" } else { "s" }), meaning).rank(1));
    }
    let age = |since: u64| format::age(app.now.saturating_sub(since));
    pieces.push(match &app.link {
        LinkState::Up { round_trip_ms } => {
            piece(format!("{} {:.0} ms", app.node, round_trip_ms.max(0.0)), Meaning::Dim).rank(2)
        }
        LinkState::Connecting { since, .. } => {
            piece(format!("connecting to {} {}", app.node, age(*since)), Meaning::Busy)
        }
        LinkState::Lost { since, .. } => piece(format!("{} lost {} ago", app.node, age(*since)), Meaning::Bad),
    });
    if let LinkState::Lost { why, .. } = &app.link {
        pieces.push(piece(why.clone(), Meaning::Bad).rank(4));
    }
    pieces
}

/// Keys for the moment, as they stand in the footer: key, what it does, verb.
fn hints(app: &App) -> Vec<(String, &'static str, Option<Verb>)> {
    let fixed = |pairs: &[(&str, &'static str)]| {
        pairs.iter().map(|(key, label)| ((*key).to_owned(), *label, None)).collect::<Vec<_>>()
    };
    match &app.over {
        Some(Over::Help(_)) => return fixed(&[("Esc", "close"), ("↑↓", "scroll")]),
        Some(Over::Palette(_)) => return fixed(&[("Enter", "do it"), ("↑↓", "choose"), ("Esc", "close")]),
        Some(Over::Sheet(_)) => return fixed(&[("Enter", "confirm"), ("Esc", "cancel")]),
        None => {}
    }
    if app.view == View::Logs && app.logs.typing {
        return fixed(&[("Enter", "keep"), ("Esc", "clear")]);
    }
    if app.tune.editor.is_some() {
        return fixed(&[("Enter", "keep"), ("Esc", "cancel"), ("Ctrl-U", "empty")]);
    }
    let mut rows: Vec<_> = TABLE.iter().filter(|row| row.footer > 0 && row.verb.available(app).is_ok()).collect();
    let last = |verb: Verb| matches!(verb, Verb::Help | Verb::Quit);
    rows.sort_by_key(|row| (last(row.verb), if last(row.verb) { 0 } else { row.footer }));
    rows.into_iter().map(|row| (app.keymap.shown(row.verb), row.name, Some(row.verb))).collect()
}

/// The hints that fit, with their places: those of small number stay.
fn shown(app: &App, area: Rect) -> Vec<(Rect, String, &'static str, Option<Verb>)> {
    let mut hints = hints(app);
    let wide = |hints: &[(String, &str, Option<Verb>)]| -> usize {
        hints.iter().map(|(key, label, _)| text::width_of(key) + text::width_of(label) + 3).sum()
    };
    while wide(&hints) > usize::from(area.width) && hints.len() > 1 {
        let rank = |verb: Option<Verb>| verb.map_or(0, |verb| verb.row().footer);
        let most = hints.iter().map(|(_, _, verb)| rank(*verb)).max();
        let at = hints.iter().rposition(|(_, _, verb)| Some(rank(*verb)) == most).unwrap_or(0);
        hints.remove(at);
    }
    let mut x = area.x + 1;
    hints
        .into_iter()
        .map(|(key, label, verb)| {
            let width = (text::width_of(&key) + text::width_of(label) + 1) as u16;
            let place = Rect { x, y: area.bottom() - 1, width, height: 1 };
            x += width + 2;
            (place, key, label, verb)
        })
        .collect()
}

/// What can be done now.
pub(super) fn footer(app: &App, area: Rect, pen: &mut Pen<'_>) {
    if area.height < 5 {
        return;
    }
    for (place, key, label, _) in shown(app, area) {
        let room = |x: u16| usize::from(area.right().saturating_sub(x));
        let x = pen.put(place.x, place.y, room(place.x), &key, Meaning::Key);
        pen.put(x + 1, place.y, room(x + 1), label, Meaning::KeyText);
    }
}

/// Tabs and footer keys can be clicked.
pub(super) fn zones(app: &App, area: Rect) -> Vec<(Rect, Target)> {
    if area.height < 5 {
        return Vec::new();
    }
    let tabs = places(app, area).into_iter().map(|(place, view, _)| (place, Target::Verb(Verb::show(view))));
    let keys = shown(app, area).into_iter().filter_map(|(place, _, _, verb)| Some((place, Target::Verb(verb?))));
    tabs.chain(keys).collect()
}
