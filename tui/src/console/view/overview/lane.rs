//! The phase lane: what each shard does now and how far it is, the last minutes as stripes, and where the time of the last rollout went.

use ratatui::layout::Rect;
use rldeck_core::{
    deck::{Deck, Progress, ShardStatus, Span},
    shard::Millis,
};

use super::super::phase;
use crate::console::{
    app::App,
    format, text,
    theme::Meaning,
    widget::{
        bar,
        pen::{Pen, piece},
    },
};

/// More shards than this are summed up by what they do.
const MOST: usize = 6;
/// From this width on the last minutes are drawn.
const STRIPES: u16 = 100;

/// One line of the lane: a shard, or all shards of a role.
struct Lane<'a> {
    label: String,
    meaning: Meaning,
    shards: Vec<&'a ShardStatus>,
}

fn lanes<'a>(deck: &'a Deck, most: usize) -> Vec<Lane<'a>> {
    let mut alive: Vec<&ShardStatus> =
        deck.shards.values().filter(|shard| shard.state.alive() && shard.id.attempt == deck.run.attempt).collect();
    alive.sort_by_key(|shard| (shard.role, shard.rank, shard.id.life));
    if alive.len() <= most {
        let one =
            |shard| Lane { label: shard_label(shard), meaning: phase::shard(deck, &shard.id), shards: vec![shard] };
        return alive.into_iter().map(one).collect();
    }
    let mut lanes: Vec<Lane<'a>> = Vec::new();
    for shard in alive {
        match lanes.last_mut().filter(|lane| lane.shards[0].role == shard.role) {
            Some(lane) => lane.shards.push(shard),
            None => {
                lanes.push(Lane { label: String::new(), meaning: phase::shard(deck, &shard.id), shards: vec![shard] })
            }
        }
    }
    for lane in &mut lanes {
        let name = lane.shards[0].role.name();
        lane.label = if lane.shards.len() == 1 { name.to_owned() } else { format!("{name} ×{}", lane.shards.len()) };
    }
    lanes
}

fn shard_label(shard: &ShardStatus) -> String {
    shard.id.label()
}

/// Rows that the lane would like to have.
pub(super) fn rows(app: &App) -> usize {
    lanes(app.deck(), MOST).len().max(1) + usize::from(last(app.deck()).is_some())
}

pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let deck = app.deck();
    let now = app.shown_at();
    let last = last(deck);
    let below = usize::from(last.is_some() && area.height > 2);
    let room = usize::from(area.height.saturating_sub(1)).saturating_sub(below);
    let lanes = lanes(deck, room.min(MOST));
    let mut right = Vec::new();
    if let Some(took) = deck.lane.rollout_time() {
        right.push(piece("rollout", Meaning::Dim).rank(1));
        if let Some(begin) = begun(deck) {
            right.push(piece(format::duration(now.saturating_sub(begin)), Meaning::Text).rank(2));
        }
        right.push(piece(format!("median {}", format::duration(took)), Meaning::Dim).rank(1));
    }
    let inner = pen.panel(area, "phases", right);
    if lanes.is_empty() && inner.height > 0 {
        let said = match deck.run.state.alive() {
            true => "no process runs yet".to_owned(),
            false if deck.run.reason.is_empty() => format!("the run is {}", deck.run.state.name()),
            false => format!("{}: {}", deck.run.state.name(), deck.run.reason),
        };
        pen.put(inner.x + 1, inner.y, inner.width.saturating_sub(2).into(), &said, Meaning::Dim);
    }
    for (lane, y) in lanes.iter().take(room.max(1)).zip(inner.y..inner.bottom()) {
        line(deck, lane, now, Rect { y, height: 1, ..inner }, pen);
    }
    if let Some(spans) = last.filter(|_| below > 0 && inner.height > 0) {
        let y = (inner.y + lanes.len().clamp(1, room.max(1)) as u16).min(inner.bottom() - 1);
        bar_of(&spans, Rect { y, height: 1, ..inner }, pen);
    }
}

/// When the present rollout of the trainer began.
fn begun(deck: &Deck) -> Option<Millis> {
    let spans = || deck.lane.spans().filter(|span| span.shard.leads());
    let rollout = spans().next_back()?.rollout;
    spans().find(|span| span.rollout == rollout).map(|span| span.start)
}

