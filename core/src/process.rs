//! What a process of a slime job is, as its title tells.
//!
//! Ray's workers write the method they are in into their title (`ray::MegatronTrainRayActor.train`), SGLang's schedulers
//! their ranks (`sglang::scheduler_DP1_TP9_EP9`). Both write over the memory that held their arguments and environment, so
//! that nothing else tells.

use serde::{Deserialize, Serialize};

/// A process that no shard of ours holds: Ray's, SGLang's or slime's, or one with memory on a GPU. Named so exactly that
/// nothing else can be meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// Process id.
    pub pid: u32,
    /// Start time in clock ticks since boot.
    pub start_ticks: u64,
    /// The boot that these are counted from.
    pub boot_id: String,
    /// What it calls itself, cut when it is long.
    pub title: String,
    /// User id of its owner.
    pub user: u32,
    /// Seconds since its start.
    pub age: u64,
    /// GPU that it holds memory on.
    pub gpu: Option<u32>,
    /// So much, bytes.
    pub gpu_memory: u64,
}

/// What a title says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    /// `trainer`, `rollout manager`, `engine`, `scheduler`, ...
    pub role: String,
    /// Its ranks within its engine: `dp1 tp9 ep9`; empty for the others.
    pub ranks: String,
    /// The method it is in; empty between calls.
    pub doing: String,
}

impl Title {
    fn new(role: impl Into<String>) -> Title {
        Title { role: role.into(), ranks: String::new(), doing: String::new() }
    }
}

impl Title {
    /// It does something for the job, and is not one of those that Ray keeps beside.
    pub fn works(&self) -> bool {
        !matches!(
            self.role.as_str(),
            "lock" | "idle worker" | "job supervisor" | "ray agent" | "ray dashboard" | "ray log monitor"
        )
    }
}

/// Reads a title, arguments and all; `None` for a process that is none of Ray's, SGLang's or slime's.
pub fn title(text: &str) -> Option<Title> {
    if let Some(worker) = text.strip_prefix("ray::") {
        let name = worker.split([' ', '(']).next().unwrap_or_default();
        let (class, method) = name.split_once('.').unwrap_or((name, ""));
        let role = match class {
            "MegatronTrainRayActor" => "trainer",
            "RolloutManager" => "rollout manager",
            "SGLangEngine" => "engine",
            "Lock" => "lock",
            "IDLE" => "idle worker",
            "JobSupervisor" => "job supervisor",
            "DashboardAgent" | "RuntimeEnvAgent" => "ray agent",
            other => other,
        };
        return Some(Title { doing: method.to_owned(), ..Title::new(role) });
    }
    if let Some(part) = text.strip_prefix("sglang::") {
        let name = part.split([' ', '(']).next().unwrap_or_default();
        let (name, ranks) = match name.split_once("_DP").or_else(|| name.split_once("_TP")) {
            Some((first, _)) => (first, &name[first.len()..]),
            None => (name, ""),
        };
        let role = if name == "data_parallel_controller" { "engine controller" } else { name };
        return Some(Title { ranks: ranks_of(ranks), ..Title::new(role) });
    }
    let program = text.split(' ').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    match program {
        "raylet" | "gcs_server" => return Some(Title::new(program)),
        _ if program.starts_with("ray-dashboard") => return Some(Title::new("ray dashboard")),
        _ => {}
    }
    let has = |word: &str| text.split([' ', '/']).any(|part| part == word);
    match () {
        () if has("log_monitor.py") => Some(Title::new("ray log monitor")),
        () if has("dashboard.py") || has("monitor.py") => Some(Title::new("ray dashboard")),
        () if has("train.py") || has("train_async.py") => Some(Title::new("driver")),
        () => None,
    }
}

/// `_DP1_TP9_EP9` to `dp1 tp9 ep9`.
fn ranks_of(text: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in text.split('_').filter(|part| !part.is_empty()) {
        // ATTN_CP0 and MOE_DP0 are one rank in two parts.
        match parts.last_mut().filter(|last| !last.ends_with(|c: char| c.is_ascii_digit())) {
            Some(last) => *last = format!("{last}-{}", part.to_ascii_lowercase()),
            None => parts.push(part.to_ascii_lowercase()),
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_tell_role_ranks_and_method() {
        let said = |text: &str| title(text).map(|title| (title.role, title.ranks, title.doing));
        let is = |role: &str, ranks: &str, doing: &str| Some((role.to_owned(), ranks.to_owned(), doing.to_owned()));
        assert_eq!(said("ray::MegatronTrainRayActor.train"), is("trainer", "", "train"));
        assert_eq!(said("ray::MegatronTrainRayActor"), is("trainer", "", ""));
        assert_eq!(said("ray::RolloutManager.generate"), is("rollout manager", "", "generate"));
        assert_eq!(said("ray::IDLE"), is("idle worker", "", ""));
        assert_eq!(said("ray::Mine.f"), is("Mine", "", "f"));
        assert_eq!(said("sglang::scheduler_DP1_TP9_EP9"), is("scheduler", "dp1 tp9 ep9", ""));
        assert_eq!(said("sglang::scheduler_TP3"), is("scheduler", "tp3", ""));
        assert_eq!(said("sglang::scheduler_DP0_ATTN_CP1_TP2"), is("scheduler", "dp0 attn-cp1 tp2", ""));
        assert_eq!(said("sglang::detokenizer"), is("detokenizer", "", ""));
        assert_eq!(said("/venv/bin/python3 train.py --lr 1e-6"), is("driver", "", ""));
        assert_eq!(said("/x/ray/core/src/ray/raylet/raylet --node_ip_address=10.0.0.1"), is("raylet", "", ""));
        assert_eq!(said("vim my_train.py"), None);
        assert_eq!(said(""), None);
    }
}
