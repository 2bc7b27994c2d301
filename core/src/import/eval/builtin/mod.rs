//! Simple commands: those that only compute are done here, all others are left out.

mod declare;
mod filter;
mod source;

use std::rc::Rc;

use super::{
    super::{
        shell::{Argument, Assign, At, Node, Part, Stop, Word, is_name},
        value::{Field, Held, Hole, Text},
    },
    Flow, Shell, path,
    state::{Function, Status},
};
use crate::finding::Finding;

/// What rldeck does in place of a script.
const OWN: [&str; 6] = ["pkill", "kill", "killall", "ssh", "sleep", "wait"];
/// Commands that look into a list of hosts.
const READERS: [&str; 6] = ["awk", "cat", "cut", "grep", "head", "sed"];

impl Shell<'_> {
    pub(in crate::import::eval) fn simple(
        &mut self,
        assigns: &[Assign],
        words: &[Argument],
        node: &Node,
    ) -> Result<Flow, Stop> {
        if words.is_empty() {
            self.substituted = false;
            for assign in assigns {
                self.set_variable(assign)?;
            }
            // How an assignment ends is how its last $(...) ends.
            if !self.substituted {
                self.state.status = Status::Good;
            }
            return Ok(Flow::Next);
        }
        // For the time of the command only.
        let mut before = Vec::new();
        for assign in assigns {
            before.push((assign.name.clone(), self.state.variables.get(&assign.name).cloned()));
            self.set_variable(assign)?;
            if let Some(variable) = self.state.variables.get_mut(&assign.name) {
                variable.exported = true;
            }
        }
        let flow = self.with_words(words, node)?;
        for (name, variable) in before.into_iter().rev() {
            match variable {
                Some(variable) => _ = self.state.variables.insert(name, variable),
                None => _ = self.state.variables.remove(&name),
            }
        }
        Ok(flow)
    }

    fn with_words(&mut self, words: &[Argument], node: &Node) -> Result<Flow, Stop> {
        let mut fields = Vec::new();
        let mut assigns = Vec::new();
        for word in words {
            match word {
                Argument::Word(word) => fields.extend(self.fields(word)?),
                Argument::Assign(assign) => assigns.push(assign),
            }
        }
        self.state.status = Status::Good;
        let Some(first) = fields.first() else { return Ok(Flow::Next) };
        let Ok(name) = first.text.known() else { return self.outside("", &fields, node) };
        match self.state.functions.get(&name) {
            Some(Function(Some(body))) => {
                let body = body.clone();
                return self.call(&body, fields.split_off(1));
            }
            Some(Function(None)) => {
                return Err(
                    self.wrong(&node.at, format!("what {name} does depends on what only running it could tell"))
                );
            }
            None => {}
        }
        self.built_in(&name, fields, &assigns, node)
    }

    fn built_in(&mut self, name: &str, mut fields: Vec<Field>, assigns: &[&Assign], node: &Node) -> Result<Flow, Stop> {
        let at = &node.at;
        let arguments = &fields[1..];
        match name {
            ":" | "true" => {}
            "false" => self.state.status = Status::Bad,
            "echo" => self.echo(arguments),
            "printf" => return self.printf(arguments, at),
            "pwd" => {
                let dir = self.dir();
                self.print_line(dir);
            }
            "cd" | "pushd" => {
                let dir = arguments.iter().find(|field| field.text.known().as_deref() != Ok("--"));
                let dir = dir.map(|field| field.text.clone());
                let dir = dir.unwrap_or_else(|| self.home(at));
                self.state.dir = Some(self.absolute(&dir));
            }
            "dirname" | "basename" | "realpath" | "readlink" => self.paths(name, arguments),
            "seq" => return self.seq(arguments, at),
            "cat" if self.stdin.is_some() && arguments.iter().all(|field| field.text.known().as_deref() == Ok("-")) => {
                let text = self.stdin.take().unwrap_or_default();
                self.print(text);
            }
            "tr" | "wc" | "tee" if self.stdin.is_some() => self.filter(name, arguments, node),
            "export" | "declare" | "typeset" | "local" | "readonly" => {
                return self.declare(name, arguments, assigns, at);
            }
            "unset" => self.forget(arguments),
            "set" => {
                if let Some(dashes) = arguments.iter().position(|field| field.text.known().as_deref() == Ok("--")) {
                    let arguments = fields.split_off(dashes + 2);
                    if let Some(frame) = self.state.frames.last_mut() {
                        frame.arguments = arguments;
                    }
                }
            }
            "shopt" | "ulimit" | "umask" | "trap" | "hash" | "disown" | "popd" => {}
            "shift" => {
                let count = arguments.first().map_or(Ok("1".to_owned()), |field| field.text.known());
                let count = count.ok().and_then(|count| count.parse().ok()).unwrap_or(1);
                if let Some(frame) = self.state.frames.last_mut() {
                    frame.arguments.drain(..usize::min(count, frame.arguments.len()));
                }
            }
            "[" | "test" => {
                let end = match (name, arguments.last().map(|field| field.text.known())) {
                    ("[", Some(Ok(end))) if end == "]" => arguments.len() - 1,
                    ("[", _) => return Err(self.wrong(at, "the ] of this condition is missing")),
                    _ => arguments.len(),
                };
                let found = self.bracket(&arguments[..end], at)?;
                self.state.status = found.map_or_else(Status::Open, Status::of);
            }
            "let" => {
                for field in arguments {
                    let open = |hole: Rc<Hole>| self.wrong(at, format!("this uses {}", hole.why));
                    let parts = vec![Part::Quoted(field.text.seen().map_err(open)?)];
                    let word = Word { parts, at: at.clone() };
                    self.sum(&word, true)?.map_err(|hole| self.wrong(at, format!("this uses {}", hole.why)))?;
                }
            }
            "break" | "continue" => {
                let count = arguments.first().and_then(|field| field.text.known().ok()?.parse().ok()).unwrap_or(1);
                return Ok(if name == "break" { Flow::Break(count) } else { Flow::Continue(count) });
            }
            "return" | "exit" => {
                if let Some(code) = arguments.first() {
                    self.state.status = match code.text.known() {
                        Ok(code) => Status::of(code.trim() == "0"),
                        Err(hole) => Status::Open(hole),
                    };
                }
                if name == "return" && self.state.frames.len() + self.files.len() > 2 {
                    return Ok(Flow::Return);
                }
                self.end = Some(at.clone());
                return Ok(Flow::Exit);
            }
            "source" | "." => return self.source(fields.split_off(1), node),
            "read" | "mapfile" | "readarray" => self.read_into(arguments, at)?,
            "eval" => {
                return Err(self.wrong(at, "eval is not read: write what it does in plain words"));
            }
            "getopts" => return Err(self.wrong(at, "getopts is not read: the script is imported without arguments")),
            "exec" if arguments.is_empty() => {}
            _ => return self.outside(name, &fields, node),
        }
        Ok(Flow::Next)
    }

    pub(super) fn print(&mut self, text: Text) {
        if self.capturing {
            self.state.out.extend(text);
        }
    }

    fn print_line(&mut self, mut text: Text) {
        text.push_str("\n");
        self.print(text);
    }

    /// Variables that get what only running something could tell.
    fn read_into(&mut self, arguments: &[Field], at: &At) -> Result<(), Stop> {
        let why = self.stdin.as_ref().and_then(|text| text.first_hole().map(|hole| hole.why.clone()));
        let hole = self.hole(at, why.unwrap_or_else(|| "what is read here".to_owned()));
        for field in arguments {
            match field.text.known() {
                Ok(text) if is_name(&text) => {
                    self.assign(&text, Held::One(Text::hole(hole.clone())), at)?;
                }
                _ => {}
            }
        }
        self.state.status = Status::Open(hole);
        Ok(())
    }

    /// A command that is not run: a launch, or something to leave out.
    fn outside(&mut self, name: &str, fields: &[Field], node: &Node) -> Result<Flow, Stop> {
        if self.launch(fields, node)? {
            return Ok(if name == "exec" { self.ends(&node.at) } else { Flow::Next });
        }
        if name.starts_with("--") {
            let text = format!("{name} is a command of its own here: is a \\ missing at the end of the line before?");
            self.note(Finding::warning(Some(node.at.place()), text));
        }
        let last = fields.last().map(|field| field.text.clone()).filter(|_| READERS.contains(&name));
        if let Some(last) = last {
            self.hosts(last, &node.at);
        }
        let second = fields.get(1).and_then(|field| field.text.known().ok()).unwrap_or_default();
        let own = OWN.contains(&name) || (name == "ray" && second != "job");
        self.leave_out(node, if own { "rldeck does this itself" } else { "nothing is run" });
        let stdin = self.stdin.as_ref().and_then(|text| text.first_hole().cloned());
        let hole: Rc<Hole> = stdin.unwrap_or_else(|| self.hole(&node.at, format!("what `{}` prints", node.source)));
        self.print(Text::hole(hole));
        let hole = self.hole(&node.at, format!("how `{}` ends", node.source));
        self.state.status = Status::Open(hole);
        Ok(if name == "exec" { self.ends(&node.at) } else { Flow::Next })
    }

    fn ends(&mut self, at: &At) -> Flow {
        self.end = Some(at.clone());
        Flow::Exit
    }

    /// A file that names hosts, to judge by its own name.
    pub(in crate::import::eval) fn hosts(&mut self, file: Text, at: &At) {
        let name = file.seen().unwrap_or_default();
        if file.first_hole().is_none_or(|hole| hole.unset) && path::base_name(&name, "").contains("host") {
            self.hostfiles.push(Field { text: file, place: at.place(), from: None });
        }
    }

    fn paths(&mut self, name: &str, arguments: &[Field]) {
        let mut words = arguments.iter().filter(|field| !field.text.known().is_ok_and(|text| text.starts_with('-')));
        let Some(path) = words.next() else { return };
        let suffix = words.next().and_then(|field| field.text.known().ok()).unwrap_or_default();
        let text = match path.text.known() {
            Err(hole) => Text::hole(hole),
            Ok(text) => match name {
                "dirname" => Text::plain(path::dir_name(&text)),
                "basename" => Text::plain(path::base_name(&text, &suffix)),
                _ => self.absolute(&path.text),
            },
        };
        self.print_line(text);
    }
}
