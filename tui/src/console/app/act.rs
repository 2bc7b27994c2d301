use std::collections::BTreeMap;

use rldeck_core::run::{Action, State};

use super::{App, Intent, Over, Palette, Sheet, View};
use crate::console::{theme::Meaning, verb::Verb, view};

/// The job that `l` launches where there is none.
const BUILT_IN: &str = "r1-mini";

impl App {
    /// Does what a key, the palette or the mouse asked for.
    pub(super) fn perform(&mut self, verb: Verb) -> Option<Intent> {
        if let Err(why) = verb.available(self) {
            self.say(why, Meaning::Warn, Some(4_000));
            return None;
        }
        match verb {
            Verb::Restart if self.live.deck.run.state.alive() => self.over = Some(Over::Sheet(Sheet::Restart)),
            Verb::Restart => return self.ask(Action::Restart { from: None }),
            Verb::Stop => self.over = Some(Over::Sheet(Sheet::Stop)),
            Verb::Launch => return self.ask(self.launch()),
            Verb::Apply => self.over = Some(Over::Sheet(Sheet::Tune)),
            Verb::Overview => self.show(View::Overview),
            Verb::Logs => self.show(View::Logs),
            Verb::Tune => self.show(View::Tune),
            Verb::Events => self.show(View::Events),
            Verb::NextView => self.turn(1),
            Verb::PreviousView => self.turn(View::ALL.len() - 1),
            Verb::Up => self.scroll(-1),
            Verb::Down => self.scroll(1),
            Verb::PageUp => self.scroll(-(self.page() as isize)),
            Verb::PageDown => self.scroll(self.page() as isize),
            Verb::Top => self.scroll(-(1 << 30)),
            Verb::Bottom => self.bottom(),
            Verb::Back => self.back(),
            Verb::Filter => {
                self.show(View::Logs);
                self.logs.typing = true;
            }
            Verb::Follow => self.logs.toggle_follow(),
            Verb::NextShard | Verb::PreviousShard => {
                let picture = self.held.as_ref().map_or(&self.live, |(picture, _)| picture);
                self.logs.next_shard(picture, verb == Verb::PreviousShard);
            }
            Verb::Severe => {
                self.logs.severe = !self.logs.severe;
                self.filter();
            }
            Verb::Wrap => self.logs.wrap = !self.logs.wrap,
            Verb::Edit => self.edit(),
            Verb::Undo => {
                let name = self.tune.selected(self).map(|row| row.setting.name.clone());
                name.and_then(|name| self.tune.edits.remove(&name));
            }
            Verb::Pause => self.pause(),
            Verb::Theme => {
                self.themes.next();
                let theme = self.theme();
                self.say(format!("theme {}: {}", theme.name, theme.about), Meaning::Good, Some(2_000));
            }
            Verb::Palette => self.over = Some(Over::Palette(Palette::default())),
            Verb::Help => self.over = Some(Over::Help(0)),
            Verb::Redraw => return Some(Intent::Redraw),
            Verb::Suspend => return Some(Intent::Suspend),
            Verb::Quit => return Some(Intent::Quit),
        }
        None
    }

    /// What was confirmed on a sheet.
    pub(super) fn confirm(&mut self, sheet: Sheet) -> Option<Intent> {
        self.over = None;
        self.ask(match sheet {
            Sheet::Restart => Action::Restart { from: None },
            Sheet::Stop => Action::Stop,
            Sheet::Tune => Action::Tune(self.tune.edits.clone()),
        })
    }

    fn ask(&mut self, action: Action) -> Option<Intent> {
        if !self.linked() {
            self.say(format!("no link to {}: nothing was sent", self.node), Meaning::Bad, None);
            return None;
        }
        self.say(format!("{}: asked, no answer yet", action.name()), Meaning::Busy, Some(30_000));
        Some(Intent::Ask(action))
    }

    fn launch(&self) -> Action {
        match self.live.deck.run.state {
            State::Idle => Action::Launch {
                text: format!("recipe = \"{BUILT_IN}\"\n"),
                file: BUILT_IN.to_owned(),
                vars: BTreeMap::new(),
                hosts: Vec::new(),
            },
            _ => Action::again(),
        }
    }

    fn show(&mut self, view: View) {
        self.view = view;
        self.tune.editor = None;
        self.logs.typing = false;
    }

    fn turn(&mut self, by: usize) {
        let at = View::ALL.iter().position(|view| *view == self.view).unwrap_or(0);
        self.show(View::ALL[(at + by) % View::ALL.len()]);
    }

    fn page(&self) -> usize {
        usize::from(view::body(self.size).height).saturating_sub(3).max(1)
    }

    pub(super) fn scroll(&mut self, by: isize) {
        let page = self.page();
        match self.view {
            View::Logs => self.logs.scroll(by, page),
            View::Tune => self.tune.scroll(by, &self.held.as_ref().map_or(&self.live, |(p, _)| p).deck),
            View::Events => self.events.scroll(&self.held.as_ref().map_or(&self.live, |(p, _)| p).deck, by, page),
            View::Overview => {}
        }
    }

    fn bottom(&mut self) {
        match self.view {
            View::Logs => self.logs.follow(),
            View::Events => self.events.follow(),
            _ => self.scroll(1 << 30),
        }
    }

    fn back(&mut self) {
        if self.view == View::Logs && !self.logs.filter.is_empty() {
            self.logs.filter.clear();
            self.filter();
        } else if self.view == View::Logs && (self.logs.severe || self.logs.shard.is_some()) {
            self.logs.severe = false;
            self.logs.shard = None;
            self.filter();
        } else {
            self.show(View::Overview);
        }
    }

    /// What passes in the logs is to be found again.
    pub(super) fn filter(&mut self) {
        let picture = self.held.as_ref().map_or(&self.live, |(picture, _)| picture);
        self.logs.again(picture);
    }

    fn pause(&mut self) {
        self.held = match self.held.take() {
            Some(_) => None,
            None => Some((self.live.clone(), self.now)),
        };
        self.filter();
    }
}
