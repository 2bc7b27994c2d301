//! What is asked before something is destroyed or changed: what will happen, to what, from where it goes on.

use ratatui::layout::Rect;
use rldeck_core::{argument::Applies, deck::RunStatus};

use crate::console::{
    app::{App, Sheet, Target},
    theme::Meaning,
    widget::pen::Pen,
};

type Lines = Vec<(String, Meaning)>;

fn content(app: &App, sheet: Sheet) -> (&'static str, &'static str, Lines) {
    match sheet {
        Sheet::Restart => ("restart", "restart the job", restart(app)),
        Sheet::Stop => ("stop", "stop the job", stop(app)),
        Sheet::Tune => ("apply", "change arguments", tune(app)),
    }
}

fn restart(app: &App) -> Lines {
    let run = &app.live.deck.run;
    let mut lines = dying(app);
    let attempt = run.attempt + 1;
    lines.push((String::new(), Meaning::Text));
    lines.extend(goes_on(run, &format!("attempt {attempt}")));
    let pending: Vec<_> = app.live.deck.settings.values().filter_map(|s| Some((s, s.pending.as_ref()?))).collect();
    if !pending.is_empty() {
        lines.push((String::new(), Meaning::Text));
        lines.push(("These changes come into force with it:".to_owned(), Meaning::Text));
        lines.extend(pending.iter().map(|(s, new)| (format!("  {} {} → {new}", s.name, s.value), Meaning::Busy)));
    }
    if !app.tune.edits.is_empty() {
        lines.push((String::new(), Meaning::Text));
        lines.push(("Changes in Tune are not sent yet and are left out; apply them first.".to_owned(), Meaning::Warn));
    }
    lines
}

/// From where the job goes on. The built-in trainer saves before it ends; others are ended as they are.
fn goes_on(run: &RunStatus, who: &str) -> Lines {
    let saves = run.engine == "embedded" && run.rollout.is_some();
    let again = run.rollout.zip(run.checkpoint).map_or(0, |(rollout, checkpoint)| rollout.saturating_sub(checkpoint));
    let again = match again {
        0 => "nothing is lost".to_owned(),
        1 => "1 rollout is trained again".to_owned(),
        n => format!("{n} rollouts are trained again"),
    };
    let from = match run.checkpoint {
        Some(checkpoint) => format!("after rollout {checkpoint}: {again}"),
        None => "from the start: there is no checkpoint yet".to_owned(),
    };
    if saves && !again.starts_with("nothing") {
        return vec![
            (format!("The trainer saves first, and {who} goes on from there."), Meaning::Text),
            (format!("If it cannot, {from}."), Meaning::Dim),
        ];
    }
    let meaning = if run.checkpoint.is_some() { Meaning::Text } else { Meaning::Warn };
    vec![(format!("Then {who} goes on {from}."), meaning)]
}

fn stop(app: &App) -> Lines {
    let run = &app.live.deck.run;
    let mut lines = dying(app);
    lines.push((String::new(), Meaning::Text));
    lines.extend(goes_on(run, "the next launch"));
    lines
}

/// Every process that ends.
fn dying(app: &App) -> Lines {
    let mut alive: Vec<_> = app.live.deck.shards.values().filter(|shard| shard.state.alive()).collect();
    alive.sort_by_key(|shard| (shard.role, shard.rank));
    if alive.is_empty() {
        return vec![("No process runs at the moment.".to_owned(), Meaning::Text)];
    }
    let mut lines = vec![(format!("{} processes end:", alive.len()), Meaning::Text)];
    if alive.len() == 1 {
        lines[0].0 = "1 process ends:".to_owned();
    }
    let most = usize::from(app.size.1).saturating_sub(14).max(3);
    lines.extend(alive.iter().take(most).map(|shard| {
        let pid = if shard.pid == 0 { String::new() } else { format!("pid {}", shard.pid) };
        (format!("  {:<12} {:<12} {:<11} {}", shard.id.label(), shard.node, pid, shard.state), Meaning::Bad)
    }));
    if alive.len() > most {
        lines.push((format!("  and {} more", alive.len() - most), Meaning::Bad));
    }
    lines
}

