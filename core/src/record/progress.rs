//! Bars are redrawn many times a second; what is reported of them is bounded.

use super::Bar;
use crate::shard::{Millis, Report};

/// Time between two reports of a bar.
const PAUSE: Millis = 300;

/// The phase that a bar belongs to and what it counts. Nothing for bars that say nothing of the job.
pub(super) fn meaning(about: &str) -> Option<(&'static str, &'static str)> {
    match about {
        "Rollout generation" => Some(("generate", "samples")),
        "ref forward" | "teacher forward" => Some(("ref", "microbatches")),
        "actor forward" | "critic forward" => Some(("logprob", "microbatches")),
        "actor train" | "critic train" => Some(("train", "microbatches")),
        "Save HF checkpoint" => Some(("save", "steps")),
        _ if about.starts_with("Eval ") => Some(("eval", "samples")),
        _ if about.ends_with("Update weights") || about.ends_with("Update expert weights") => Some(("sync", "steps")),
        _ if about.starts_with("Loading ") && about.ends_with("shards") => Some(("load", "files")),
        _ => None,
    }
}

/// No process draws more bars at a time.
const MOST: usize = 8;

/// The bars of one file, by what they are about.
#[derive(Debug, Default)]
pub(super) struct Progressing(Vec<Drawn>);

#[derive(Debug)]
struct Drawn {
    about: String,
    unit: &'static str,
    told: Option<(u64, u64)>,
    at: Millis,
    /// Seen, not yet told.
    waiting: Option<(u64, u64)>,
}

impl Progressing {
    pub(super) fn bar(&mut self, bar: &Bar<'_>, unit: &'static str, now: Millis, out: &mut impl FnMut(Report)) {
        let known = self.0.iter().position(|drawn| drawn.about == bar.about);
        let at = known.unwrap_or_else(|| {
            if self.0.len() == MOST {
                self.0.remove(0);
            }
            self.0.push(Drawn { about: bar.about.clone().into_owned(), unit, told: None, at: now, waiting: None });
            self.0.len() - 1
        });
        let drawn = &mut self.0[at];
        let seen = (bar.done, bar.total.unwrap_or(0));
        drawn.waiting = (drawn.told != Some(seen)).then_some(seen);
        let ends = bar.total == Some(bar.done);
        // A bar that begins again has another total or a smaller count.
        let begins = drawn.told.is_none_or(|(done, total)| seen.0 < done || seen.1 != total);
        if ends || begins {
            drawn.tell(now, out);
        } else {
            drawn.settle(now, out);
        }
    }

    /// Tells what was held back, when it is time.
    pub(super) fn settle(&mut self, now: Millis, out: &mut impl FnMut(Report)) {
        for drawn in &mut self.0 {
            drawn.settle(now, out);
        }
    }

    /// Another phase: what was held back is no news any more.
    pub(super) fn forget(&mut self) {
        for drawn in &mut self.0 {
            drawn.waiting = None;
        }
    }
}

impl Drawn {
    fn settle(&mut self, now: Millis, out: &mut impl FnMut(Report)) {
        if now.saturating_sub(self.at) >= PAUSE {
            self.tell(now, out);
        }
    }

    fn tell(&mut self, now: Millis, out: &mut impl FnMut(Report)) {
        if let Some((done, total)) = self.waiting.take() {
            (self.told, self.at) = (Some((done, total)), now);
            out(Report::Progress { unit: self.unit.to_owned(), done, total });
        }
    }
}
