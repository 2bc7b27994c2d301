//! A bash script to a tree: the part of the language that launch scripts are written in.
//!
//! A parser of our own and not a crate: the one crate that reads bash arrays (brush-parser) brings seventy others into
//! every build, and its tree knows lines only here and there, while an error about a script is worth what its line is.

mod compound;
mod parameter;
mod parser;
mod simple;
mod test;
mod tree;
mod word;

use std::rc::Rc;

use crate::finding::Finding;

pub(super) use compound::is_name;
pub(super) use tree::*;

/// Why reading ends.
pub(super) type Stop = Box<Finding>;

/// Reads a script.
pub(super) fn parse(text: &str, file: &Rc<str>) -> Result<List, Stop> {
    parser::Parser::new(text, file, 1).script()
}
