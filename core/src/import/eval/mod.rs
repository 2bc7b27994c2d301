//! Goes through a script and runs nothing of it.
//!
//! Assignments, arrays, conditions, loops, functions and a few commands that only compute are evaluated here, over
//! the tree. Every other command is left out. Where the way depends on what such a command finds out, both ways are
//! gone, and what differs behind them is a hole: it hurts nobody until it is used as a value.

mod arithmetic;
mod builtin;
mod compound;
mod expand;
mod launch;
mod parameter;
mod path;
mod pattern;
mod run;
mod state;
mod test;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use self::state::{State, Status, Variable};
pub(super) use launch::{Launch, behind};

use super::{
    Machine,
    shell::{self, At, Stop},
    value::{Field, Held, Hole, Piece, Text},
};
use crate::finding::Finding;

/// Steps of a script; launch scripts take some hundreds.
const STEPS: usize = 300_000;
/// Commands inside one another, calls and sourced files included.
const DEEPEST: usize = 60;
/// No value becomes longer than this.
const LONGEST: usize = 64 * 1024;
/// Files that a script may source.
const FILES: usize = 64;
/// The largest of them.
const LARGEST: usize = 256 * 1024;

/// Where the script goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Flow {
    Next,
    Break(u32),
    Continue(u32),
    Return,
    Exit,
}

/// States that left a loop or a function while others go on, each with why that is open.
type Parked = Vec<(State, Rc<Hole>)>;

#[derive(Debug, Default)]
struct Loop {
    breaks: Parked,
    continues: Parked,
}

pub(super) struct Shell<'a> {
    machine: &'a Machine<'a>,
    state: State,
    /// The scripts that are being read, the innermost last.
    files: Vec<Rc<str>>,
    read: usize,
    steps: usize,
    depth: usize,
    /// Somebody reads what is printed.
    capturing: bool,
    /// A `$(...)` was looked into.
    substituted: bool,
    stdin: Option<Text>,
    loops: Vec<Loop>,
    returns: Vec<Parked>,
    /// The last command that ended the script.
    end: Option<At>,
    /// Variables that are not set and that a condition looked at.
    missed: BTreeSet<String>,
    used: BTreeSet<String>,
    notes: Vec<Finding>,
    launches: Vec<Launch>,
    hostfiles: Vec<Field>,
}

/// What a script does.
pub(super) struct Done {
    pub(super) launch: Launch,
    /// What was left out, and what should be looked at.
    pub(super) notes: Vec<Finding>,
    /// The first file of hosts that it looked into.
    pub(super) hostfile: Option<Field>,
}

/// Goes through a script up to its end.
pub(super) fn evaluate(text: &str, script: &str, machine: &Machine<'_>) -> Result<Done, Stop> {
    let file: Rc<str> = script.into();
    let at = At { file: file.clone(), line: 1 };
    let list = shell::parse(text, &file)?;
    let mut shell = Shell {
        machine,
        state: State::new(),
        files: vec![file],
        read: 0,
        steps: STEPS,
        depth: 0,
        capturing: false,
        substituted: false,
        stdin: None,
        loops: Vec::new(),
        returns: Vec::new(),
        end: None,
        missed: BTreeSet::new(),
        used: BTreeSet::new(),
        notes: Vec::new(),
        launches: Vec::new(),
        hostfiles: Vec::new(),
    };
    match shell.list(&list) {
        Ok(_) => {}
        // The job is known by now: what comes behind its launch cannot change it.
        Err(stop) if !shell.launches.is_empty() => {
            let text = format!("what follows the launch is not read: {}", stop.text);
            shell.notes.push(Finding::warning(stop.place, text));
        }
        Err(stop) => return Err(stop),
    }
    shell.done(&at)
}

