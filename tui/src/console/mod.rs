//! The console: what a person sees of the job and does to it.
//!
//! One loop: keys first, then news of the controller, then the clock. The model ([`app`]) is written in one place;
//! views ([`view`]) are pure functions from it to the screen. What can be done is a table ([`verb`]), which key does
//! it is a file (`keymap.toml`), what a colour means is a theme ([`theme`]).

mod app;
#[cfg(test)]
mod demo;
mod format;
mod key;
mod keymap;
mod settings;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod verb;
mod view;
mod widget;
pub(crate) mod wire;

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crossterm::event::Event;
use rldeck_core::{run::Action, shard::Millis};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use self::{
    app::{App, Intent},
    keymap::Keymap,
    settings::Problem,
    terminal::Screen,
    theme::{Depth, Meaning, Themes},
    wire::{News, Wire},
};

/// At most one picture in this time, keys apart.
const FRAME: Duration = Duration::from_millis(16);
/// So many news are taken in before the next look at the keys.
const NEWS_AT_ONCE: usize = 256;

/// How a console is opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Theme; the first one when not given.
    pub(crate) theme: Option<String>,
    /// The controller's node, for messages; empty when it is not known.
    pub(crate) node: String,
    /// Seconds to add to UTC for times on screen.
    pub(crate) utc_offset: i32,
    /// A person's own files, `keys.toml` and `themes/*.toml`; `$XDG_CONFIG_HOME/rldeck` when not given.
    pub(crate) config: Option<PathBuf>,
}

/// Shows the console until the person leaves it or the process is told to end. The terminal is left as it was found.
pub(crate) async fn run(mut wire: Wire, options: Options) -> Result<(), String> {
    let mut options = options;
    options.config = options.config.or_else(standard_config);
    let mut app = open(&options, now(), |name| std::env::var(name).ok());
    let mut signals = Signals::new().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let mut screen = Screen::take().map_err(|error| format!("cannot use this terminal: {error}"))?;
    let mut input = listen();
    let mut clock = interval(Duration::from_secs(1));
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    app.size = screen.terminal.size().map(|size| (size.width, size.height)).unwrap_or_default();
    let mut next = Instant::now();
    let mut online = true;
    loop {
        if app.dirty && Instant::now() >= next {
            next = Instant::now() + FRAME;
            app.dirty = false;
            screen
                .terminal
                .draw(|frame| view::draw(&app, frame.buffer_mut()))
                .map_err(|error| format!("the terminal is gone: {error}"))?;
        }
        tokio::select! {
            biased;
            event = input.recv() => {
                let Some(event) = event else { return Ok(()) };
                app.now = now();
                let mut intent = app.handle(event);
                while intent.is_none() && let Ok(event) = input.try_recv() {
                    intent = app.handle(event);
                }
                match intent {
                    Some(Intent::Quit) => return Ok(()),
                    Some(Intent::Redraw) => screen.terminal.clear().map_err(|error| error.to_string())?,
                    Some(Intent::Suspend) => screen.suspend().map_err(|error| error.to_string())?,
                    Some(Intent::Ask(action)) => send(&mut app, &wire, action),
                    None => {}
                }
                next = Instant::now();
            }
            () = signals.ended() => return Ok(()),
            news = wire.news.recv(), if online => {
                app.now = now();
                match news {
                    Some(news) => take_in(&mut app, news, &mut wire),
                    None => online = false,
                }
            }
            _ = clock.tick() => app.tick(now()),
            () = sleep_until(next), if app.dirty => {}
        }
    }
}

fn send(app: &mut App, wire: &Wire, action: Action) {
    if wire.requests.try_send(action).is_err() {
        app.say("nothing was sent: too many requests are under way", Meaning::Bad, None);
    }
}

fn take_in(app: &mut App, first: News, wire: &mut Wire) {
    app.news(first);
    for _ in 0..NEWS_AT_ONCE {
        match wire.news.try_recv() {
            Ok(news) => app.news(news),
            Err(_) => return,
        }
    }
}

/// The model at its beginning, with a person's own keys and themes; what is wrong with those is said on screen.
fn open(options: &Options, now: Millis, var: impl Fn(&str) -> Option<String>) -> App {
    let own = options.config.as_deref().map(own_themes).unwrap_or_default();
    let (mut themes, mut problems) = Themes::load(&own, Depth::of(var));
    let (mut keymap, _) = Keymap::built_in();
    if let Some(text) = options.config.as_ref().and_then(|dir| std::fs::read_to_string(dir.join("keys.toml")).ok()) {
        problems.extend(keymap.lay("keys.toml", &text));
    }
    let mut said: Vec<String> = problems.iter().map(Problem::to_string).collect();
    if let Some(name) = options.theme.as_ref().filter(|name| !themes.choose(name)) {
        let near = rldeck_core::nearest::nearest(name, themes.names());
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        said.push(format!("there is no theme `{name}`{near}"));
    }
    let node = if options.node.is_empty() { "controller" } else { &options.node }.to_owned();
    let mut app = App::new(node, options.utc_offset, themes, keymap, now);
    if !said.is_empty() {
        app.say(said.join("\n"), Meaning::Warn, None);
    }
    app
}

/// `$XDG_CONFIG_HOME/rldeck`, or `~/.config/rldeck`.
fn standard_config() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    base.map(|base| base.join("rldeck"))
}

/// Name and text of every theme file, in the order of their names.
fn own_themes(config: &Path) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(config.join("themes")) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), std::fs::read_to_string(&path).ok()?)))
        .collect()
}

/// Reads the terminal on a thread of its own, which ends with the console or the terminal.
fn listen() -> mpsc::Receiver<Event> {
    let (to, from) = mpsc::channel(256);
    std::thread::spawn(move || {
        while !to.is_closed() {
            let Ok(ready) = crossterm::event::poll(Duration::from_millis(500)) else { return };
            if ready {
                let Ok(event) = crossterm::event::read() else { return };
                if to.blocking_send(event).is_err() {
                    return;
                }
            }
        }
    });
    from
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as Millis
}

/// Signals that end the console; the job runs on.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn ended(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
