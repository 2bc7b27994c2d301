use std::collections::BTreeSet;

use ratatui::layout::Rect;
use rldeck_core::deck::{Deck, Frame, Gpu, Node, ShardStatus};

use super::{super::phase, fleet};
use crate::console::{
    app::App,
    format, text,
    theme::Meaning,
    widget::{
        bar,
        pen::{Pen, Piece, piece},
    },
};

/// Rows that all nodes with their shards would like to have.
pub(super) fn rows(deck: &Deck) -> usize {
    deck.nodes.values().map(|node| 1 + usize::from(has_gpus(node)) + shards(deck, node).len()).sum()
}

fn has_gpus(node: &Node) -> bool {
    node.frame.as_ref().is_some_and(|frame| !frame.gpus.is_empty())
}

/// Shards of the present attempt on a node that run or ended badly; of those started again only the last life.
fn shards<'a>(deck: &'a Deck, node: &Node) -> Vec<&'a ShardStatus> {
    let mut found: Vec<&ShardStatus> =
        deck.shards.values().filter(|s| s.node == node.name && s.id.attempt == deck.run.attempt).collect();
    found.retain(|shard| {
        let next = rldeck_core::shard::ShardId { life: shard.id.life + 1, ..shard.id.clone() };
        !deck.shards.contains_key(&next) && (shard.state.alive() || shard.state.unexpected())
    });
    found.sort_by_key(|shard| (shard.role, shard.rank));
    found
}

/// Machines, what they are busy with, and the processes on them.
pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let deck = app.deck();
    let down = deck.nodes.values().filter(|node| !node.connected).count();
    let notes: BTreeSet<&str> = deck
        .nodes
        .values()
        .filter_map(|node| Some(node.frame.as_ref()?.note.as_str()))
        .filter(|n| !n.is_empty())
        .collect();
    let mut right: Vec<Piece> = notes.iter().map(|note| piece(*note, Meaning::Dim).rank(2)).collect();
    right.push(piece(format!("{} up", deck.nodes.len() - down), Meaning::Dim).rank(1));
    if down > 0 {
        right.push(piece(format!("{down} not heard"), Meaning::Bad));
    }
    let height = area.height.saturating_sub(1);
    let all = rows(deck) <= height.into();
    let gpus = all || deck.nodes.len() * 2 <= height.into();
    let fleet = !all && !gpus;
    let hidden = if fleet { deck.nodes.len().saturating_sub(fleet::room(deck, Rect { height, ..area })) } else { 0 };
    if hidden > 0 {
        right.push(piece(format!("{hidden} not shown"), Meaning::Warn));
    }
    let inner = pen.panel(area, "nodes", right);
    if fleet {
        return fleet::draw(deck, inner, pen);
    }
    let below = !all && gpus && !deck.nodes.values().any(has_gpus);
    let mut y = inner.y;
    for node in fleet::sorted(deck) {
        if y >= inner.bottom() {
            break;
        }
        let own = shards(deck, node);
        let place = Rect { y, height: 1, ..inner };
        line(app, node, if all || below { &[] } else { &own }, place, pen);
        y += 1;
        let frame = node.frame.as_ref();
        if let Some(frame) = frame.filter(|frame| gpus && !frame.gpus.is_empty() && y < inner.bottom()) {
            gpu_line(&frame.gpus, Rect { y, ..place }, pen);
            y += 1;
        }
        if below && y < inner.bottom() {
            names(app, &own, Rect { x: place.x + 5, y, width: place.width.saturating_sub(5), height: 1 }, pen);
            y += 1;
        }
        for shard in own.iter().filter(|_| all) {
            if y < inner.bottom() {
                shard_line(deck, shard, frame, Rect { y, ..place }, pen);
                y += 1;
            }
        }
    }
}

