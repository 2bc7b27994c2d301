use std::collections::BTreeMap;

use crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use rldeck_core::{
    deck::{Change, LogLine, RunStatus},
    run::{Action, Outcome, State},
    shard::Severity,
};

use super::*;
use crate::console::app::{Over, View};

fn mouse(app: &mut App, kind: MouseEventKind, column: u16, row: u16) -> Option<Intent> {
    app.handle(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

/// Clicks where a text stands.
fn click(app: &mut App, on: &str) -> Option<Intent> {
    let shown = text(app);
    let (row, line) = shown.lines().enumerate().find(|(_, line)| line.contains(on)).unwrap();
    let column = crate::console::text::width_of(&line[..line.find(on).unwrap()]);
    mouse(app, MouseEventKind::Down(MouseButton::Left), column as u16, row as u16)
}

fn line(text: &str) -> Change {
    Change::Log(LogLine {
        shard: demo::id(2, "trainer", 0),
        node: "node0".into(),
        offset: 0,
        at: demo::NOW,
        severity: Severity::Info,
        text: text.to_owned(),
    })
}

fn state(app: &mut App, state: State) {
    let run = RunStatus { state, ..app.live.deck.run.clone() };
    apply(app, vec![Change::Run(run)]);
}

#[test]
fn restart_asks_first_and_asks_once() {
    let mut app = console(demo::running(), (80, 24));
    assert_eq!(press(&mut app, "r"), None);
    assert!(text(&app).contains("pid 4122"));
    assert_eq!(press(&mut app, "x"), None);
    assert_eq!(press(&mut app, "enter"), Some(Intent::Ask(Action::Restart { from: None })));
    assert_eq!(press(&mut app, "enter"), None);
    assert_eq!(press(&mut app, "r esc enter"), None);
    assert_eq!(press(&mut app, "s y"), Some(Intent::Ask(Action::Stop)));
    press(&mut app, "r");
    assert_eq!(click(&mut app, "Enter restart"), Some(Intent::Ask(Action::Restart { from: None })));
}

#[test]
fn launch_is_for_a_run_that_does_not_run() {
    let mut app = console(demo::nodes(), (80, 24));
    let Some(Intent::Ask(Action::Launch { text, .. })) = press(&mut app, "l") else { panic!() };
    assert_eq!(text, "recipe = \"r1-mini\"\n");
    let mut app = console(demo::running(), (80, 24));
    assert_eq!(press(&mut app, "l"), None);
    assert!(super::text(&app).contains("r1-mini is running already"));
    state(&mut app, State::Stopped);
    let Some(Intent::Ask(Action::Launch { text, .. })) = press(&mut app, "l") else { panic!() };
    assert_eq!(text, "");
    assert_eq!(press(&mut app, "s"), None);
    assert!(super::text(&app).contains("nothing to stop"));
}

#[test]
fn a_refusal_stays_until_a_key_and_success_does_not() {
    let mut app = console(demo::running(), (80, 24));
    let outcome = Outcome { accepted: false, text: "run is stopping".to_owned(), tune: None };
    app.news(News::Answer { action: Action::Restart { from: None }, outcome });
    app.tick(demo::NOW + 3_600_000);
    assert!(text(&app).contains("✗ restart refused: run is stopping"));
    press(&mut app, "esc");
    assert!(!text(&app).contains("refused: run"));
    let outcome = Outcome { accepted: true, text: "attempt 3 will go on".to_owned(), tune: None };
    app.news(News::Answer { action: Action::Restart { from: None }, outcome });
    assert!(text(&app).contains("✓ restart: attempt 3"));
    app.tick(demo::NOW + 3_607_000);
    assert!(!text(&app).contains("✓ restart"));
}

#[test]
fn nothing_is_sent_without_a_link() {
    let mut app = console(demo::running(), (80, 24));
    app.news(News::Link(LinkState::Lost { since: demo::NOW, why: String::new() }));
    assert_eq!(press(&mut app, "r enter"), None);
    assert!(text(&app).contains("no link to node0: nothing was sent"));
}

#[test]
fn several_changes_go_as_one_and_stay_when_they_are_refused() {
    let mut app = console(demo::running(), (100, 30));
    press(&mut app, "6 end enter ctrl-u 0 . 3 enter up enter ctrl-u 0 . 1 enter");
    assert_eq!(app.tune.edits.len(), 2);
    assert!(text(&app).contains("2 changes not sent"));
    press(&mut app, "a");
    assert!(text(&app).contains("eps-clip-high 0.28 → 0.3"));
    let set: BTreeMap<String, String> =
        [("eps-clip".to_owned(), "0.1".to_owned()), ("eps-clip-high".to_owned(), "0.3".to_owned())].into();
    assert_eq!(press(&mut app, "enter"), Some(Intent::Ask(Action::Tune(set.clone()))));
    let answer = |accepted| Outcome { accepted, text: "so".to_owned(), tune: accepted.then_some(2) };
    app.news(News::Answer { action: Action::Tune(set.clone()), outcome: answer(false) });
    assert_eq!(app.tune.edits, set);
    app.news(News::Answer { action: Action::Tune(set), outcome: answer(true) });
    assert!(app.tune.edits.is_empty());
}

#[test]
fn a_wrong_value_is_not_kept() {
    let mut app = console(demo::running(), (100, 30));
    press(&mut app, "6 enter ctrl-u a b enter");
    assert!(app.tune.editor.is_some() && app.tune.edits.is_empty());
    assert!(text(&app).contains("it must be a whole number"));
    press(&mut app, "esc");
    assert!(app.tune.editor.is_none());
    press(&mut app, "enter ctrl-u 7 enter");
    assert_eq!(app.tune.edits.len(), 1);
    press(&mut app, "u");
    assert!(app.tune.edits.is_empty());
    press(&mut app, "enter enter");
    assert!(app.tune.edits.is_empty(), "the same value is no change");
}

#[test]
fn logs_follow_until_one_scrolls_up() {
    let mut app = console(demo::running(), (100, 30));
    press(&mut app, "5 up");
    assert!(!app.logs.follows());
    let still = text(&app);
    apply(&mut app, (0..40).map(|i| line(&format!("new {i}"))).collect());
    let held = text(&app);
    assert!(held.contains("41 below"), "{held}");
    assert_eq!(still.lines().nth(20), held.lines().nth(20));
    press(&mut app, "G");
    assert!(text(&app).contains("new 39") && app.logs.follows());
    press(&mut app, "f");
    assert!(!app.logs.follows());
    press(&mut app, "down");
    assert!(app.logs.follows());
    mouse(&mut app, MouseEventKind::ScrollUp, 4, 10);
    assert!(!app.logs.follows());
    press(&mut app, "home");
    assert!(text(&app).lines().nth(4).unwrap().contains("rollout 42: 128 samples"));
}

#[test]
fn held_logs_stay_when_the_full_state_comes_again() {
    let mut app = console(demo::running(), (100, 30));
    press(&mut app, "5 pgup pgup");
    let before = text(&app);
    apply(&mut app, demo::running());
    assert_eq!(text(&app), before);
    let deck = app.live.deck.dump();
    apply(&mut app, deck);
    assert_eq!(text(&app), before);
}

#[test]
fn held_logs_survive_the_ring() {
    let mut app = console(demo::running(), (100, 30));
    press(&mut app, "5 home");
    for i in 0..30 {
        apply(&mut app, (0..400).map(|j| line(&format!("flood {i} {j}"))).collect());
    }
    assert!(!app.logs.follows());
    assert!(text(&app).contains("flood 17 200"));
    assert_eq!(app.logs.count(), 5000);
}

#[test]
fn a_filter_counts_and_is_cleared() {
    let mut app = console(demo::running(), (100, 30));
    press(&mut app, "/ l o s s");
    assert_eq!(app.view, View::Logs);
    assert_eq!(app.logs.count(), 40);
    apply(&mut app, vec![line("a LOSS more"), line("nothing")]);
    assert_eq!(app.logs.count(), 41);
    press(&mut app, "backspace backspace backspace backspace L O");
    assert_eq!(app.logs.count(), 1);
    press(&mut app, "enter esc");
    assert_eq!(app.logs.count(), 125);
    press(&mut app, "] e");
    assert!(app.logs.shard.is_some() && app.logs.severe);
    press(&mut app, "esc");
    assert!(app.logs.shard.is_none() && !app.logs.severe);
    press(&mut app, "esc");
    assert_eq!(app.view, View::Overview);
}

#[test]
fn a_megabyte_in_one_line_is_one_line() {
    let mut app = console(demo::running(), (120, 40));
    press(&mut app, "5");
    apply(&mut app, (0..200).map(|_| line(&"x\u{1b}[2J".repeat(1 << 18))).collect());
    let start = std::time::Instant::now();
    for keys in ["up", "w", "up", "w", "down"] {
        press(&mut app, keys);
        assert!(!text(&app).contains('\u{1b}'));
    }
    assert!(start.elapsed().as_secs() < 2);
}

#[test]
fn a_paused_picture_stands_still_and_the_job_does_not() {
    let mut app = console(demo::running(), (100, 30));
    press(&mut app, "space");
    let before = text(&app);
    app.dirty = false;
    let run = RunStatus { rollout: Some(150), ..app.live.deck.run.clone() };
    apply(&mut app, vec![Change::Run(run), line("more")]);
    assert!(!app.dirty);
    assert_eq!(text(&app), before);
    assert!(before.contains("paused 0s"));
    press(&mut app, "space");
    assert!(text(&app).contains("rollout 150 of 200"));
}

#[test]
fn nothing_is_drawn_when_nothing_has_changed() {
    let mut app = console(demo::running(), (100, 30));
    app.dirty = false;
    app.news(News::Link(LinkState::Up { round_trip_ms: 2.6 }));
    assert!(!app.dirty);
    press(&mut app, "?");
    assert!(app.dirty);
}

#[test]
fn tabs_and_keys_of_the_footer_are_clicked() {
    let mut app = console(demo::running(), (100, 30));
    click(&mut app, "5 Logs");
    assert_eq!(app.view, View::Logs);
    click(&mut app, "? help");
    assert!(matches!(app.over, Some(Over::Help(_))));
    mouse(&mut app, MouseEventKind::Down(MouseButton::Left), 0, 0);
    assert!(app.over.is_none());
    click(&mut app, "6 Tune");
    click(&mut app, "eps-clip-high");
    assert_eq!(app.tune.at, 9);
    click(&mut app, "eps-clip-high");
    assert!(app.tune.editor.is_some());
    assert_eq!(click(&mut app, "1 Overview"), None);
    assert_eq!(app.view, View::Overview);
    assert_eq!(click(&mut app, "q quit"), Some(Intent::Quit));
}

#[test]
fn the_palette_finds_and_does() {
    let mut app = console(demo::running(), (80, 24));
    press(&mut app, ": s t o enter");
    assert!(matches!(app.over, Some(Over::Sheet(_))));
    press(&mut app, "esc : z z z enter");
    assert!(app.over.is_none());
    assert_eq!(press(&mut app, "q"), Some(Intent::Quit));
    assert_eq!(press(&mut app, "ctrl-c"), Some(Intent::Quit));
    assert_eq!(press(&mut app, "ctrl-z"), Some(Intent::Suspend));
}

#[test]
fn every_verb_is_in_the_help() {
    let mut app = console(demo::running(), (100, 300));
    press(&mut app, "?");
    let shown = text(&app);
    for row in &crate::console::verb::TABLE {
        assert!(shown.contains(row.text), "{}", row.name);
    }
}

#[test]
fn a_theme_that_is_not_there_is_said() {
    let options = Options { theme: Some("nihgt".to_owned()), ..Options::default() };
    let app = crate::console::open(&options, demo::NOW, |_| None);
    assert!(text(&app).contains("there is no theme `nihgt`; did you mean `night`?"));
}
