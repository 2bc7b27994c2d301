//! What a person can do in the console, as data: keys, footer, help and palette all come from this table.

use rldeck_core::run::State;

use super::{
    app::{App, View},
    wire::LinkState,
};

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table says what each does")]
pub(super) enum Verb {
    Restart,
    Stop,
    Launch,
    Overview,
    Logs,
    Tune,
    Events,
    NextView,
    PreviousView,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Back,
    Filter,
    Follow,
    NextShard,
    PreviousShard,
    Wrap,
    Severe,
    Edit,
    Undo,
    Apply,
    Pause,
    Theme,
    Palette,
    Help,
    Redraw,
    Suspend,
    Quit,
}

/// Where a verb's keys are heard, and its heading in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Layer {
    /// The job itself.
    Job,
    /// Views and the console.
    Console,
    /// Moving in what is shown.
    Move,
    /// The Logs view.
    Logs,
    /// The Tune view.
    Tune,
}

impl Layer {
    /// In the order of the help.
    pub(super) const ALL: [Layer; 5] = [Layer::Job, Layer::Move, Layer::Logs, Layer::Tune, Layer::Console];

    /// Its table in a keymap.
    pub(super) fn name(self) -> &'static str {
        match self {
            Layer::Job => "job",
            Layer::Console => "console",
            Layer::Move => "move",
            Layer::Logs => "logs",
            Layer::Tune => "tune",
        }
    }

    /// The only view in which it is heard; `None` for all.
    pub(super) fn view(self) -> Option<View> {
        match self {
            Layer::Logs => Some(View::Logs),
            Layer::Tune => Some(View::Tune),
            _ => None,
        }
    }
}

/// What is said about a verb.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) verb: Verb,
    /// In the keymap and in the palette.
    pub(super) name: &'static str,
    pub(super) layer: Layer,
    /// In the footer, there from the smallest number on; 0 for not there.
    pub(super) footer: u8,
    /// One line for the help.
    pub(super) text: &'static str,
}

const fn row(verb: Verb, layer: Layer, footer: u8, name: &'static str, text: &'static str) -> Row {
    Row { verb, name, layer, footer, text }
}

/// All of them, in the order of help and palette.
#[rustfmt::skip]
pub(super) const TABLE: [Row; 32] = [
    row(Verb::Restart,       Layer::Job,     1, "restart",        "stop the job and go on from its last checkpoint (asks first)"),
    row(Verb::Stop,          Layer::Job,     2, "stop",           "stop the job (asks first)"),
    row(Verb::Launch,        Layer::Job,     1, "launch",         "launch the built-in job, or go on with the run that stands still"),
    row(Verb::Overview,      Layer::Console, 0, "overview",       "everything at a glance"),
    row(Verb::Logs,          Layer::Console, 0, "logs",           "what the shards print"),
    row(Verb::Tune,          Layer::Console, 0, "tune",           "arguments of the job, to be changed while it runs"),
    row(Verb::Events,        Layer::Console, 0, "events",         "alerts, and the journal: who did what, and when"),
    row(Verb::NextView,      Layer::Console, 8, "next view",      "the next view"),
    row(Verb::PreviousView,  Layer::Console, 0, "previous view",  "the view before"),
    row(Verb::Up,            Layer::Move,    0, "up",             "one up"),
    row(Verb::Down,          Layer::Move,    0, "down",           "one down"),
    row(Verb::PageUp,        Layer::Move,    0, "page up",        "one page up"),
    row(Verb::PageDown,      Layer::Move,    0, "page down",      "one page down"),
    row(Verb::Top,           Layer::Move,    0, "top",            "to the beginning"),
    row(Verb::Bottom,        Layer::Move,    0, "bottom",         "to the end, and follow what comes"),
    row(Verb::Back,          Layer::Move,    0, "back",           "close, clear, or go back to the overview"),
    row(Verb::Filter,        Layer::Console, 3, "filter",         "in the logs, show only lines that contain a text"),
    row(Verb::Follow,        Layer::Logs,    4, "follow",         "follow what comes, or hold still"),
    row(Verb::NextShard,     Layer::Logs,    5, "shard",          "the next shard alone; after the last one, all"),
    row(Verb::PreviousShard, Layer::Logs,    0, "previous shard", "the shard before"),
    row(Verb::Severe,        Layer::Logs,    6, "errors only",    "warnings and errors only, or all lines"),
    row(Verb::Wrap,          Layer::Logs,    7, "wrap",           "wrap long lines, or cut them"),
    row(Verb::Edit,          Layer::Tune,    4, "edit",           "change the value; nothing is sent yet"),
    row(Verb::Undo,          Layer::Tune,    6, "undo",           "take back the change of this value"),
    row(Verb::Apply,         Layer::Tune,    5, "apply",          "send all changes to the job, as one (asks first)"),
    row(Verb::Pause,         Layer::Console, 9, "pause",          "hold the picture still; the job runs on"),
    row(Verb::Theme,         Layer::Console, 10, "theme",         "the next theme"),
    row(Verb::Palette,       Layer::Console, 11, "commands",      "find a command by name"),
    row(Verb::Help,          Layer::Console, 3, "help",           "all keys"),
    row(Verb::Redraw,        Layer::Console, 0, "redraw",         "draw the whole screen again"),
    row(Verb::Suspend,       Layer::Console, 0, "suspend",        "back to the shell; `fg` returns"),
    row(Verb::Quit,          Layer::Console, 3, "quit",           "leave the console; the job runs on"),
];

impl Verb {
    /// What is said about it.
    pub(super) fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.verb == self).unwrap_or(&TABLE[0])
    }

    /// The verb that shows a view.
    pub(super) fn show(view: View) -> Verb {
        match view {
            View::Overview => Verb::Overview,
            View::Logs => Verb::Logs,
            View::Tune => Verb::Tune,
            View::Events => Verb::Events,
        }
    }

    /// Whether it can be done now; an `Err` says why not.
    pub(super) fn available(self, app: &App) -> Result<(), String> {
        let run = &app.live.deck.run;
        let state = run.state;
        if let Some(view) = self.row().layer.view()
            && view != app.view
        {
            return Err(format!("only in {}", view.name()));
        }
        let acts = matches!(self, Verb::Restart | Verb::Stop | Verb::Launch);
        if acts && matches!(app.link, LinkState::Connecting { .. }) {
            return Err(format!("no link to {} yet", app.node));
        }
        match self {
            Verb::Restart if state == State::Idle => Err("there is no run to restart".to_owned()),
            Verb::Restart if state == State::Finished => Err("the run has come to its end".to_owned()),
            Verb::Stop if !state.alive() => Err(format!("nothing to stop: the run is {}", state.name())),
            Verb::Launch if state.alive() => Err(format!("{} is {} already", run.job, state.name())),
            Verb::Launch if state == State::Finished => {
                Err("the run has come to its end; start another with `rldeck up JOB.toml`".to_owned())
            }
            Verb::Filter if !matches!(app.view, View::Overview | View::Logs) => Err("only in Logs".to_owned()),
            Verb::Edit if app.live.deck.settings.is_empty() => Err("there is nothing to change".to_owned()),
            Verb::Apply if app.tune.edits.is_empty() => Err("nothing is changed yet: Enter edits a value".to_owned()),
            Verb::Undo if app.tune.selected(app).is_none_or(|row| row.edit.is_none()) => {
                Err("this value is not changed".to_owned())
            }
            _ => Ok(()),
        }
    }
}