fn line(app: &App, node: &Node, shards: &[&ShardStatus], area: Rect, pen: &mut Pen<'_>) {
    let room = |x: u16| usize::from(area.right().saturating_sub(x));
    let (glyph, meaning) = if node.connected { ("●", Meaning::Good) } else { ("✗", Meaning::Bad) };
    pen.put(area.x + 1, area.y, 1, glyph, meaning);
    let mut x = pen.put(area.x + 3, area.y, room(area.x + 3).min(10), &node.name, Meaning::Text) + 2;
    if !node.connected {
        let said = format!("not heard for {}", format::age(app.shown_at().saturating_sub(node.seen)));
        x = pen.put(x, area.y, room(x), &said, Meaning::Bad) + 2;
    } else if let Some(frame) = &node.frame {
        let host = &frame.host;
        let mean = host.cpus.iter().sum::<f32>() / host.cpus.len().max(1) as f32;
        x = pen.put(x, area.y, room(x), "cpu ", Meaning::Dim);
        let cells = host.cpus.len().min(if area.width >= 60 { 16 } else { 8 });
        for i in 0..cells {
            let from = i * host.cpus.len() / cells;
            let part = &host.cpus[from..((i + 1) * host.cpus.len() / cells).max(from + 1)];
            let share = f64::from(part.iter().sum::<f32>() / part.len() as f32 / 100.0);
            if room(x) > 0 {
                pen.glyph(x, area.y, bar::level(share), bar::load(share));
                x += 1;
            }
        }
        x = pen.put(x, area.y, room(x), &format!("{mean:>4.0}%"), Meaning::Number) + 2;
        x = pen.put(x, area.y, room(x), "mem ", Meaning::Dim);
        let share = host.memory_used as f64 / host.memory_total.max(1) as f64;
        let used = format::bytes(host.memory_used);
        x = pen.put(x, area.y, room(x), &used, if share > 0.92 { Meaning::Bad } else { Meaning::Number });
        if area.width >= 50 {
            x = pen.put(x, area.y, room(x), &format!(" of {}", format::bytes(host.memory_total)), Meaning::Dim);
        }
        x += 2;
    } else {
        x = pen.put(x, area.y, room(x), "not measured yet", Meaning::Dim) + 2;
    }
    names(app, shards, Rect { x, width: area.right().saturating_sub(x), ..area }, pen);
}

/// Names of shards; those that have ended stand out.
fn names(app: &App, shards: &[&ShardStatus], area: Rect, pen: &mut Pen<'_>) {
    let mut x = area.x;
    for shard in shards {
        let room = usize::from(area.right().saturating_sub(x));
        if room < 8 {
            break;
        }
        let meaning = if shard.state.alive() { phase::shard(app.deck(), &shard.id) } else { Meaning::Bad };
        x = pen.put(x, area.y, room, &shard.id.label(), meaning) + 2;
    }
}

/// All GPUs of a node in one line: one column each, and their sums.
fn gpu_line(gpus: &[Gpu], area: Rect, pen: &mut Pen<'_>) {
    let room = |x: u16| usize::from(area.right().saturating_sub(x));
    let mut x = area.x + 5;
    for gpu in gpus.iter().take(16) {
        let share = f64::from(gpu.utilisation.unwrap_or(0)) / 100.0;
        let (drawn, meaning) =
            if gpu.error.is_empty() { (bar::level(share), bar::load(share)) } else { ('✗', Meaning::Bad) };
        if room(x) > 0 {
            pen.glyph(x, area.y, drawn, meaning);
            x += 1;
        }
    }
    let said = fleet::sums(gpus.iter());
    x += 2;
    pen.put(x, area.y, room(x), &said, Meaning::Dim);
}

fn shard_line(deck: &Deck, shard: &ShardStatus, frame: Option<&Frame>, area: Rect, pen: &mut Pen<'_>) {
    let room = |x: u16| usize::from(area.right().saturating_sub(x));
    let x = area.x + 5;
    pen.put(x, area.y, room(x).min(12), &shard.id.label(), phase::shard(deck, &shard.id));
    let meaning = match shard.state.alive() {
        true if shard.state.word() == "running" => Meaning::Dim,
        true => Meaning::Busy,
        false if shard.state.unexpected() => Meaning::Bad,
        false => Meaning::Dim,
    };
    pen.put(x + 12, area.y, room(x + 12).min(9), shard.state.word(), meaning);
    let process = frame.and_then(|frame| frame.processes.iter().find(|p| p.shard.as_ref() == Some(&shard.id)));
    let Some(process) = process.filter(|_| shard.state.alive()) else { return };
    let figures = [
        ("cpu", format!("{}%", process.cpu.round()), 5),
        ("mem", format::bytes(process.memory), 8),
        ("pid", shard.pid.to_string(), 0),
    ];
    let mut x = x + 21;
    for (label, text, width) in figures {
        let text = text::pad_left(&text, width.max(text.len()));
        if room(x) < text.len() + 5 {
            return;
        }
        x = pen.put(x, area.y, room(x), label, Meaning::Dim) + 1;
        x = pen.put(x, area.y, room(x), &text, Meaning::Text) + 2;
    }
}
