//! The model of the console. It is written here alone: news change the deck, events change what is looked at, and
//! what is to be done outside comes back as an [`Intent`]. Views only read it.

mod act;
mod events;
mod input;
mod line;
mod logs;
mod palette;
mod picture;
mod tune;

pub(super) use input::Target;
pub(super) use line::Line;
pub(super) use logs::Logs;
pub(super) use palette::Palette;
pub(super) use picture::Picture;
use rldeck_core::{
    deck::Deck,
    run::{Action, Outcome},
    shard::Millis,
};
pub(super) use tune::{Tune, TuneRow};

use self::events::Events;
use super::{
    keymap::Keymap,
    theme::{Meaning, Theme, Themes},
    wire::{LinkState, News},
};

/// An answer that tells of success stays on screen for so long.
const TOAST: Millis = 6_000;

/// What fills the screen between tabs and footer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum View {
    #[default]
    Overview,
    Logs,
    Tune,
    Events,
}

impl View {
    /// In the order of the tabs.
    pub(super) const ALL: [View; 4] = [View::Overview, View::Logs, View::Tune, View::Events];

    /// On its tab.
    pub(super) fn name(self) -> &'static str {
        match self {
            View::Overview => "Overview",
            View::Logs => "Logs",
            View::Tune => "Tune",
            View::Events => "Events",
        }
    }
}

/// What lies over a view and takes the keys.
#[derive(Clone, Debug)]
pub(super) enum Over {
    /// All keys, from this line on.
    Help(usize),
    Palette(Palette),
    Sheet(Sheet),
}

/// What is to be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sheet {
    Restart,
    Stop,
    Tune,
}

/// What is to be done outside of the console.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Intent {
    /// Ask the controller.
    Ask(Action),
    Redraw,
    Suspend,
    Quit,
}

/// A short message over the footer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Toast {
    pub(super) text: String,
    pub(super) meaning: Meaning,
    /// Gone then; `None`: at the next key.
    until: Option<Millis>,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct App {
    /// What is.
    pub(super) live: Picture,
    /// What is shown while paused, and since when.
    pub(super) held: Option<(Picture, Millis)>,
    pub(super) link: LinkState,
    pub(super) now: Millis,
    /// The controller's node.
    pub(super) node: String,
    /// Seconds to add to UTC for the clock.
    pub(super) utc_offset: i32,
    /// Columns and rows of the screen.
    pub(super) size: (u16, u16),
    pub(super) view: View,
    pub(super) over: Option<Over>,
    pub(super) toast: Option<Toast>,
    pub(super) logs: Logs,
    pub(super) tune: Tune,
    pub(super) events: Events,
    pub(super) themes: Themes,
    pub(super) keymap: Keymap,
    /// What is shown is not what is.
    pub(super) dirty: bool,
}

impl App {
    pub(super) fn new(node: String, utc_offset: i32, themes: Themes, keymap: Keymap, now: Millis) -> App {
        App {
            live: Picture::default(),
            held: None,
            link: LinkState::Connecting { since: now, why: String::new() },
            now,
            node,
            utc_offset,
            size: (80, 24),
            view: View::default(),
            over: None,
            toast: None,
            logs: Logs::default(),
            tune: Tune::default(),
            events: Events::default(),
            themes,
            keymap,
            dirty: true,
        }
    }

    /// What is shown: the deck as it is, or as it was when the picture was paused.
    pub(super) fn picture(&self) -> &Picture {
        self.held.as_ref().map_or(&self.live, |(picture, _)| picture)
    }

    /// The deck that is shown.
    pub(super) fn deck(&self) -> &Deck {
        &self.picture().deck
    }

    pub(super) fn theme(&self) -> &Theme {
        self.themes.current()
    }

    /// The time that what is shown is of.
    pub(super) fn shown_at(&self) -> Millis {
        match (&self.held, &self.link) {
            (Some((_, since)), _) => *since,
            (None, LinkState::Lost { since, .. }) => *since,
            _ => self.now,
        }
    }

    /// The link is up.
    pub(super) fn linked(&self) -> bool {
        matches!(self.link, LinkState::Up { .. })
    }

    /// Takes news in.
    pub(super) fn news(&mut self, news: News) {
        match news {
            News::Link(link) => {
                self.dirty |= link != self.link;
                self.link = link;
            }
            News::Delta(delta) => {
                let anchor = self.held.is_none().then(|| self.logs.anchor(&self.live)).flatten();
                delta.changes.into_iter().for_each(|change| self.live.apply(change));
                self.catch_up();
                if let Some(anchor) = anchor.filter(|_| self.held.is_none()) {
                    self.logs.hold(&self.live, &anchor);
                }
                self.dirty |= self.held.is_none();
            }
            News::Answer { action, outcome } => self.answered(&action, outcome),
        }
    }

    fn answered(&mut self, action: &Action, outcome: Outcome) {
        let name = action.name();
        let text = if outcome.text.is_empty() { name.to_owned() } else { format!("{name}: {}", outcome.text) };
        if outcome.accepted {
            self.tune.accepted(action);
            self.say(text, Meaning::Good, Some(TOAST));
        } else {
            self.say(text.replacen(':', " refused:", 1), Meaning::Bad, None);
        }
    }

    /// Shows a message; without `stays` until the next key.
    pub(super) fn say(&mut self, text: impl Into<String>, meaning: Meaning, stays: Option<Millis>) {
        self.toast = Some(Toast { text: text.into(), meaning, until: stays.map(|stays| self.now + stays) });
        self.dirty = true;
    }

    /// The clock has gone on.
    pub(super) fn tick(&mut self, now: Millis) {
        self.now = now;
        if self.toast.as_ref().is_some_and(|toast| toast.until.is_some_and(|until| until <= now)) {
            self.toast = None;
        }
        self.dirty = true;
    }

    /// Brings what is derived from the shown deck up to it.
    fn catch_up(&mut self) {
        let picture = self.held.as_ref().map_or(&self.live, |(picture, _)| picture);
        self.logs.catch_up(picture);
    }
}
