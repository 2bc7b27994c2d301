//! Everything at a glance. [`plan`] divides the screen; each panel has a file of its own.

mod charts;
mod fleet;
mod funnel;
mod lane;
mod logtail;
mod nodes;
mod plan;
mod samples;
mod welcome;

use ratatui::layout::Rect;
use rldeck_core::run::State;

use self::plan::Panel;
use super::events;
use crate::console::{app::App, widget::pen::Pen};

pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    if area.is_empty() {
        return;
    }
    let deck = app.deck();
    if deck.run.state == State::Idle || (deck.run.id.is_empty() && deck.series.is_empty()) {
        return welcome::draw(app, area, pen);
    }
    for (panel, place) in plan::plan(app, area) {
        match panel {
            Panel::Lane => lane::draw(app, place, pen),
            Panel::Prepare => charts::prepare(app, place, pen),
            Panel::Chart(spec) => charts::draw(app, spec, place, pen),
            Panel::Funnel => funnel::draw(app, place, pen),
            Panel::Nodes => nodes::draw(app, place, pen),
            Panel::Alerts => events::alerts(app, place, 1, pen),
            Panel::Samples => samples::draw(app, place, pen),
            Panel::Log => logtail::draw(app, place, pen),
        }
    }
}
