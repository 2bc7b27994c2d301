//! The tables that hold no arguments: machines, paths, restarts, alerts.

use std::{collections::BTreeMap, str::FromStr};

use super::{Value, document::Item};
use crate::{argument::Kind, finding::Finding, nearest::nearest};

/// The machines of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Their names or addresses, in order; the first is node0. Empty when a hostfile names them, or for this machine alone.
    pub hosts: Vec<String>,
    /// An MPI hostfile.
    pub hostfile: Option<String>,
    /// How many there are, for as long as nobody has read the hostfile.
    pub nodes: Option<u32>,
    /// Where the controller listens for the agents of the other machines: `10.0.0.1` or `10.0.0.1:7431`.
    pub address: Option<String>,
    /// GPUs of each machine.
    pub gpus_per_node: u32,
    /// Training and inference take turns on the same GPUs.
    pub colocate: bool,
    /// Rollout processes of the built-in engine.
    pub rollout_shards: u32,
    /// How to reach them.
    pub ssh: Ssh,
}

impl Default for Cluster {
    fn default() -> Self {
        Cluster {
            hosts: Vec::new(),
            hostfile: None,
            nodes: None,
            address: None,
            gpus_per_node: 8,
            colocate: false,
            rollout_shards: 2,
            ssh: Ssh::default(),
        }
    }
}

impl Cluster {
    /// How many machines: those that are named, or else `nodes`, or else this one.
    pub fn node_count(&self) -> usize {
        match self.hosts.len() {
            0 => self.nodes.map_or(1, |nodes| nodes as usize),
            named => named,
        }
    }
}

/// What `ssh` is told beside the host; what is not here is left to its own configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ssh {
    /// Whom to log in as.
    pub user: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// A configuration file instead of the user's own.
    pub config: Option<String>,
}

/// Where slime and its parts lie on the nodes, and where Ray listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// slime itself, with `train.py`.
    pub dir: String,
    /// Megatron-LM.
    pub megatron_dir: String,
    /// The Python that runs them.
    pub python: String,
    /// The `ray` executable.
    pub ray: String,
    /// The address that Ray's dashboard, and with it the Jobs API, is bound to on node0.
    pub dashboard_host: String,
    /// Its port.
    pub dashboard_port: u16,
    /// Port of Ray's own service on node0.
    pub gcs_port: u16,
    /// Where Ray keeps sockets and logs on every node; a directory of its own for each cluster. Short: sockets have
    /// at most 107 bytes. None stands for one that is named after the port.
    pub temp_dir: Option<String>,
    /// slime reports to rldeck and is tuned by it, through slime's own hooks.
    pub bridge: bool,
}

impl Default for Paths {
    fn default() -> Self {
        Paths {
            dir: "/root/slime".into(),
            megatron_dir: "/root/Megatron-LM/".into(),
            python: "python3".into(),
            ray: "ray".into(),
            dashboard_host: "127.0.0.1".into(),
            dashboard_port: 8265,
            gcs_port: 6379,
            temp_dir: None,
            bridge: true,
        }
    }
}

/// What happens without an operator when something dies.
#[derive(Clone, Debug, PartialEq)]
pub struct RestartPolicy {
    /// Restarts of the whole job within the window; 0 is never.
    pub max_restarts: u32,
    /// Length of that window.
    pub window_minutes: f64,
    /// Pause before the first restart of a window; it doubles with each further one.
    pub backoff_seconds: f64,
    /// Restarts in a row of attempts of slime that ended before their first optimizer step.
    pub early_restarts: u32,
    /// How often one rollout shard is started again in place, within an attempt, before the job is.
    pub shard_restarts: u32,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        RestartPolicy {
            max_restarts: 3,
            window_minutes: 60.0,
            backoff_seconds: 2.0,
            early_restarts: 1,
            shard_restarts: 3,
        }
    }
}

/// A bound on a metric, written `"rollout/raw_reward" = "< 0.1 for 20"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Name of the metric.
    pub metric: String,
    /// It calls when the metric is above the limit; otherwise when it is below.
    pub above: bool,
    /// The limit.
    pub limit: f64,
    /// In so many values one after the other.
    pub times: u32,
}

impl Alert {
    /// Reads `> 0.5` or `< 0.1 for 20`.
    pub fn read(metric: &str, condition: &str) -> Option<Alert> {
        let mut words = condition.trim();
        let above = words.starts_with('>');
        words = words.strip_prefix(['>', '<'])?.trim_start();
        let (limit, times) = match words.split_once(" for ") {
            Some((limit, times)) => (limit.trim(), times.trim().parse().ok().filter(|times| *times > 0)?),
            None => (words, 1),
        };
        let limit = limit.parse().ok().filter(|limit: &f64| limit.is_finite())?;
        Some(Alert { metric: metric.to_owned(), above, limit, times })
    }

    /// What [`Alert::read`] reads.
    pub fn condition(&self) -> String {
        let sign = if self.above { '>' } else { '<' };
        let times = if self.times > 1 { format!(" for {}", self.times) } else { String::new() };
        format!("{sign} {}{times}", self.limit)
    }
}

/// The tables of this file.
pub(super) const TABLES: [&str; 5] = ["cluster", "env", "slime", "restart", "alert"];

const fn whole(min: i64, max: i64) -> Kind {
    Kind::Int { min, max }
}

