use super::{Scheduler, Source};

/// Who writes a file, as far as the file itself tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Class of the actor: `MegatronTrainRayActor`, `RolloutManager`, `SGLangEngine`.
    pub actor: Option<String>,
    /// Ray's job id.
    pub job: Option<String>,
    /// Rank among the trainers.
    pub rank: Option<u32>,
    /// The first scheduler of the engine that runs here.
    pub scheduler: Option<Scheduler>,
    /// Where the engine of this file listens, `host:port`.
    pub address: Option<String>,
    /// Number of the engine, when the caller knows it (see [`Addresses`](super::Addresses)).
    pub engine: Option<u32>,
    /// Lines of other processes are forwarded into this file: it is the driver's.
    pub driver: bool,
}

impl Identity {
    /// A short name: `rank 27`, `rollout manager`, `engine 0.3` (the fourth part of engine 0), `driver`.
    pub fn label(&self) -> Option<String> {
        if self.driver {
            return Some("driver".to_owned());
        }
        let actor = self.actor.as_deref().unwrap_or_default();
        let part = self.scheduler.and_then(|first| first.dp.or(first.tp));
        Some(match (actor, self.rank, self.engine, part) {
            ("RolloutManager", ..) => "rollout manager".to_owned(),
            ("SGLangEngine", _, Some(engine), Some(part)) => format!("engine {engine}.{part}"),
            ("SGLangEngine", _, Some(engine), None) => format!("engine {engine}"),
            ("SGLangEngine", _, None, Some(part)) => format!("engine part {part}"),
            ("SGLangEngine", _, None, None) => "engine".to_owned(),
            (_, Some(rank), ..) => format!("rank {rank}"),
            ("", ..) => return None,
            (actor, ..) if actor.contains("Train") => "trainer".to_owned(),
            (actor, ..) => actor.to_owned(),
        })
    }

    pub(super) fn forwarded(&mut self, _from: &Source<'_>) {
        self.driver = true;
    }

    /// SGLang's torch numbers its processes too: only a trainer's rank is one.
    pub(super) fn rank(&mut self, rank: u32) {
        let is_trainer = self.actor.as_deref().is_none_or(|actor| actor.contains("Train"));
        if is_trainer && self.scheduler.is_none() && !self.driver {
            self.rank = Some(rank);
        }
    }

    pub(super) fn scheduler(&mut self, seen: Scheduler) {
        if !self.driver && self.scheduler.is_none_or(|first| seen < first) {
            self.scheduler = Some(seen);
        }
    }
}
