//! Lengths that stand for shares.

use ratatui::layout::Rect;

use super::pen::Pen;
use crate::console::theme::Meaning;

const EIGHTHS: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A thin line, drawn up to `share` of its length.
pub(in crate::console) fn thin(pen: &mut Pen<'_>, area: Rect, share: f64, meaning: Meaning) {
    let width = f64::from(area.width);
    let halves = (share.clamp(0.0, 1.0) * width * 2.0).round() as usize;
    let mut drawn = "━".repeat(halves / 2);
    if halves % 2 == 1 {
        drawn.push('╸');
    }
    pen.put(area.x, area.y, area.width.into(), &"─".repeat(area.width.into()), Meaning::Faint);
    pen.put(area.x, area.y, area.width.into(), &drawn, meaning);
}

/// A block of `share` of the width, to an eighth of a column; something always shows of what is more than nothing.
pub(in crate::console) fn solid(pen: &mut Pen<'_>, area: Rect, share: f64, meaning: Meaning) {
    let eighths = (share.clamp(0.0, 1.0) * f64::from(area.width) * 8.0).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    let drawn = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
    pen.put(area.x, area.y, area.width.into(), &drawn, meaning);
}

/// One column whose height stands for `share`.
pub(in crate::console) fn level(share: f64) -> char {
    let at = if share.is_finite() { (share.clamp(0.0, 1.0) * 7.0).round() as usize } else { 0 };
    LEVELS[at]
}

/// How a load looks. Busy is well: no load is an alarm.
pub(in crate::console) fn load(share: f64) -> Meaning {
    match share {
        ..0.2 => Meaning::LoadLow,
        ..0.75 => Meaning::LoadMiddle,
        _ => Meaning::LoadHigh,
    }
}
