//! What a script consists of.

use std::{cell::OnceCell, rc::Rc};

use crate::finding::Place;

/// A line of one of the scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::import) struct At {
    pub(in crate::import) file: Rc<str>,
    pub(in crate::import) line: u32,
}

impl At {
    pub(in crate::import) fn place(&self) -> Place {
        Place::new(&*self.file, self.line)
    }
}

/// Commands one after the other.
#[derive(Clone, Debug, Default)]
pub(in crate::import) struct List(pub(in crate::import) Vec<Item>);

/// `first && second || third`, perhaps in the background.
#[derive(Clone, Debug)]
pub(in crate::import) struct Item {
    pub(in crate::import) first: Pipeline,
    /// Each with whether it follows `&&` rather than `||`.
    pub(in crate::import) rest: Vec<(bool, Pipeline)>,
    pub(in crate::import) background: bool,
}

/// `! first | second`.
#[derive(Clone, Debug)]
pub(in crate::import) struct Pipeline {
    pub(in crate::import) negated: bool,
    pub(in crate::import) nodes: Vec<Node>,
}

/// A command with what is redirected.
#[derive(Clone, Debug)]
pub(in crate::import) struct Node {
    pub(in crate::import) command: Command,
    pub(in crate::import) redirects: Vec<Redirect>,
    pub(in crate::import) at: At,
    /// Its beginning, as it is written.
    pub(in crate::import) source: Rc<str>,
}

#[derive(Clone, Debug)]
pub(in crate::import) enum Command {
    Simple { assigns: Vec<Assign>, words: Vec<Argument> },
    Group(List),
    Subshell(List),
    If { arms: Vec<(List, List)>, other: List },
    For { name: String, words: Option<Vec<Word>>, body: List },
    Count { first: Word, condition: Word, step: Word, body: List },
    While { until: bool, condition: List, body: List },
    Case { word: Word, arms: Vec<Arm> },
    Function { name: String, body: Rc<Node> },
    Test(Test),
    Arithmetic(Word),
}

/// `pattern | pattern) commands`.
#[derive(Clone, Debug)]
pub(in crate::import) struct Arm {
    pub(in crate::import) patterns: Vec<Word>,
    pub(in crate::import) body: List,
    /// `;&` and `;;&`, which go on with the next one.
    pub(in crate::import) falls: bool,
}

/// A word of a simple command; after `export` and its like it may be an assignment.
#[derive(Clone, Debug)]
pub(in crate::import) enum Argument {
    Word(Word),
    Assign(Assign),
}

/// `NAME=value`, `NAME+=value`, `NAME[index]=value`, `NAME=(values)`.
#[derive(Clone, Debug)]
pub(in crate::import) struct Assign {
    pub(in crate::import) name: String,
    pub(in crate::import) index: Option<Word>,
    pub(in crate::import) append: bool,
    pub(in crate::import) value: Assigned,
    pub(in crate::import) at: At,
}

#[derive(Clone, Debug)]
pub(in crate::import) enum Assigned {
    One(Word),
    Many(Vec<Word>),
}

/// `2>&1`, `> file`, `<<EOF`.
#[derive(Clone, Debug)]
pub(in crate::import) struct Redirect {
    /// What is redirected; without a number what the sign stands for.
    pub(in crate::import) from: Option<u32>,
    pub(in crate::import) to: To,
}

#[derive(Clone, Debug)]
pub(in crate::import) enum To {
    /// `< file`.
    Input(Word),
    /// `> file`, `>> file`, `&> file`.
    File(Word),
    /// `>&2`.
    Copy(Word),
    /// `<<< word`.
    Text(Word),
    /// `<<EOF`; its body stands further down and is there when the script is read.
    Here(Rc<OnceCell<Word>>),
}

/// `[[ ... ]]`.
#[derive(Clone, Debug)]
pub(in crate::import) enum Test {
    Either(Vec<Test>),
    Both(Vec<Test>),
    Not(Box<Test>),
    /// `-f word`.
    One(String, Word),
    /// `word == word`.
    Two(Word, String, Word),
    Word(Word),
}

/// Pieces that stand together.
#[derive(Clone, Debug)]
pub(in crate::import) struct Word {
    pub(in crate::import) parts: Vec<Part>,
    pub(in crate::import) at: At,
}

impl Word {
    /// Its text when nothing in it is quoted or looked up.
    pub(in crate::import) fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(in crate::import) enum Part {
    /// As it stands there.
    Text(String),
    /// In single quotes or after a backslash.
    Quoted(String),
    /// In double quotes.
    Double(Vec<Part>),
    Variable(Box<Variable>),
    /// `$(...)`, with how it is written.
    Command(Rc<List>, Rc<str>),
    /// `$((...))`.
    Arithmetic(Word),
    /// Something that has no value here; what it is.
    Unread(&'static str),
}

/// `$NAME` and everything that stands in `${...}`.
#[derive(Clone, Debug)]
pub(in crate::import) struct Variable {
    pub(in crate::import) name: String,
    pub(in crate::import) index: Index,
    /// `${#NAME}`.
    pub(in crate::import) length: bool,
    pub(in crate::import) change: Option<Change>,
}

#[derive(Clone, Debug)]
pub(in crate::import) enum Index {
    /// None: the first of an array.
    First,
    /// `[@]`: each by itself.
    Each,
    /// `[*]`: all in one.
    Joined,
    At(Word),
}

/// What is done with the value of a variable.
#[derive(Clone, Debug)]
pub(in crate::import) enum Change {
    /// `-`, `=`, `?`, `+`, also after a colon: then what is empty counts as unset.
    Default { sign: char, empty: bool, word: Word },
    /// `#`, `##`, `%`, `%%`.
    Cut { end: bool, longest: bool, pattern: Word },
    /// `/`, `//`, `/#`, `/%`.
    Replace { how: Replace, pattern: Word, with: Word },
    /// `:from:length`.
    Slice { from: Word, length: Option<Word> },
    /// `^`, `^^`, `,`, `,,`.
    Case { upper: bool, all: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::import) enum Replace {
    First,
    All,
    Start,
    End,
}
