//! Lists, pipelines, and ways that part and meet again.

use std::rc::Rc;

use super::{
    super::{
        shell::{At, Command, Item, List, Node, Pipeline, Redirect, Stop, To},
        value::{Hole, Text},
    },
    Flow, Parked, Shell,
    state::{State, Status},
};
use crate::finding::Finding;

impl Shell<'_> {
    pub(super) fn list(&mut self, list: &List) -> Result<Flow, Stop> {
        for item in &list.0 {
            let flow = if item.background { self.apart(|shell| shell.item(item))? } else { self.item(item)? };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn item(&mut self, item: &Item) -> Result<Flow, Stop> {
        let mut flow = self.pipeline(&item.first)?;
        for (both, pipeline) in &item.rest {
            if flow != Flow::Next {
                break;
            }
            flow = match self.state.status.clone() {
                Status::Good if *both => self.pipeline(pipeline)?,
                Status::Bad if !*both => self.pipeline(pipeline)?,
                Status::Good | Status::Bad => Flow::Next,
                Status::Open(hole) => {
                    let at = pipeline.nodes[0].at.clone();
                    self.either(&hole, &at, |shell| shell.pipeline(pipeline), |_| Ok(Flow::Next))?
                }
            };
        }
        Ok(flow)
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Result<Flow, Stop> {
        let flow = match pipeline.nodes.as_slice() {
            [node] => self.node(node)?,
            nodes => {
                let outer = self.stdin.take();
                for (at, node) in nodes.iter().enumerate() {
                    let last = at + 1 == nodes.len();
                    if last && !self.capturing {
                        self.apart(|shell| shell.node(node))?;
                    } else {
                        let out = self.printed(&node.at, |shell| shell.node(node))?;
                        if last { self.state.out.extend(out) } else { self.stdin = Some(out) }
                    }
                }
                self.stdin = outer;
                Flow::Next
            }
        };
        if pipeline.negated {
            self.state.status = self.state.status.clone().not();
        }
        Ok(flow)
    }

    /// Runs something whose changes nobody sees; what it printed stays.
    pub(super) fn apart(&mut self, run: impl FnOnce(&mut Self) -> Result<Flow, Stop>) -> Result<Flow, Stop> {
        let before = self.state.clone();
        let loops = std::mem::take(&mut self.loops);
        let returns = std::mem::take(&mut self.returns);
        run(self)?;
        (self.loops, self.returns) = (loops, returns);
        let after = std::mem::replace(&mut self.state, before);
        (self.state.out, self.state.status) = (after.out, after.status);
        Ok(Flow::Next)
    }

    /// What something prints that runs apart.
    pub(super) fn printed(&mut self, at: &At, run: impl FnOnce(&mut Self) -> Result<Flow, Stop>) -> Result<Text, Stop> {
        self.spend(1 + self.state.size(), at)?;
        let outer = std::mem::take(&mut self.state.out);
        let capturing = std::mem::replace(&mut self.capturing, true);
        self.apart(run)?;
        self.capturing = capturing;
        Ok(std::mem::replace(&mut self.state.out, outer))
    }

    /// Goes both ways, and on from where they meet.
    pub(super) fn either(
        &mut self,
        hole: &Rc<Hole>,
        at: &At,
        one: impl FnOnce(&mut Self) -> Result<Flow, Stop>,
        other: impl FnOnce(&mut Self) -> Result<Flow, Stop>,
    ) -> Result<Flow, Stop> {
        self.spend(1 + 2 * self.state.size(), at)?;
        let before = self.state.clone();
        let launches = self.launches.len();
        // A job behind an open condition is not the job of the script, not even where reading ends there.
        let flow = one(self).inspect_err(|_| self.launches.truncate(launches))?;
        let launched = self.launches.len();
        let state = std::mem::replace(&mut self.state, before);
        let other_flow = other(self).inspect_err(|_| self.launches.truncate(launches))?;
        // A way that ends the script is not the one that launches a job.
        let open = match (flow == Flow::Exit, other_flow == Flow::Exit) {
            (_, true) => launched..self.launches.len(),
            (true, _) => launches..launched,
            _ => launches..self.launches.len(),
        };
        if let Some(launch) = self.launches.get(open).and_then(<[_]>::first) {
            let text = format!("whether the job is launched here depends on {} ({})", hole.why, hole.place);
            let place = launch.place.clone();
            self.launches.truncate(launches);
            return Err(Box::new(Finding::error(Some(place), text)));
        }
        match (flow, other_flow) {
            (flow, Flow::Exit) => {
                self.state = state;
                Ok(flow)
            }
            (Flow::Exit, other) => Ok(other),
            (flow, other) if flow == other => {
                self.meet(state, hole, at);
                Ok(flow)
            }
            (flow, Flow::Next) => {
                self.park(state, &flow, hole, at)?;
                Ok(Flow::Next)
            }
            (flow, other) => {
                let there = std::mem::replace(&mut self.state, state);
                self.park(there, &other, hole, at)?;
                Ok(flow)
            }
        }
    }

    fn meet(&mut self, other: State, hole: &Rc<Hole>, at: &At) {
        let here = std::mem::replace(&mut self.state, State::new());
        let machine = self.machine;
        let used = std::cell::RefCell::new(Vec::new());
        let given = |name: &str| {
            let value = machine.set.get(name)?;
            used.borrow_mut().push(name.to_owned());
            Some(Text::given(name, value))
        };
        self.state = here.join(other, at, hole, &given);
        self.used.extend(used.into_inner());
    }

    /// Keeps a state that leaves a loop or a function until all others come there too.
    pub(super) fn park(&mut self, state: State, flow: &Flow, hole: &Rc<Hole>, at: &At) -> Result<(), Stop> {
        let parked = match flow {
            Flow::Break(1) => self.loops.last_mut().map(|around| &mut around.breaks),
            Flow::Continue(1) => self.loops.last_mut().map(|around| &mut around.continues),
            Flow::Return => self.returns.last_mut(),
            Flow::Break(_) | Flow::Continue(_) | Flow::Next | Flow::Exit => None,
        };
        match parked {
            Some(parked) => parked.push((state, hole.clone())),
            None => {
                let text = format!("whether the script goes on here depends on {} ({})", hole.why, hole.place);
                return Err(self.wrong(at, text));
            }
        }
        Ok(())
    }

    /// Those that were kept come back.
    pub(super) fn gather(&mut self, parked: Parked, at: &At) -> Result<(), Stop> {
        for (state, hole) in parked {
            self.spend(1 + state.size(), at)?;
            self.meet(state, &hole, at);
        }
        Ok(())
    }

    pub(super) fn node(&mut self, node: &Node) -> Result<Flow, Stop> {
        self.spend(1, &node.at)?;
        self.enter(&node.at)?;
        let outer = self.stdin.clone();
        let mut hidden = false;
        for redirect in &node.redirects {
            hidden |= self.redirect(redirect, node)?;
        }
        let printed = hidden.then(|| std::mem::take(&mut self.state.out));
        let flow = self.command(node)?;
        if let Some(printed) = printed {
            self.state.out = printed;
        }
        self.stdin = outer;
        self.depth -= 1;
        if self.state.out.size() > super::LONGEST {
            return Err(self.wrong(&node.at, "too much is printed here to be a value"));
        }
        Ok(flow)
    }

    /// Whether what is printed goes elsewhere.
    fn redirect(&mut self, redirect: &Redirect, node: &Node) -> Result<bool, Stop> {
        let standard = redirect.from == Some(1);
        match &redirect.to {
            To::Input(word) => {
                let file = self.text(word)?;
                let why = format!("what stands in {}", file.seen().unwrap_or_else(|_| "a file".to_owned()));
                self.hosts(file, &node.at);
                self.stdin = Some(Text::hole(self.hole(&node.at, why)));
                Ok(false)
            }
            To::Text(word) => {
                let mut text = self.text(word)?;
                text.push_str("\n");
                self.stdin = Some(text);
                Ok(false)
            }
            To::Here(body) => {
                if let Some(word) = body.get() {
                    self.stdin = Some(self.text(word)?);
                }
                Ok(false)
            }
            To::Copy(word) => Ok(standard && word.literal() != Some("1")),
            To::File(word) => {
                let device = word.literal().is_some_and(|name| name.starts_with("/dev/"));
                if !device && matches!(node.command, Command::Simple { .. }) {
                    self.leave_out(node, "writes a file");
                }
                Ok(standard)
            }
        }
    }

    /// Says that a command is not run.
    pub(super) fn leave_out(&mut self, node: &Node, why: &str) {
        let (place, command) = (Some(node.at.place()), format!(": `{}`", node.source));
        let said = self.notes.iter().any(|note| note.place == place && note.text.ends_with(&command));
        if !self.capturing && !said {
            let text = format!("left out ({why}){command}");
            self.notes.push(Finding::info(place, text));
        }
    }
}
