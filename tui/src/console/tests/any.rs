//! Any size, any keys, any text: no panic, and nothing of it harms the terminal.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use rldeck_core::{
    deck::{Alert, Change, LogLine, Node, Points, Setting, ShardStatus, Span},
    run::{Outcome, ShardState},
    shard::{Funnel, Role, Sample, Severity},
};

use super::*;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % sides.max(1)
    }

    fn text(&mut self) -> String {
        (0..self.roll(30))
            .filter_map(|_| {
                let code = match self.roll(5) {
                    0 => self.roll(0x20),
                    1 => 0x80 + self.roll(0x20),
                    2 => 0x2000 + self.roll(0x70),
                    3 => 0x20 + self.roll(0x60),
                    _ => self.roll(0x110000),
                };
                char::from_u32(code as u32)
            })
            .collect()
    }

    fn event(&mut self) -> Event {
        const KEYS: [KeyCode; 12] = [
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::Backspace,
            KeyCode::Tab,
        ];
        match self.roll(8) {
            0 => Event::Resize(self.roll(301) as u16, self.roll(301) as u16),
            1 => Event::Paste(self.text()),
            2 => {
                let kind = match self.roll(3) {
                    0 => MouseEventKind::ScrollUp,
                    1 => MouseEventKind::ScrollDown,
                    _ => MouseEventKind::Down(MouseButton::Left),
                };
                let (column, row) = (self.roll(301) as u16, self.roll(301) as u16);
                Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
            }
            3 | 4 => Event::Key(KeyEvent::new(KEYS[self.roll(12) as usize], KeyModifiers::NONE)),
            _ => {
                let letters: Vec<char> = "1569/:?rslTfewau[]nyq gGjk ".chars().collect();
                let code = KeyCode::Char(letters[self.roll(letters.len() as u64) as usize]);
                Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
            }
        }
    }

    fn change(&mut self) -> Change {
        let shard = demo::id(self.roll(3) as u32, &self.text(), self.roll(3) as u32);
        let text = self.text();
        match self.roll(10) {
            0 => Change::Shard(ShardStatus {
                id: shard,
                role: Role::Rollout,
                rank: 0,
                node: text,
                state: if self.roll(2) == 0 { ShardState::Running } else { ShardState::Lost },
                pid: self.roll(9) as u32,
                since: self.0,
            }),
            1 => Change::Points(Points {
                attempt: self.roll(4) as u32,
                rollout: self.roll(u64::MAX),
                step: None,
                at: self.0,
                values: [("rollout/sampled_reward".to_owned(), f64::from_bits(self.0))].into(),
            }),
            2 => Change::Span(Span { shard, name: text, rollout: self.roll(9), start: self.0, end: None }),
            3 => Change::Funnel(Funnel {
                rollout: self.0,
                sampled: self.roll(3),
                dropped: [(text, self.0)].into(),
                kept: self.0,
            }),
            4 => {
                Change::Sample(Sample { prompt: text, response: self.text(), label: self.text(), ..Sample::default() })
            }
            5 => Change::Raise(Alert { id: text, severity: Severity::Error, since: self.0, text: self.text() }),
            6 => Change::Node(Node { name: text, connected: self.roll(2) == 0, ..Node::default() }),
            7 => Change::Setting(Setting {
                name: text,
                value: self.text(),
                pending: Some(self.text()),
                refused: self.text(),
            }),
            8 => Change::Reset,
            _ => Change::Log(LogLine {
                shard,
                node: text,
                offset: 0,
                at: self.0,
                severity: Severity::Info,
                text: self.text(),
            }),
        }
    }
}

#[test]
fn any_size_and_any_keys() {
    for seed in 0..18 {
        let mut dice = Dice(seed);
        let deck = match seed % 3 {
            0 => demo::running(),
            1 => demo::preparing(),
            _ => demo::nodes(),
        };
        let mut app = console(deck, (80, 24));
        for turn in 0..50 {
            if let Some(Intent::Ask(action)) = app.handle(dice.event()) {
                let outcome = Outcome { accepted: turn % 2 == 0, text: dice.text(), tune: None };
                app.news(News::Answer { action, outcome });
            }
            buffer(&app);
        }
    }
}

#[test]
fn any_text_from_outside_stays_text() {
    for seed in 100..116 {
        let mut dice = Dice(seed);
        let mut app = console(demo::running(), (20 + dice.roll(100) as u16, 5 + dice.roll(40) as u16));
        for _ in 0..25 {
            let changes = (0..20).map(|_| dice.change()).collect();
            apply(&mut app, changes);
            app.handle(dice.event());
            for cell in buffer(&app).content {
                let letters = cell.symbol();
                let harmful = |c: char| {
                    c.is_control()
                        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                };
                assert!(!letters.chars().any(harmful), "{letters:?}");
                assert!(crate::console::text::width_of(letters) <= 2, "{letters:?}");
            }
        }
    }
}
