//! What is on screen: pure functions from the model to a buffer. Nothing here remembers or decides anything.

mod events;
mod frame;
mod help;
mod logs;
mod overview;
mod palette;
mod phase;
mod sheet;
mod toast;
mod tune;

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    app::{App, Over, Target, View},
    theme::Meaning,
    widget::pen::Pen,
};
pub(super) use help::help_lines;

/// Draws everything.
pub(super) fn draw(app: &App, buf: &mut Buffer) {
    let area = buf.area;
    let mut pen = Pen { buf, theme: app.theme() };
    pen.clear(area, Meaning::Ground);
    if area.is_empty() {
        return;
    }
    let size = (area.width, area.height);
    let body = body(size);
    match app.view {
        View::Overview => overview::draw(app, body, &mut pen),
        View::Logs => logs::draw(app, body, &mut pen),
        View::Tune => tune::draw(app, body, &mut pen),
        View::Events => events::draw(app, body, &mut pen),
    }
    if matches!(app.link, super::wire::LinkState::Lost { .. }) {
        pen.tint(body, Meaning::Stale);
    }
    frame::header(app, area, &mut pen);
    frame::tabs(app, area, &mut pen);
    frame::footer(app, area, &mut pen);
    toast::draw(app, area, &mut pen);
    match &app.over {
        Some(Over::Help(line)) => help::draw(app, *line, area, &mut pen),
        Some(Over::Palette(palette)) => palette::draw(app, palette, area, &mut pen),
        Some(Over::Sheet(sheet)) => sheet::draw(app, *sheet, area, &mut pen),
        None => {}
    }
}

/// What is left between tabs and footer.
pub(super) fn body((width, height): (u16, u16)) -> Rect {
    match height {
        0..=1 => Rect::new(0, height, width, 0),
        2..=4 => Rect::new(0, 1, width, height - 1),
        5..=27 => Rect::new(0, 2, width, height - 3),
        _ => Rect::new(0, 3, width, height - 4),
    }
}

/// What can be clicked, the uppermost first.
pub(super) fn zones(app: &App) -> Vec<(Rect, Target)> {
    let area = Rect::new(0, 0, app.size.0, app.size.1);
    match &app.over {
        Some(Over::Sheet(sheet)) => sheet::zones(app, *sheet, area),
        Some(_) => vec![(area, Target::Close)],
        None => {
            let mut zones = frame::zones(app, area);
            if app.view == View::Tune {
                zones.extend(tune::zones(app, body(app.size)));
            }
            zones
        }
    }
}