fn tune(app: &App) -> Lines {
    let mut lines = Vec::new();
    let rows = app.tune.rows(&app.live.deck);
    for (applies, heading) in [
        (Applies::Live, "From the next step:"),
        (Applies::NextRollout, "With the next rollout:"),
        (Applies::NextSave, "With the next checkpoint:"),
        (Applies::Restart, "With the next restart (r):"),
    ] {
        let of: Vec<_> = rows.iter().filter(|row| row.applies == applies).filter(|row| row.edit.is_some()).collect();
        if of.is_empty() {
            continue;
        }
        lines.push((heading.to_owned(), Meaning::Text));
        for row in of {
            let edit = row.edit.unwrap_or_default();
            lines.push((format!("  {} {} → {edit}", row.setting.name, row.setting.value), Meaning::Busy));
        }
    }
    lines
}

/// Where the sheet lies, and its two buttons.
fn places(area: Rect, lines: &Lines, title: &str, verb: &str) -> (Rect, Rect, Rect) {
    let longest = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
    let width = (longest.max(title.len() + 4).max(36) as u16 + 4).min(area.width);
    let height = (lines.len() as u16 + 5).min(area.height);
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 3;
    let sheet = Rect { x, y, width, height };
    let row = sheet.bottom().saturating_sub(2);
    let yes = Rect { x: x + 2, y: row, width: verb.len() as u16 + 8, height: 1 };
    let no = Rect { x: yes.right() + 2, y: row, width: 12, height: 1 };
    (sheet, yes, no)
}

pub(super) fn draw(app: &App, sheet: Sheet, area: Rect, pen: &mut Pen<'_>) {
    let (verb, title, lines) = content(app, sheet);
    let (place, yes, no) = places(area, &lines, title, verb);
    frame(pen, place, title);
    let inner = Rect {
        x: place.x + 2,
        y: place.y + 1,
        width: place.width.saturating_sub(4),
        height: place.height.saturating_sub(4),
    };
    for ((line, meaning), y) in lines.iter().zip(inner.y..inner.bottom()) {
        pen.put(inner.x, y, inner.width.into(), line, *meaning);
    }
    if place.height < 4 {
        return;
    }
    let room = |x: u16| usize::from(place.right().saturating_sub(x + 1));
    pen.put(yes.x, yes.y, 6.min(room(yes.x)), "Enter", Meaning::Key);
    pen.put(yes.x + 6, yes.y, room(yes.x + 6), verb, Meaning::Text);
    pen.put(no.x, no.y, room(no.x), "Esc", Meaning::Key);
    pen.put(no.x + 4, no.y, room(no.x + 4), "cancel", Meaning::Text);
}

/// An empty box with a title.
pub(super) fn frame(pen: &mut Pen<'_>, place: Rect, title: &str) {
    pen.clear(place, Meaning::Sheet);
    if place.width < 2 || place.height < 2 {
        return;
    }
    let line = "─".repeat(usize::from(place.width) - 2);
    pen.put(place.x, place.y, place.width.into(), &format!("╭{line}╮"), Meaning::SheetEdge);
    pen.put(place.x, place.bottom() - 1, place.width.into(), &format!("╰{line}╯"), Meaning::SheetEdge);
    for y in place.y + 1..place.bottom() - 1 {
        pen.put(place.x, y, 1, "│", Meaning::SheetEdge);
        pen.put(place.right() - 1, y, 1, "│", Meaning::SheetEdge);
    }
    pen.put(place.x + 2, place.y, usize::from(place.width) - 2, &format!(" {title} "), Meaning::Number);
}

pub(super) fn zones(app: &App, sheet: Sheet, area: Rect) -> Vec<(Rect, Target)> {
    let (verb, title, lines) = content(app, sheet);
    let (_, yes, no) = places(area, &lines, title, verb);
    vec![(yes, Target::Confirm), (no, Target::Close)]
}
