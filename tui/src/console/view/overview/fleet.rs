//! Many nodes in little room: a name and a column for each GPU, side by side.

use ratatui::layout::Rect;
use rldeck_core::deck::{Deck, Frame, Gpu, Node};

use crate::console::{
    text,
    theme::Meaning,
    widget::{bar, pen::Pen},
};

/// Columns for GPUs; CPUs are summed up to as many.
const CELLS: usize = 8;

/// Nodes by the number at the end of their names: node2 before node10.
pub(super) fn sorted(deck: &Deck) -> Vec<&Node> {
    let mut nodes: Vec<&Node> = deck.nodes.values().collect();
    nodes.sort_by_key(|node| {
        let stem = node.name.trim_end_matches(|c: char| c.is_ascii_digit());
        (stem, node.name[stem.len()..].parse::<u64>().unwrap_or(0), &node.name)
    });
    nodes
}

/// So many nodes fit.
pub(super) fn room(deck: &Deck, area: Rect) -> usize {
    usize::from(area.width / column(deck)).max(1) * usize::from(area.height.saturating_sub(1))
}

/// Width of a node with the gap after it.
fn column(deck: &Deck) -> u16 {
    let longest = deck.nodes.keys().map(|name| text::width_of(name)).max().unwrap_or(0);
    (longest.min(12) + CELLS + 5) as u16
}

pub(super) fn draw(deck: &Deck, area: Rect, pen: &mut Pen<'_>) {
    let frames: Vec<&Frame> = deck.nodes.values().filter_map(|node| node.frame.as_ref()).collect();
    let gpus: Vec<&Gpu> = frames.iter().flat_map(|frame| &frame.gpus).collect();
    let said = if gpus.is_empty() { hosts(&frames) } else { sums(gpus.iter().copied()) };
    pen.put(area.x + 1, area.y, area.width.saturating_sub(1).into(), &said, Meaning::Dim);
    let wide = column(deck);
    let rows = usize::from(area.height.saturating_sub(1));
    if rows == 0 {
        return;
    }
    for (i, node) in sorted(deck).into_iter().enumerate().take(room(deck, area)) {
        let x = area.x + (i / rows) as u16 * wide;
        let place =
            Rect { x, y: area.y + 1 + (i % rows) as u16, width: wide.min(area.right().saturating_sub(x)), height: 1 };
        cell(node, place, pen);
    }
}

fn cell(node: &Node, area: Rect, pen: &mut Pen<'_>) {
    let names = usize::from(area.width).saturating_sub(CELLS + 5);
    let (glyph, meaning) = if node.connected { ("●", Meaning::Good) } else { ("✗", Meaning::Bad) };
    pen.put(area.x + 1, area.y, 1, glyph, meaning);
    let meaning = if node.connected { Meaning::Text } else { Meaning::Bad };
    pen.put(area.x + 3, area.y, names, &node.name, meaning);
    let from = area.x + 3 + names as u16 + 1;
    let Some(frame) = node.frame.as_ref().filter(|_| node.connected) else { return };
    let loads: Vec<Option<f64>> = if frame.gpus.is_empty() {
        let cpus = &frame.host.cpus;
        let cells = cpus.len().min(CELLS);
        let mean = |part: &[f32]| f64::from(part.iter().sum::<f32>() / part.len().max(1) as f32 / 100.0);
        (0..cells).map(|i| Some(mean(&cpus[i * cpus.len() / cells..(i + 1) * cpus.len() / cells]))).collect()
    } else {
        let load = |gpu: &Gpu| gpu.error.is_empty().then(|| f64::from(gpu.utilisation.unwrap_or(0)) / 100.0);
        frame.gpus.iter().take(CELLS).map(load).collect()
    };
    for (load, x) in loads.into_iter().zip(from..area.right()) {
        match load {
            Some(load) => pen.glyph(x, area.y, bar::level(load), bar::load(load)),
            None => pen.glyph(x, area.y, '✗', Meaning::Bad),
        }
    }
}

fn hosts(frames: &[&Frame]) -> String {
    let cpus: Vec<f32> = frames.iter().flat_map(|frame| frame.host.cpus.iter().copied()).collect();
    let used: u64 = frames.iter().map(|frame| frame.host.memory_used).sum();
    let total: u64 = frames.iter().map(|frame| frame.host.memory_total).sum();
    let busy = cpus.iter().sum::<f32>() / cpus.len().max(1) as f32;
    format!("cpu {busy:.0}%  mem {:.0}%", used as f64 / total.max(1) as f64 * 100.0)
}

/// Utilisation and memory on average, power in sum, the hottest.
pub(super) fn sums<'a>(gpus: impl Iterator<Item = &'a Gpu> + Clone) -> String {
    let n = gpus.clone().count().max(1) as f64;
    let busy = gpus.clone().filter_map(|gpu| gpu.utilisation).map(f64::from).sum::<f64>() / n;
    let used: u64 = gpus.clone().map(|gpu| gpu.memory_used).sum();
    let total: u64 = gpus.clone().map(|gpu| gpu.memory_total).sum();
    let power: f32 = gpus.clone().filter_map(|gpu| gpu.power).sum();
    let mut said = format!("gpu {busy:.0}%  mem {:.0}%", used as f64 / total.max(1) as f64 * 100.0);
    if power >= 10_000.0 {
        said += &format!("  {:.1} kW", power / 1000.0);
    } else if power > 0.0 {
        said += &format!("  {power:.0} W");
    }
    if let Some(hottest) = gpus.filter_map(|gpu| gpu.temperature).max() {
        said += &format!("  max {hottest}°C");
    }
    said
}
