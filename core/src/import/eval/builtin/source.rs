//! `source FILE`: the file is read and gone through like the script itself.

use std::rc::Rc;

use super::super::{
    super::{
        shell::{self, Node, Stop},
        value::Field,
    },
    FILES, Flow, LARGEST, Shell, path,
    state::Frame,
};

impl Shell<'_> {
    pub(super) fn source(&mut self, mut words: Vec<Field>, node: &Node) -> Result<Flow, Stop> {
        let at = &node.at;
        if words.is_empty() {
            return Err(self.wrong(at, "source names no file"));
        }
        let file = words.remove(0);
        let name = match file.text.known() {
            Ok(name) => name,
            Err(hole) => {
                let give = hole.give.as_ref().map(|name| format!(": give it with --set {name}=VALUE"));
                let text = format!("the sourced file uses {}{}", hole.why, give.unwrap_or_default());
                return Err(self.wrong(at, text));
            }
        };
        let full = match self.absolute(&file.text).known() {
            Ok(full) => path::tidy(&full),
            Err(hole) => return Err(self.wrong(at, format!("the sourced file uses {}", hole.why))),
        };
        let base = path::base_name(&full, "");
        if base == "activate" || base.ends_with("rc") || base.ends_with("profile") || full.starts_with("/etc/") {
            self.leave_out(node, "it prepares a terminal");
            return Ok(Flow::Next);
        }
        self.read += 1;
        if self.read > FILES {
            return Err(self.wrong(at, format!("more than {FILES} files are sourced")));
        }
        let text = match (self.machine.read)(&full) {
            Ok(text) if text.len() > LARGEST => {
                let size = text.len() / 1024;
                return Err(self.wrong(at, format!("{name} has {size} KB, too much for a script")));
            }
            Ok(text) => text,
            Err(why) => return Err(self.wrong(at, format!("{full} cannot be read: {why}"))),
        };
        self.spend(1 + text.len() / 64, at)?;
        self.enter(at)?;
        let shown: Rc<str> = full.as_str().into();
        let list = shell::parse(&text, &shown)?;
        self.files.push(shown);
        self.returns.push(Vec::new());
        let loops = std::mem::take(&mut self.loops);
        let own = !words.is_empty();
        if own {
            self.state.frames.push(Frame { hidden: Vec::new(), arguments: words });
        }
        let flow = self.list(&list)?;
        let parked = self.returns.pop().unwrap_or_default();
        let flow = self.back(flow, parked, at)?;
        if own {
            self.state.frames.pop();
        }
        self.loops = loops;
        self.files.pop();
        self.depth -= 1;
        Ok(flow)
    }
}