const CLUSTER: &[(&str, Kind)] = &[
    ("hosts", Kind::List),
    ("hostfile", Kind::Path),
    ("nodes", whole(1, 100_000)),
    ("address", Kind::Text),
    ("gpus-per-node", whole(1, 1024)),
    ("colocate", Kind::Flag),
    ("rollout-shards", whole(1, 256)),
    ("ssh-user", Kind::Path),
    ("ssh-port", PORT),
    ("ssh-config", Kind::Path),
];
const PORT: Kind = whole(1, 65_535);
const SLIME: &[(&str, Kind)] = &[
    ("dir", Kind::Path),
    ("megatron-dir", Kind::Path),
    ("python", Kind::Path),
    ("ray", Kind::Path),
    ("dashboard-host", Kind::Path),
    ("dashboard-port", PORT),
    ("gcs-port", PORT),
    ("temp-dir", Kind::Path),
    ("bridge", Kind::Flag),
];
const RESTART: &[(&str, Kind)] = &[
    ("max-restarts", whole(0, 1_000_000)),
    ("window-minutes", Kind::Float { min: 0.0, max: 1e6, above: true }),
    ("backoff-seconds", Kind::Float { min: 0.0, max: 86_400.0, above: false }),
    ("early-restarts", whole(0, 1_000_000)),
    ("shard-restarts", whole(0, 1_000_000)),
];

/// Its own spelling of a table's name, when it is one of these.
pub(super) fn table(name: &str) -> Option<&'static str> {
    TABLES.into_iter().find(|table| *table == name)
}

/// The keys of a table; none where they are free.
fn keys(table: &str) -> Option<&'static [(&'static str, Kind)]> {
    match table {
        "cluster" => Some(CLUSTER),
        "slime" => Some(SLIME),
        "restart" => Some(RESTART),
        _ => None,
    }
}

/// What may stand at a key.
pub(super) fn kind(table: &str, key: &str) -> Option<Kind> {
    keys(table)?.iter().find(|(known, _)| *known == key).map(|(_, kind)| *kind)
}

/// Whether a table has this key; reported when it has not.
pub(super) fn is_key(table: &str, item: &Item, findings: &mut Vec<Finding>) -> bool {
    let Some(keys) = keys(table) else { return true };
    let names = keys.iter().map(|(name, _)| *name);
    if names.clone().any(|name| name == item.key) {
        return true;
    }
    let text = match nearest(&item.key, names.clone()) {
        Some(meant) => format!("{} is unknown in [{table}]: did you mean {meant}?", item.key),
        None => format!("{} is unknown in [{table}]: its keys are {}", item.key, names.collect::<Vec<_>>().join(", ")),
    };
    findings.push(Finding::error(Some(item.place.clone()), text));
    false
}

/// The checked values of one table.
pub(super) type Values = BTreeMap<String, Value>;

fn text(values: &Values, key: &str) -> Option<String> {
    match values.get(key) {
        Some(Value::One(text)) => Some(text.clone()),
        _ => None,
    }
}

fn number<T: FromStr>(values: &Values, key: &str, default: T) -> T {
    text(values, key).and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn flag(values: &Values, key: &str, default: bool) -> bool {
    match values.get(key) {
        Some(Value::Flag) => true,
        Some(Value::One(text)) => text == "true",
        Some(Value::Many(_)) | None => default,
    }
}

impl Cluster {
    pub(super) fn new(values: &Values) -> Cluster {
        let usual = Cluster::default();
        Cluster {
            hosts: match values.get("hosts") {
                Some(Value::Many(hosts)) => hosts.clone(),
                Some(Value::One(host)) => vec![host.clone()],
                Some(Value::Flag) | None => usual.hosts,
            },
            hostfile: text(values, "hostfile"),
            nodes: text(values, "nodes").and_then(|text| text.parse().ok()),
            address: text(values, "address"),
            gpus_per_node: number(values, "gpus-per-node", usual.gpus_per_node),
            colocate: flag(values, "colocate", usual.colocate),
            rollout_shards: number(values, "rollout-shards", usual.rollout_shards),
            ssh: Ssh {
                user: text(values, "ssh-user"),
                port: text(values, "ssh-port").and_then(|text| text.parse().ok()),
                config: text(values, "ssh-config"),
            },
        }
    }
}

impl Paths {
    pub(super) fn new(values: &Values) -> Paths {
        let usual = Paths::default();
        Paths {
            dir: text(values, "dir").unwrap_or(usual.dir),
            megatron_dir: text(values, "megatron-dir").unwrap_or(usual.megatron_dir),
            python: text(values, "python").unwrap_or(usual.python),
            ray: text(values, "ray").unwrap_or(usual.ray),
            dashboard_host: text(values, "dashboard-host").unwrap_or(usual.dashboard_host),
            dashboard_port: number(values, "dashboard-port", usual.dashboard_port),
            gcs_port: number(values, "gcs-port", usual.gcs_port),
            temp_dir: text(values, "temp-dir"),
            bridge: flag(values, "bridge", usual.bridge),
        }
    }
}

impl RestartPolicy {
    pub(super) fn new(values: &Values) -> RestartPolicy {
        let usual = RestartPolicy::default();
        RestartPolicy {
            max_restarts: number(values, "max-restarts", usual.max_restarts),
            window_minutes: number(values, "window-minutes", usual.window_minutes),
            backoff_seconds: number(values, "backoff-seconds", usual.backoff_seconds),
            early_restarts: number(values, "early-restarts", usual.early_restarts),
            shard_restarts: number(values, "shard-restarts", usual.shard_restarts),
        }
    }
}
