//! DeepSeek-R1 as a job, changed at will.

use crate::job::{Job, Value};

/// The job file.
pub(crate) const R1: &str = include_str!("r1.toml");

/// DeepSeek-R1 on 16 nodes of 8 GPUs.
pub(crate) fn r1() -> Job {
    match Job::read(R1, "r1.toml", &|_| None) {
        Ok((job, _)) => job,
        Err(findings) => panic!("{findings:?}"),
    }
}

/// A job with changes: `name value`, `name` alone for a flag, `-name` to leave an argument out; `hosts N`,
/// `gpus-per-node N`, `apart` (not colocated), `env NAME=VALUE` and `-env NAME` for what is no argument.
pub(crate) fn changed(mut job: Job, changes: &[&str]) -> Job {
    for change in changes {
        let (name, value) = change.split_once(' ').unwrap_or((change, ""));
        match name {
            "hosts" => job.cluster.hosts = (1..=value.parse().unwrap()).map(|n: u32| format!("10.0.0.{n}")).collect(),
            "gpus-per-node" => job.cluster.gpus_per_node = value.parse().unwrap(),
            "apart" => job.cluster.colocate = false,
            "env" => {
                let (name, value) = value.split_once('=').unwrap();
                job.env.insert(name.to_owned(), value.to_owned());
            }
            "-env" => assert!(job.env.remove(value).is_some(), "{change}"),
            _ => set(&mut job, name, value),
        }
    }
    job
}

fn set(job: &mut Job, name: &str, value: &str) {
    if let Some(name) = name.strip_prefix('-') {
        let before = job.arguments.len();
        job.arguments.retain(|set| set.name != name);
        assert!(job.arguments.len() < before, "{name} was not set");
        return;
    }
    let value = match value.split_once(' ') {
        Some(_) => Value::Many(value.split(' ').map(str::to_owned).collect()),
        None if value.is_empty() => Value::Flag,
        None => Value::One(value.to_owned()),
    };
    let group = crate::argument::find(name).map_or(crate::argument::Group::Misc, |argument| argument.group);
    match job.arguments.iter_mut().rev().find(|set| set.name == name) {
        Some(known) => known.value = value,
        None => job.arguments.push(crate::job::Set { group, name: name.to_owned(), value }),
    }
}
