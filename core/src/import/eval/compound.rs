//! Conditions, loops, calls.

use std::rc::Rc;

use super::{
    super::{
        shell::{Arm, At, Command, List, Node, Stop, Word},
        value::{Field, Held, Hole, Text},
    },
    Flow, Loop, Parked, Shell,
    state::{Frame, Function, Status},
};

impl Shell<'_> {
    pub(super) fn command(&mut self, node: &Node) -> Result<Flow, Stop> {
        let at = &node.at;
        match &node.command {
            Command::Simple { assigns, words } => self.simple(assigns, words, node),
            Command::Group(list) => self.list(list),
            Command::Subshell(list) => {
                self.spend(self.state.size(), at)?;
                self.apart(|shell| shell.list(list))
            }
            Command::If { arms, other } => self.condition(arms, other, at),
            Command::For { name, words, body } => self.each(name, words.as_deref(), body, at),
            Command::Count { first, condition, step, body } => {
                if let Err(hole) = self.sum(first, true)? {
                    return Err(self.wrong(at, format!("this loop depends on {}", hole.why)));
                }
                let mut begun = false;
                self.repeat(at, body, |shell| {
                    if begun && let Err(hole) = shell.sum(step, true)? {
                        return Ok(Status::Open(hole));
                    }
                    begun = true;
                    let found = shell.sum(condition, true)?;
                    Ok(found.map_or_else(Status::Open, |number| Status::of(number.is_none_or(|number| number != 0))))
                })
            }
            Command::While { until, condition, body } => self.repeat(at, body, |shell| {
                // What ends the script or the loop from inside a condition is too rare to be followed.
                if shell.list(condition)? != Flow::Next {
                    return Err(shell.wrong(at, "the condition of this loop is left before its end: this is not read"));
                }
                let status = shell.state.status.clone();
                Ok(if *until { status.not() } else { status })
            }),
            Command::Case { word, arms } => {
                let text = self.text(word)?;
                match self.seen(&text) {
                    Ok(text) => self.case(&text, arms, at),
                    Err(hole) => self.any_case(&hole, arms, at),
                }
            }
            Command::Function { name, body } => {
                self.state.functions.insert(name.clone(), Function(Some(body.clone())));
                self.state.status = Status::Good;
                Ok(Flow::Next)
            }
            Command::Test(test) => {
                let found = self.test(test)?;
                self.state.status = found.map_or_else(Status::Open, Status::of);
                Ok(Flow::Next)
            }
            Command::Arithmetic(word) => {
                let found = self.sum(word, true)?;
                self.state.status =
                    found.map_or_else(Status::Open, |number| Status::of(number.is_some_and(|number| number != 0)));
                Ok(Flow::Next)
            }
        }
    }

    fn condition(&mut self, arms: &[(List, List)], other: &List, at: &At) -> Result<Flow, Stop> {
        let Some(((condition, body), rest)) = arms.split_first() else {
            self.state.status = Status::Good;
            return self.list(other);
        };
        let flow = self.list(condition)?;
        if flow != Flow::Next {
            return Ok(flow);
        }
        match self.state.status.clone() {
            Status::Good => self.list(body),
            Status::Bad => self.condition(rest, other, at),
            Status::Open(hole) => {
                self.enter(at)?;
                let flow =
                    self.either(&hole, at, |shell| shell.list(body), |shell| shell.condition(rest, other, at))?;
                self.depth -= 1;
                Ok(flow)
            }
        }
    }

    fn case(&mut self, text: &str, arms: &[Arm], at: &At) -> Result<Flow, Stop> {
        self.state.status = Status::Good;
        let mut falls = false;
        for (number, arm) in arms.iter().enumerate() {
            let mut found = falls;
            for pattern in &arm.patterns {
                match self.pattern(pattern)? {
                    Ok(pattern) => found = found || self.matches(&pattern, text, at)?,
                    Err(hole) => return self.any_case(&hole, &arms[number..], at),
                }
            }
            if found {
                let flow = self.list(&arm.body)?;
                if flow != Flow::Next || !arm.falls {
                    return Ok(flow);
                }
                falls = true;
            }
        }
        Ok(Flow::Next)
    }

    /// One of the arms, or none.
    fn any_case(&mut self, hole: &Rc<Hole>, arms: &[Arm], at: &At) -> Result<Flow, Stop> {
        let Some((arm, rest)) = arms.split_first() else { return Ok(Flow::Next) };
        // With an arm for everything, one of them is gone.
        let all = |arm: &Arm| arm.patterns.iter().any(|pattern| pattern.literal() == Some("*"));
        if all(arm) && !arm.falls {
            return self.list(&arm.body);
        }
        self.enter(at)?;
        let flow = self.either(hole, at, |shell| shell.list(&arm.body), |shell| shell.any_case(hole, rest, at))?;
        self.depth -= 1;
        Ok(flow)
    }

    fn each(&mut self, name: &str, words: Option<&[Word]>, body: &List, at: &At) -> Result<Flow, Stop> {
        let fields = match words {
            Some(words) => {
                let mut fields = Vec::new();
                for word in words {
                    fields.extend(self.fields(word)?);
                }
                fields
            }
            None => self.state.frames.last().map(|frame| frame.arguments.clone()).unwrap_or_default(),
        };
        self.state.status = Status::Good;
        if let Some(hole) = fields.iter().find_map(|field| field.text.first_hole()).cloned() {
            let why = format!("{name}, which goes through {}", hole.why);
            let text = Text::hole(Rc::new(Hole { place: at.place(), why, give: None, unset: false }));
            return self.any_times(&hole, at, |shell| {
                shell.assign(name, Held::One(text.clone()), at)?;
                shell.list(body)
            });
        }
        let mut left = Vec::new();
        for field in fields {
            self.spend(1, at)?;
            self.assign(name, Held::One(field.text), at)?;
            let flow = self.once(&mut left, at, |shell| shell.list(body))?;
            if flow != Flow::Next {
                return self.left(flow, left, at);
            }
        }
        self.left(Flow::Next, left, at)
    }

    /// Behind a loop, where all come together again.
    fn left(&mut self, flow: Flow, left: Parked, at: &At) -> Result<Flow, Stop> {
        let flow = match flow {
            Flow::Break(1) => Flow::Next,
            Flow::Break(further) => Flow::Break(further - 1),
            flow => flow,
        };
        if flow != Flow::Next && !left.is_empty() {
            return Err(self.wrong(at, format!("how this loop is left depends on {}", left[0].1.why)));
        }
        self.gather(left, at)?;
        Ok(flow)
    }

    fn repeat(
        &mut self,
        at: &At,
        body: &List,
        mut condition: impl FnMut(&mut Self) -> Result<Status, Stop>,
    ) -> Result<Flow, Stop> {
        let mut left = Vec::new();
        loop {
            self.spend(1, at)?;
            match condition(self)? {
                Status::Bad => break,
                Status::Good => {}
                Status::Open(hole) => {
                    let flow = self.any_times(&hole, at, |shell| {
                        let flow = shell.list(body)?;
                        if flow == Flow::Next {
                            condition(shell)?;
                        }
                        Ok(flow)
                    })?;
                    return self.left(flow, left, at);
                }
            }
            let flow = self.once(&mut left, at, |shell| shell.list(body))?;
            if flow != Flow::Next {
                return self.left(flow, left, at);
            }
        }
        self.state.status = Status::Good;
        self.left(Flow::Next, left, at)
    }

    /// One time through a loop: how it goes on, `Next` also after its `continue`. Who may have left it is in `left`.
    fn once(
        &mut self,
        left: &mut Parked,
        at: &At,
        body: impl FnOnce(&mut Self) -> Result<Flow, Stop>,
    ) -> Result<Flow, Stop> {
        self.loops.push(Loop::default());
        let flow = body(self)?;
        let Loop { breaks, mut continues } = self.loops.pop().unwrap_or_default();
        left.extend(breaks);
        let mut flow = match flow {
            Flow::Continue(1) => Flow::Next,
            Flow::Continue(further) => Flow::Continue(further - 1),
            flow => flow,
        };
        if flow != Flow::Next
            && let Some((state, hole)) = continues.pop()
        {
            // Those that are here leave, and others go on.
            let leaving = std::mem::replace(&mut self.state, state);
            match &flow {
                Flow::Exit => {}
                Flow::Break(1) => left.push((leaving, hole)),
                flow => self.park(leaving, flow, &hole, at)?,
            }
            flow = Flow::Next;
        } else if flow == Flow::Exit
            && let Some((state, _)) = left.pop()
        {
            self.state = state;
            flow = Flow::Break(1);
        }
        self.gather(continues, at)?;
        Ok(flow)
    }

    /// A loop that runs any number of times, also none: until nothing more changes.
    fn any_times(
        &mut self,
        hole: &Rc<Hole>,
        at: &At,
        mut body: impl FnMut(&mut Self) -> Result<Flow, Stop>,
    ) -> Result<Flow, Stop> {
        loop {
            let before = self.state.clone();
            let mut left = Vec::new();
            let flow = self.either(hole, at, |shell| shell.once(&mut left, at, &mut body), |_| Ok(Flow::Next))?;
            let flow = self.left(flow, left, at)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
            self.state.status = Status::Open(hole.clone());
            if self.state == before {
                return Ok(Flow::Next);
            }
        }
    }

    pub(super) fn call(&mut self, body: &Node, arguments: Vec<Field>) -> Result<Flow, Stop> {
        self.state.frames.push(Frame { hidden: Vec::new(), arguments });
        self.returns.push(Vec::new());
        let loops = std::mem::take(&mut self.loops);
        let flow = self.node(body)?;
        self.loops = loops;
        let parked = self.returns.pop().unwrap_or_default();
        let flow = self.back(flow, parked, &body.at)?;
        if let Some(frame) = self.state.frames.pop() {
            for (name, variable) in frame.hidden.into_iter().rev() {
                match variable {
                    Some(variable) => _ = self.state.variables.insert(name, variable),
                    None => _ = self.state.variables.remove(&name),
                }
            }
        }
        Ok(flow)
    }

    /// Where a function or a sourced file comes back.
    pub(super) fn back(&mut self, flow: Flow, mut parked: Parked, at: &At) -> Result<Flow, Stop> {
        let mut flow = if flow == Flow::Return { Flow::Next } else { flow };
        if flow == Flow::Exit
            && let Some((state, _)) = parked.pop()
        {
            // Who ended the script is not here any more; those who returned are.
            self.state = state;
            flow = Flow::Next;
        }
        self.gather(parked, at)?;
        Ok(flow)
    }
}
