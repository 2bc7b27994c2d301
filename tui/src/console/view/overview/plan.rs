//! Which panels there are and where, by what fits: first what matters most.

use ratatui::layout::Rect;
use rldeck_core::run::State;

use super::{
    charts::{self, Spec},
    lane, nodes,
};
use crate::console::app::App;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Panel {
    Lane,
    Prepare,
    Chart(&'static Spec),
    Funnel,
    Nodes,
    Alerts,
    Samples,
    Log,
}

/// Blank columns between panels that stand side by side.
const GAP: u16 = 2;
/// A row of panels is at least so high.
const LOW: u16 = 5;

/// Divides an area. Panels do not overlap and lie inside of it.
pub(super) fn plan(app: &App, area: Rect) -> Vec<(Panel, Rect)> {
    let deck = app.deck();
    let mut panels = Vec::new();
    let mut rest = area;
    let lane = (lane::rows(app) as u16 + 1).min((area.height / 4).max(3));
    take(&mut rest, lane, Panel::Lane, &mut panels);
    let log = match area.height {
        0..12 => 0,
        12..18 => 3,
        18..30 => 4,
        30..44 => 7,
        _ => 12,
    };
    let alerts = match deck.alerts.len() as u16 {
        // Where there is little room, alerts are the first lines of the log.
        n if n == 0 || area.height < 30 => 0,
        n => (n + 1).min(6),
    };
    let log = if alerts == 0 && log > 0 { log + deck.alerts.len().min(1) as u16 } else { log };
    let mut foot =
        Rect { y: rest.bottom() - (log + alerts).min(rest.height), height: (log + alerts).min(rest.height), ..rest };
    rest.height -= foot.height;
    if deck.run.state == State::Preparing && charts::prepares(deck).is_some() {
        panels.push((Panel::Prepare, rest));
        rest.height = 0;
    }
    let columns = match area.width {
        0..60 => 1,
        60..112 => 2,
        112..172 => 3,
        _ => 4,
    };
    let wide = columns >= 3 && rest.height > 26;
    if wide {
        let height = (nodes::rows(deck) as u16 + 1).clamp(6, 12);
        let row = Rect { y: rest.bottom() - height, height, ..rest };
        rest.height -= height;
        let (left, right) = row_of(row, 2).map_or((row, row), |cells| (cells[0], cells[1]));
        panels.push((Panel::Nodes, left));
        panels.push((Panel::Samples, right));
    }
    grid(cells(app, columns, wide), rest, columns, &mut panels);
    take(&mut foot, alerts, Panel::Alerts, &mut panels);
    take(&mut foot, log, Panel::Log, &mut panels);
    panels.retain(|(_, place)| !place.is_empty());
    panels
}

fn take(rest: &mut Rect, height: u16, panel: Panel, panels: &mut Vec<(Panel, Rect)>) {
    let height = height.min(rest.height);
    panels.push((panel, Rect { height, ..*rest }));
    rest.y += height;
    rest.height -= height;
}

/// What stands in the grid, the most important first.
fn cells(app: &App, columns: usize, wide: bool) -> Vec<Panel> {
    let mut cells: Vec<Panel> = charts::shown(app.deck()).map(Panel::Chart).collect();
    match columns {
        1 => cells.insert(1.min(cells.len()), Panel::Funnel),
        2 => {
            cells.insert(2.min(cells.len()), Panel::Funnel);
            cells.insert(3.min(cells.len()), Panel::Nodes);
        }
        3 => {
            cells.insert(2.min(cells.len()), Panel::Funnel);
            if !wide {
                cells.insert(8.min(cells.len()), Panel::Nodes);
            }
        }
        _ => {
            cells.insert(3.min(cells.len()), Panel::Funnel);
            if !wide {
                cells.insert(4.min(cells.len()), Panel::Nodes);
            }
        }
    }
    cells
}

/// Fills rows of `columns` cells as long as there is height for them.
fn grid(cells: Vec<Panel>, area: Rect, columns: usize, panels: &mut Vec<(Panel, Rect)>) {
    let mut cells = cells;
    if cells.len() > columns {
        cells.truncate(cells.len() / columns * columns);
    }
    let wanted = cells.len().div_ceil(columns) as u16;
    let rows = if area.height < LOW { 1 } else { (area.height / LOW).clamp(1, wanted) };
    let mut y = area.y;
    for (i, row) in cells.chunks(columns).take(rows.into()).enumerate() {
        let left = rows - i as u16;
        let height = (area.bottom() - y).div_ceil(left);
        let place = Rect { y, height, ..area };
        if let Some(places) = row_of(place, columns) {
            let last = places.len() - 1;
            for (j, panel) in row.iter().enumerate() {
                // The last panel of a row that is not full takes what is left of it.
                let until = if j + 1 == row.len() { places[last].right() } else { places[j].right() };
                panels.push((*panel, Rect { width: until - places[j].x, ..places[j] }));
            }
        }
        y += height;
    }
}

/// Cells of equal width side by side; `None` when they would be nothing.
fn row_of(area: Rect, columns: usize) -> Option<Vec<Rect>> {
    let n = columns as u16;
    let gaps = GAP * (n - 1);
    let width = area.width.checked_sub(gaps)? / n;
    if width == 0 {
        return None;
    }
    let spare = area.width - gaps - width * n;
    let mut x = area.x;
    let mut cells = Vec::with_capacity(columns);
    for i in 0..n {
        let width = width + u16::from(i < spare);
        cells.push(Rect { x, width, ..area });
        x += width + GAP;
    }
    Some(cells)
}
