/// Which rollout a step belongs to.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// As the caller says, then as seen; 0: not known.
    per_rollout: u64,
    /// The rollout whose steps are being taken, when its data was announced.
    current: Option<u64>,
    /// A step of the current rollout was seen.
    begun: bool,
    last: Option<u64>,
}

impl Steps {
    pub(super) fn new(per_rollout: u64) -> Steps {
        Steps { per_rollout, ..Steps::default() }
    }

    /// The data of a rollout is announced: its steps follow.
    pub(super) fn begins(&mut self, rollout: u64) {
        if self.current != Some(rollout) {
            (self.current, self.begun) = (Some(rollout), false);
        }
    }

    /// The steps of a rollout are over: they tell how many there are in one.
    pub(super) fn ended(&mut self, rollout: u64) {
        if let Some(steps) = self.last.map(|last| last + 1)
            && self.begun
            && steps.is_multiple_of(rollout + 1)
        {
            self.per_rollout = steps / (rollout + 1);
        }
        (self.current, self.begun) = (None, false);
    }

    pub(super) fn rollout_of(&mut self, step: u64) -> u64 {
        let first = !std::mem::replace(&mut self.begun, true);
        self.last = Some(step);
        match self.current {
            Some(rollout) => {
                // The first step of a rollout is its number times the steps in it.
                if first && rollout > 0 && step > 0 && step.is_multiple_of(rollout) {
                    self.per_rollout = step / rollout;
                }
                rollout
            }
            None => step.checked_div(self.per_rollout).unwrap_or(step),
        }
    }
}