fn line(deck: &Deck, lane: &Lane<'_>, now: Millis, area: Rect, pen: &mut Pen<'_>) {
    let stripes = if area.width >= STRIPES { area.width * 2 / 5 } else { 0 };
    let left = Rect { width: area.width.saturating_sub(stripes + u16::from(stripes > 0) * 2), ..area };
    let room = |x: u16| usize::from(left.right().saturating_sub(x));
    pen.put(left.x + 1, left.y, room(left.x + 1).min(11), &lane.label, lane.meaning);
    let spans: Vec<&Span> =
        lane.shards.iter().filter_map(|shard| deck.lane.now(&shard.id)).filter(|span| !span.name.is_empty()).collect();
    let x = left.x + 13;
    match spans.first() {
        None => {
            let state = lane.shards[0].state.to_string();
            let said = if state == "running" { "waits" } else { &state };
            pen.put(x, left.y, room(x), said, Meaning::Dim);
        }
        Some(span) => {
            pen.put(x, left.y, room(x).min(11), &span.name, phase::phase(&span.name));
            let took = format::duration(now.saturating_sub(span.start));
            if left.width >= 34 {
                pen.put_left_of(left.right().saturating_sub(1), left.y, &took, Meaning::Dim);
            }
            let busy: Vec<_> = lane.shards.iter().filter_map(|shard| deck.lane.progress_of(&shard.id)).collect();
            progress(&busy, &span.name, Rect { x: x + 12, width: left.right().saturating_sub(x + 21), ..left }, pen);
        }
    }
    if stripes > 0 {
        stripe(deck, lane.shards[0], now, Rect { x: area.right() - stripes - 1, width: stripes, ..area }, pen);
    }
}

/// How far shards are together, as a bar and in figures.
fn progress(of: &[&Progress], phase: &str, area: Rect, pen: &mut Pen<'_>) {
    let Some(first) = of.first() else { return };
    let done: u64 = of.iter().map(|progress| progress.done).sum();
    let total: u64 = of.iter().map(|progress| progress.total).sum();
    let said = match total {
        0 => format!("{} {}", format::whole(done), first.unit),
        _ => format!("{}/{} {}", format::whole(done), format::whole(total), first.unit),
    };
    let figures = 20.min(area.width);
    let bar = area.width.saturating_sub(figures + 1).min(48);
    if bar >= 6 && total > 0 {
        bar::thin(pen, Rect { width: bar, ..area }, done as f64 / total as f64, phase::phase(phase));
    }
    let x = area.x + if bar >= 6 { bar + 1 } else { 0 };
    pen.put(x, area.y, area.right().saturating_sub(x).into(), &said, Meaning::Dim);
}

/// The last few rollouts of a shard in time: one column a slice of time, coloured by what it did then.
fn stripe(deck: &Deck, shard: &ShardStatus, now: Millis, area: Rect, pen: &mut Pen<'_>) {
    let window = deck.lane.rollout_time().map_or(20_000, |took| (took * 4).clamp(4_000, 4 * 3_600_000));
    let slice = (window / Millis::from(area.width.max(1))).max(1);
    let from = now.saturating_sub(slice * Millis::from(area.width));
    let spans: Vec<&Span> = deck.lane.spans().rev().filter(|span| span.shard == shard.id).take(64).collect();
    for (i, x) in (area.left()..area.right()).enumerate() {
        let middle = from + slice * i as Millis + slice / 2;
        let found = spans.iter().find(|span| span.start <= middle && span.end.is_none_or(|end| end > middle));
        match found.filter(|span| !span.name.is_empty()) {
            Some(span) => pen.glyph(x, area.y, '▆', phase::phase(&span.name)),
            None => pen.glyph(x, area.y, '·', Meaning::Faint),
        }
    }
}

/// Phases of the trainer in its last whole rollout, with how long each took.
fn last(deck: &Deck) -> Option<(u64, Vec<(String, Millis)>)> {
    let lead = deck.lane.spans().rev().find(|span| span.shard.leads())?;
    let rollout = lead.rollout.checked_sub(1)?;
    let mut phases: Vec<(String, Millis)> = Vec::new();
    for span in deck.lane.of_rollout(&lead.shard, rollout) {
        let took = span.end?.saturating_sub(span.start);
        match phases.iter_mut().find(|(name, _)| *name == span.name) {
            Some((_, sum)) => *sum += took,
            None => phases.push((span.name.clone(), took)),
        }
    }
    (!phases.is_empty()).then_some((rollout, phases))
}

fn bar_of((rollout, phases): &(u64, Vec<(String, Millis)>), area: Rect, pen: &mut Pen<'_>) {
    let all: Millis = phases.iter().map(|(_, took)| took).sum();
    pen.put(area.x + 1, area.y, area.width.saturating_sub(1).into(), &format!("last, {rollout}"), Meaning::Dim);
    let end = pen.put_left_of(area.right().saturating_sub(1), area.y, &format::duration(all), Meaning::Dim);
    let field = Rect { x: area.x + 13, width: end.saturating_sub(area.x + 14), ..area };
    let (mut sum, mut x) = (0, field.x);
    for (name, took) in phases {
        sum += took;
        let until = field.x + (sum as f64 / all.max(1) as f64 * f64::from(field.width)).round() as u16;
        let width = until.saturating_sub(x);
        let full = format!("{name} {}", format::duration(*took));
        let label = [full, name.clone()].into_iter().find(|label| text::width_of(label) < usize::from(width));
        let meaning = phase::phase(name);
        let mut at = x;
        if let Some(label) = label {
            at = pen.put(x, area.y, width.into(), &label, meaning) + 1;
        }
        (at..until.saturating_sub(1)).for_each(|x| pen.glyph(x, area.y, '━', meaning));
        x = until;
    }
}