impl Shell<'_> {
    fn done(mut self, at: &At) -> Result<Done, Stop> {
        if let Some(second) = self.launches.get(1) {
            let first = &self.launches[0].place;
            let text = format!("a second job is launched here (the first at {first}): a job file is one job");
            return Err(Box::new(Finding::error(Some(second.place.clone()), text)));
        }
        for name in self.machine.set.keys().filter(|name| !self.used.contains(*name)) {
            let text = format!("--set {name} changes nothing: the script gives {name} its value, or never asks for it");
            self.notes.push(Finding::warning(None, text));
        }
        match self.launches.pop() {
            Some(launch) => Ok(Done { launch, notes: self.notes, hostfile: self.hostfiles.into_iter().next() }),
            None => {
                let missed: Vec<_> = self.missed.iter().map(|name| format!("--set {name}=VALUE")).collect();
                let give = match missed.as_slice() {
                    [] => String::new(),
                    all => format!(" (not set here: {})", all.join(" ")),
                };
                let (place, text) = match &self.end {
                    Some(end) => (end.place(), format!("the script ends here and has launched nothing{give}")),
                    None => {
                        let text = "no launch is found: rldeck looks for `ray job submit ... -- python3 train.py ...` \
                                    and for `python3 train.py ...`";
                        (at.place(), format!("{text}{give}"))
                    }
                };
                Err(Box::new(Finding::error(Some(place), text)))
            }
        }
    }

    fn wrong(&self, at: &At, text: impl Into<String>) -> Stop {
        Box::new(Finding::error(Some(at.place()), text))
    }

    fn spend(&mut self, steps: usize, at: &At) -> Result<(), Stop> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(self.wrong(at, format!("the script goes on here after {STEPS} steps: does this loop end?"))),
        }
    }

    fn enter(&mut self, at: &At) -> Result<(), Stop> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(at, "too many commands, calls or files inside one another: does this call itself?"));
        }
        Ok(())
    }

    /// Says something once.
    fn note(&mut self, note: Finding) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn hole(&self, at: &At, why: impl Into<String>) -> Rc<Hole> {
        Rc::new(Hole { place: at.place(), why: why.into(), give: None, unset: false })
    }

    /// A hole that counts as empty where a condition looks at it.
    fn unset(&self, name: &str, at: &At) -> Text {
        let why = format!("{name}, which is not set");
        Text::hole(Rc::new(Hole { place: at.place(), why, give: Some(name.to_owned()), unset: true }))
    }

    /// A text as a condition sees it.
    fn seen(&mut self, text: &Text) -> Result<String, Rc<Hole>> {
        for piece in text.pieces() {
            if let Piece::Hole(hole) = piece
                && let (true, Some(name)) = (hole.unset, &hole.give)
            {
                self.missed.insert(name.clone());
            }
        }
        text.seen()
    }

    /// The value that `--set` gives to a name.
    fn set(&mut self, name: &str) -> Option<Text> {
        let value = self.machine.set.get(name)?;
        self.used.insert(name.to_owned());
        Some(Text::given(name, value))
    }

    /// What a variable holds, of the script or of the caller.
    fn look_up(&mut self, name: &str, at: &At) -> Option<Held> {
        if let Some(variable) = self.state.variables.get(name) {
            return Some(variable.held.clone());
        }
        if let Some(text) = self.set(name) {
            return Some(Held::One(text));
        }
        let special = match name {
            "#" => Text::plain((self.state.frames.last().map_or(0, |frame| frame.arguments.len())).to_string()),
            "?" => match &self.state.status {
                Status::Good => Text::plain("0"),
                // Which number it is, is not kept.
                Status::Bad => Text::hole(self.hole(at, "$?")),
                Status::Open(hole) => Text::hole(hole.clone()),
            },
            "0" => Text::plain(&*self.files[0]),
            "BASH_SOURCE" => Text::plain(&**self.files.last().unwrap_or(&self.files[0])),
            "PWD" => self.dir(),
            "IFS" => Text::plain(" \t\n"),
            "LINENO" => Text::plain(at.line.to_string()),
            "$" | "!" | "-" | "RANDOM" | "SECONDS" | "EPOCHSECONDS" | "BASHPID" | "UID" | "EUID" | "PPID" => {
                Text::hole(self.hole(at, format!("${name}")))
            }
            _ => match name.parse::<usize>() {
                Ok(number) => {
                    let frame = self.state.frames.last()?;
                    return Some(Held::One(frame.arguments.get(number.checked_sub(1)?)?.text.clone()));
                }
                Err(_) => Text::given(name, &(self.machine.variable)(name)?),
            },
        };
        Some(Held::One(special))
    }

    /// Where the script stands.
    fn dir(&self) -> Text {
        self.state.dir.clone().unwrap_or_else(|| Text::plain(self.machine.dir))
    }

    /// Gives a variable a value.
    fn assign(&mut self, name: &str, held: Held, at: &At) -> Result<(), Stop> {
        let (held, size) = match held {
            Held::One(text) => {
                let text = match text.first_hole() {
                    Some(hole) if !hole.unset => match self.set(name) {
                        Some(given) => given,
                        None => named(&text, name),
                    },
                    _ => text,
                };
                let size = text.size();
                (Held::One(text), size)
            }
            Held::Many(fields) => {
                let size = fields.iter().map(|field| field.text.size() + 16).sum();
                (Held::Many(fields), size)
            }
        };
        if size > LONGEST {
            return Err(self.wrong(at, format!("{name} becomes longer than {} KB here", LONGEST / 1024)));
        }
        self.spend(1 + size / 64, at)?;
        let exported = self.state.variables.get(name).is_some_and(|variable| variable.exported);
        self.state.variables.insert(name.to_owned(), Variable { held, exported });
        Ok(())
    }

    /// The exported variables of the script.
    fn exported(&self) -> BTreeMap<String, Text> {
        let exported = self.state.variables.iter().filter(|(_, variable)| variable.exported);
        let texts = exported.filter_map(|(name, variable)| match &variable.held {
            Held::One(text) => Some((name.clone(), text.clone())),
            Held::Many(_) => None,
        });
        texts.collect()
    }
}

/// The same text; a hole in it that no variable fills is filled by this one.
fn named(text: &Text, name: &str) -> Text {
    let mut out = Text::default();
    for piece in text.pieces() {
        out.push(match piece {
            Piece::Hole(hole) if hole.give.is_none() => Piece::Hole(Rc::new(Hole {
                place: hole.place.clone(),
                why: hole.why.clone(),
                give: Some(name.to_owned()),
                unset: false,
            })),
            piece => piece.clone(),
        });
    }
    out
}
