//! Whole screens against those in `snapshots/`; `RLDECK_BLESS=1 cargo test` writes them anew.

use std::path::PathBuf;

use rldeck_core::{
    deck::{Change, RunStatus},
    run::State,
};

use super::*;
use crate::console::wire::LinkState;

fn compare(name: &str, shown: &str) {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots")).join(format!("{name}.txt"));
    if std::env::var_os("RLDECK_BLESS").is_some() {
        std::fs::write(&path, shown).unwrap();
        return;
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        known == shown,
        "{} differs (RLDECK_BLESS=1 writes it anew):\n{known}\n--- is now ---\n{shown}",
        path.display()
    );
}

/// One letter for each style on screen, in the order in which they come, and what they are.
fn styles(app: &App) -> String {
    let buffer = buffer(app);
    let mut known = Vec::new();
    let mut out = String::new();
    for row in buffer.content.chunks(app.size.0.into()) {
        for cell in row {
            let style = (cell.fg, cell.bg, cell.modifier);
            let at = known.iter().position(|other| *other == style).unwrap_or_else(|| {
                known.push(style);
                known.len() - 1
            });
            out.push(char::from(if at < 26 { b'a' + at as u8 } else { b'A' + (at - 26) as u8 }));
        }
        out.push('\n');
    }
    for (at, (fg, bg, modifier)) in known.iter().enumerate() {
        let letter = char::from(if at < 26 { b'a' + at as u8 } else { b'A' + (at - 26) as u8 });
        out += &format!("{letter} {fg} on {bg} {modifier:?}\n");
    }
    out
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

#[test]
fn every_view_at_three_sizes() {
    for size in SIZES {
        for (name, key) in [("overview", "1"), ("logs", "5"), ("tune", "6"), ("events", "9")] {
            let mut app = console(demo::running(), size);
            press(&mut app, key);
            compare(&format!("{name}-{}x{}", size.0, size.1), &text(&app));
        }
    }
}

#[test]
fn colours_in_each_theme() {
    for (theme, presses) in [("night", ""), ("day", "T"), ("contrast", "T T"), ("mono", "T T T")] {
        let mut app = console(demo::running(), (80, 24));
        press(&mut app, presses);
        app.tick(demo::NOW + 10_000);
        compare(&format!("styles-{theme}"), &styles(&app));
    }
}

#[test]
fn no_run_at_all() {
    for size in SIZES {
        compare(&format!("idle-{}x{}", size.0, size.1), &text(&console(demo::nodes(), size)));
    }
}

#[test]
fn sixteen_nodes_of_eight_gpus() {
    for size in SIZES {
        compare(&format!("cluster-{}x{}", size.0, size.1), &text(&console(demo::cluster(), size)));
    }
}

#[test]
fn the_cold_start() {
    for size in SIZES {
        compare(&format!("preparing-{}x{}", size.0, size.1), &text(&console(demo::preparing(), size)));
    }
}

#[test]
fn a_run_that_has_failed() {
    let mut app = console(demo::running(), (80, 24));
    let reason = "3 faults in 10 minutes without a new checkpoint".to_owned();
    let run = RunStatus { state: State::Failed, reason, ..app.live.deck.run.clone() };
    apply(&mut app, vec![Change::Run(run)]);
    compare("failed-80x24", &text(&app));
}

#[test]
fn small_terminals_show_what_fits() {
    for size in [(60, 16), (40, 12), (20, 6), (10, 3), (1, 1)] {
        let mut app = console(demo::running(), size);
        compare(&format!("small-{}x{}", size.0, size.1), &text(&app));
        press(&mut app, "r");
        text(&app);
    }
}

#[test]
fn sheets_help_and_palette() {
    let mut app = console(demo::running(), (80, 24));
    for (name, keys) in [
        ("sheet-restart", "r"),
        ("sheet-stop", "esc s"),
        ("help", "esc ?"),
        ("palette", "esc : r e"),
        ("tune-wrong", "esc 6 down down enter x"),
        ("tune-edited", "esc enter ctrl-u 2 4 enter"),
        ("sheet-tune", "a"),
        ("logs-filter", "esc 5 / l a t e"),
    ] {
        press(&mut app, keys);
        compare(&format!("{name}-80x24"), &text(&app));
    }
}

#[test]
fn a_lost_link_keeps_the_picture_dimmed_with_its_age() {
    let mut app = console(demo::running(), (120, 40));
    let before = text(&app);
    app.news(News::Link(LinkState::Lost { since: demo::NOW, why: "connection reset by peer".to_owned() }));
    app.tick(demo::NOW + 42_000);
    let after = text(&app);
    compare("lost-120x40", &after);
    let body = |text: &str| text.lines().skip(3).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&before), body(&after));
    let (buffer, stale) = (buffer(&app), app.theme().style(crate::console::theme::Meaning::Stale).fg);
    assert!(buffer.content[120 * 3..120 * 39].iter().all(|cell| Some(cell.fg) == stale));
}

#[test]
fn before_the_first_link() {
    let mut app = console(Vec::new(), (80, 24));
    app.news(News::Link(LinkState::Connecting { since: demo::NOW, why: "connection refused".to_owned() }));
    app.tick(demo::NOW + 3_000);
    compare("connecting-80x24", &text(&app));
}
