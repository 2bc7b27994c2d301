use ratatui::layout::Rect;

use super::nodes;
use crate::console::{app::App, format, theme::Meaning, verb::Verb, widget::pen::Pen, wire::LinkState};

/// What is said when there is no run.
pub(super) fn draw(app: &App, area: Rect, pen: &mut Pen<'_>) {
    let age = |since: u64| format::age(app.now.saturating_sub(since));
    let key = app.keymap.shown(Verb::Launch);
    let lines: Vec<(String, Meaning)> = match &app.link {
        LinkState::Connecting { since, why } => {
            let mut lines = vec![(format!("connecting to {} for {}", app.node, age(*since)), Meaning::Busy)];
            if !why.is_empty() {
                lines.push((why.clone(), Meaning::Dim));
            }
            lines
        }
        _ => vec![
            ("no run".to_owned(), Meaning::Number),
            (String::new(), Meaning::Text),
            (format!("press {key} to launch the built-in job: DeepSeek-R1 in miniature"), Meaning::Text),
            ("or, in a shell:  rldeck up JOB.toml".to_owned(), Meaning::Dim),
        ],
    };
    let nodes = (nodes::rows(app.deck()) as u16 + 1).min(area.height / 3);
    let nodes = if app.deck().nodes.is_empty() { 0 } else { nodes };
    let upper = Rect { height: area.height - nodes, ..area };
    let widest = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0) as u16;
    let x = upper.x + upper.width.saturating_sub(widest) / 2;
    let y = upper.y + upper.height.saturating_sub(lines.len() as u16) / 2;
    for ((line, meaning), y) in lines.iter().zip(y..upper.bottom()) {
        pen.put(x, y, upper.right().saturating_sub(x).into(), line, *meaning);
    }
    if nodes > 1 {
        nodes::draw(app, Rect { y: upper.bottom(), height: nodes, ..area }, pen);
    }
}
