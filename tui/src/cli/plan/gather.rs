//! What this machine can tell about a job: its hostfile, the checkpoints it would go on from, its model.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use rldeck_core::{
    finding::{Finding, Place},
    host,
    job::{Checkpoints, Cluster, Engine, Facts, Job, model_mismatches},
};

use super::{HOME, Plan, RUN};
use crate::cli::cluster::beside;

/// No `config.json` and no tracker is larger; what is, is something else.
const LARGEST: u64 = 4 << 20;
/// What Megatron keeps beside checkpoints: the last of them.
const TRACKER: &str = "latest_checkpointed_iteration.txt";

/// Reads a job and what lies around it. Without a job in it, the findings say why there is none.
pub(super) fn gather(text: &str, file: &str) -> Result<Plan, Vec<Finding>> {
    // Two of them the controller gives, when it knows the run.
    let vars = |name: &str| match name {
        "RUN_DIR" => Some(format!("{HOME}/runs/{RUN}")),
        "CACHE" => Some(format!("{HOME}/cache")),
        name => std::env::var(name).ok(),
    };
    // Only a job says where its hostfile and checkpoints are.
    let (job, findings) = Job::look(text, file, &vars, &Facts::default());
    let Some(job) = job else { return Err(findings) };
    let mut more = Vec::new();
    let hosts = hosts(&job, file, &mut more);
    let mut facts = Facts { hosts: hosts.clone().unwrap_or_default(), ..Facts::default() };
    let named = match (&hosts, &job.cluster) {
        (Some(hosts), _) => Some(hosts.len()),
        (None, Cluster { hostfile: Some(_), nodes, .. }) => nodes.map(|nodes| nodes as usize),
        (None, cluster) => Some(cluster.node_count()),
    };
    facts.nodes = named.and_then(|nodes| u32::try_from(nodes).ok());
    let mut unseen = Vec::new();
    if job.engine == Engine::Slime {
        facts.load = load(&job, &mut unseen);
        more.extend(model(&job, &mut unseen));
    }
    let (job, found) = Job::look(text, file, &vars, &facts);
    let Some(job) = job else { return Err(found) };
    // What is wrong around the job comes before what is wrong in it.
    let mut findings = more;
    findings.extend(found);
    if !unseen.is_empty() {
        findings.push(Finding::info(None, format!("not seen from here, and so not looked at: {}", unseen.join(", "))));
    }
    Ok(Plan::new(file, &job, findings, hosts, named))
}

/// The hosts that are named; none where nobody names them, or not where this machine can read it.
fn hosts(job: &Job, file: &str, findings: &mut Vec<Finding>) -> Option<Vec<String>> {
    let cluster = &job.cluster;
    let hosts = match &cluster.hostfile {
        _ if job.engine != Engine::Slime => return None,
        Some(path) => {
            let path = beside(file, path);
            match fs::read_to_string(&path) {
                Ok(text) => host::read(&text, &path.display().to_string()),
                Err(error) => {
                    findings.push(Finding::warning(None, unread(&path, &error.to_string(), cluster)));
                    return None;
                }
            }
        }
        None if cluster.hosts.is_empty() => return None,
        None => host::list(&cluster.hosts, &Place::new(file, 1)),
    };
    match hosts {
        Ok(hosts) => {
            findings.extend(host::check_slots(&hosts, cluster.gpus_per_node));
            Some(hosts.into_iter().map(|host| host.name).collect())
        }
        Err(wrong) => {
            findings.extend(wrong);
            None
        }
    }
}

fn unread(path: &Path, error: &str, cluster: &Cluster) -> String {
    let instead = match cluster.nodes {
        Some(nodes) => format!("this plan is for nodes = {nodes} of [cluster], which are called node0, node1, ..."),
        None => "nobody knows how many nodes there are: write nodes = 16 below [cluster] to plan without it".to_owned(),
    };
    format!("hostfile {} cannot be read here ({error}): {instead}", path.display())
}

/// What is in the directory `load`. That it is not there means something only on a machine that has what the job begins
/// with.
fn load(job: &Job, unseen: &mut Vec<String>) -> Option<Checkpoints> {
    let dir = absolute(job, "load")?;
    let Ok(entries) = fs::read_dir(&dir) else {
        let there =
            ["ref-load", "hf-checkpoint"].iter().any(|name| absolute(job, name).is_some_and(|dir| dir.is_dir()));
        if !there || dir.exists() {
            unseen.push(format!("load ({})", dir.display()));
            return None;
        }
        return Some(Checkpoints::default());
    };
    let names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    Some(Checkpoints {
        tracker: small(&dir.join(TRACKER)),
        iterations: names.iter().filter_map(|name| name.strip_prefix("iter_")?.parse().ok()).collect(),
        config: names.iter().any(|name| name == "config.json"),
        made_with: BTreeMap::new(),
    })
}

/// Where the job's model is another one than its `hf-checkpoint`.
fn model(job: &Job, unseen: &mut Vec<String>) -> Vec<Finding> {
    let Some(dir) = absolute(job, "hf-checkpoint") else { return Vec::new() };
    if !dir.is_dir() {
        unseen.push(format!("hf-checkpoint ({})", dir.display()));
        return Vec::new();
    }
    let path = dir.join("config.json");
    match small(&path).and_then(|text| serde_json::from_str(&text).ok()) {
        Some(config) => model_mismatches(job, &config),
        None => {
            let text = format!("hf-checkpoint has no {} that can be read: is it a checkpoint?", path.display());
            vec![Finding::warning(None, text)]
        }
    }
}

/// The path that an argument names; one that is not absolute is meant from where the job runs, or is a name on a hub.
fn absolute(job: &Job, name: &str) -> Option<PathBuf> {
    job.value(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The text of an ordinary file: a pipe would wait.
fn small(path: &Path) -> Option<String> {
    let meta = fs::metadata(path).ok()?;
    (meta.is_file() && meta.len() <= LARGEST).then(|| fs::read_to_string(path).ok())?
}
