//! Which phase of which rollout a process is in, as its timers and bars tell.

use crate::shard::Report;

/// No more timers run inside of one another.
const DEEPEST: usize = 16;
/// Longest name of a timer that is shown.
const LONGEST_NAME: usize = 40;

/// The phase that a timer of slime belongs to. Names that are not known are their own phase.
fn phase_of(timer: &str) -> &str {
    match timer {
        "data_preprocess" => "data",
        "ref_log_probs" | "teacher_log_probs" | "ref_model_update" => "ref",
        "log_probs" => "logprob",
        "actor_train" | "critic_train" => "train",
        "sleep" | "wake_up" => "offload",
        "update_weights" => "sync",
        "save_model" => "save",
        other => other,
    }
}

/// Follows timers, which nest, and makes them one phase after the other.
///
/// slime's trainer is always inside of `train` or `train_wait`. `train` has no phase of its own: the one before lasts
/// until the next. `train_wait` holds saving, sending the weights and then the wait for the next rollout: only the last
/// is `generate`.
#[derive(Debug, Default)]
pub(super) struct Phases {
    /// Timers that run, the outermost first.
    running: Vec<String>,
    /// The rollout at work.
    rollout: u64,
    /// The rollout at work is trained: what follows may belong to the next.
    trained: bool,
    /// The engines have its weights.
    sent: bool,
    /// Timers were seen: bars tell no phases then.
    timed: bool,
    shown: (String, u64),
}

impl Phases {
    pub(super) fn new(rollout: u64) -> Phases {
        Phases { rollout, ..Phases::default() }
    }

    /// The rollout at work.
    pub(super) fn rollout(&self) -> u64 {
        self.rollout
    }

    /// The rollout being generated.
    fn next(&self) -> u64 {
        self.rollout + u64::from(self.trained)
    }

    pub(super) fn start(&mut self, timer: &str, out: &mut impl FnMut(Report)) {
        self.timed = true;
        // Its end was lost.
        if let Some(at) = self.running.iter().position(|running| running == timer) {
            self.running.truncate(at);
        }
        if self.running.len() < DEEPEST {
            self.running.push(timer.chars().take(LONGEST_NAME).collect());
        }
        let of_next = match timer {
            "train" | "data_preprocess" | "ref_log_probs" | "teacher_log_probs" | "log_probs" | "actor_train" => true,
            "wake_up" => self.sent,
            _ => false,
        };
        if of_next {
            if self.trained {
                self.work_on(self.rollout + 1);
            }
            // Its data is there: nothing is waited for any more.
            self.sent = false;
        }
        self.show_innermost(out);
    }

    pub(super) fn end(&mut self, timer: &str, out: &mut impl FnMut(Report)) {
        self.timed = true;
        match timer {
            "train" => (self.trained, self.sent) = (true, false),
            "update_weights" => self.sent = true,
            _ => {}
        }
        if let Some(at) = self.running.iter().rposition(|running| running == timer) {
            self.running.truncate(at);
        }
        self.show_innermost(out);
    }

    /// The data of this rollout has come to the trainer.
    pub(super) fn work_on(&mut self, rollout: u64) {
        if rollout != self.rollout || self.trained {
            (self.rollout, self.trained, self.sent) = (rollout, false, false);
        }
    }

    /// The trainer is done with this rollout.
    pub(super) fn trained(&mut self, rollout: u64) {
        if rollout != self.rollout || !self.trained {
            (self.rollout, self.trained, self.sent) = (rollout, true, false);
        }
    }

    /// A step of this rollout was taken.
    pub(super) fn work_on_if_later(&mut self, rollout: u64) {
        if rollout > self.rollout {
            self.work_on(rollout);
        }
    }

    /// A step was taken: where only the outer timer is printed, this is how training shows.
    pub(super) fn stepped(&mut self, out: &mut impl FnMut(Report)) {
        if self.running.last().is_some_and(|timer| timer == "train") {
            self.show("train", self.rollout, out);
        }
    }

    /// A bar moves in a process that prints no timers.
    pub(super) fn bar(&mut self, phase: &str, out: &mut impl FnMut(Report)) {
        if !self.timed {
            if self.trained && matches!(phase, "ref" | "logprob" | "train") {
                self.work_on(self.rollout + 1);
            }
            let rollout = match phase {
                "generate" => self.next(),
                "eval" => self.rollout.saturating_sub(1),
                _ => self.rollout,
            };
            self.show(phase, rollout, out);
        }
    }

    /// What a bar told of has ended.
    pub(super) fn bar_ended(&mut self, phase: &str, out: &mut impl FnMut(Report)) {
        if !self.timed && self.shown.0 == phase {
            self.show("", self.rollout, out);
        }
    }

    fn show_innermost(&mut self, out: &mut impl FnMut(Report)) {
        match self.running.last().map(String::as_str) {
            Some("train") => {}
            None | Some("train_wait") if self.sent => self.show("generate", self.next(), out),
            None | Some("train_wait") => self.show("", self.rollout, out),
            Some(timer) => {
                let phase = phase_of(timer).to_owned();
                self.show(&phase, self.rollout, out);
            }
        }
    }

    fn show(&mut self, phase: &str, rollout: u64, out: &mut impl FnMut(Report)) {
        // Idle is idle, whatever the rollout.
        if self.shown.0 == phase && (self.shown.1 == rollout || phase.is_empty()) {
            return;
        }
        self.shown = (phase.to_owned(), rollout);
        out(Report::Phase { name: phase.to_owned(), rollout });
    }
}
