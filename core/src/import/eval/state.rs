//! Everything that a command can change.

use std::{collections::BTreeMap, rc::Rc};

use super::super::{
    shell::{At, Node},
    value::{Field, Held, Hole, Text},
};

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Good,
    Bad,
    /// Only running it could tell.
    Open(Rc<Hole>),
}

impl Status {
    pub(super) fn of(good: bool) -> Status {
        if good { Status::Good } else { Status::Bad }
    }

    pub(super) fn not(self) -> Status {
        match self {
            Status::Good => Status::Bad,
            Status::Bad => Status::Good,
            open => open,
        }
    }
}

/// A function as it is defined; `None` where only running something could tell which.
#[derive(Clone, Debug)]
pub(super) struct Function(pub(super) Option<Rc<Node>>);

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        match (&self.0, &other.0) {
            (Some(here), Some(there)) => Rc::ptr_eq(here, there),
            (here, there) => here.is_none() && there.is_none(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) held: Held,
    pub(super) exported: bool,
}

/// A call of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// What `local` hides.
    pub(super) hidden: Vec<(String, Option<Variable>)>,
    pub(super) arguments: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct State {
    pub(super) variables: BTreeMap<String, Variable>,
    pub(super) functions: BTreeMap<String, Function>,
    /// The script itself, and the calls that are not back yet.
    pub(super) frames: Vec<Frame>,
    pub(super) status: Status,
    /// What was printed, where somebody reads it.
    pub(super) out: Text,
    /// Where the script stands; `None` until it goes somewhere.
    pub(super) dir: Option<Text>,
}

impl State {
    pub(super) fn new() -> State {
        State {
            variables: BTreeMap::new(),
            functions: BTreeMap::new(),
            frames: vec![Frame::default()],
            status: Status::Good,
            out: Text::default(),
            dir: None,
        }
    }

    /// A measure of what a copy costs.
    pub(super) fn size(&self) -> usize {
        self.variables.len()
            + self.functions.len()
            + self.frames.iter().map(|frame| frame.arguments.len()).sum::<usize>()
    }

    /// This and another way to the same line: what differs is not known. `given` is asked for what differs.
    pub(super) fn join(self, other: State, at: &At, hole: &Rc<Hole>, given: &dyn Fn(&str) -> Option<Text>) -> State {
        let open = |what: &str, give: Option<&str>| {
            let why = format!("{what}, which depends on {}", hole.why);
            Text::hole(Rc::new(Hole { place: at.place(), why, give: give.map(str::to_owned), unset: false }))
        };
        let mut joined = self;
        let mut there = other.variables;
        for (name, variable) in &mut joined.variables {
            match there.remove(name) {
                Some(other) if other.held == variable.held => variable.exported |= other.exported,
                other => {
                    variable.exported |= other.is_some_and(|other| other.exported);
                    variable.held = Held::One(given(name).unwrap_or_else(|| open(name, Some(name))));
                }
            }
        }
        for (name, other) in there {
            let held = Held::One(given(&name).unwrap_or_else(|| open(&name, Some(&name))));
            joined.variables.insert(name, Variable { held, exported: other.exported });
        }
        let mut there = other.functions;
        for (name, function) in &mut joined.functions {
            if there.remove(name).as_ref() != Some(function) {
                function.0 = None;
            }
        }
        joined.functions.extend(there.into_keys().map(|name| (name, Function(None))));
        if joined.out != other.out {
            joined.out = open("what is printed", None);
        }
        if joined.dir != other.dir {
            joined.dir = Some(open("the directory", None));
        }
        for (here, there) in joined.frames.iter_mut().zip(other.frames) {
            for hidden in there.hidden {
                if !here.hidden.iter().any(|(name, _)| *name == hidden.0) {
                    here.hidden.push(hidden);
                }
            }
            if here.arguments != there.arguments {
                here.arguments = vec![Field { text: open("$1", None), place: at.place(), from: None }];
            }
        }
        if joined.status != other.status {
            joined.status = Status::Open(hole.clone());
        }
        joined
    }
}
