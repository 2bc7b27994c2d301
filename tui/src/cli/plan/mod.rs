//! `rldeck plan`: what a job would be and what it would run, without a controller and without starting anything.

mod commands;
mod fold;
mod gather;
mod json;
mod layout;
mod numbers;
mod page;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fs, path::PathBuf, process::ExitCode};

use clap::Args;
use rldeck_core::{
    finding::Finding,
    forecast::{Forecast, Machine},
    job::{self, Engine, Job},
    layout::Layout,
    nearest::nearest,
    plan::{
        self,
        ray::{self, Launch},
    },
    run::Run,
    shard::Spec,
};

use super::{Failure, paint::Paint, say};

/// The exit status when there is nothing to plan.
const UNREADABLE: u8 = 2;
/// Stand where the controller's home and the name of the run will be.
const HOME: &str = "<home>";
const RUN: &str = "<run>";

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// The job file
    #[arg(required_unless_present = "recipe", conflicts_with = "recipe")]
    job: Option<PathBuf>,
    /// A recipe as it is
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// Write out the commands of all hosts
    #[arg(long)]
    all: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// A job with all that follows from it; secrets are masked.
#[derive(Debug)]
struct Plan {
    /// Where it is written.
    file: String,
    job: Job,
    /// Errors first.
    findings: Vec<Finding>,
    /// How many nodes, where anybody knows.
    nodes: Option<usize>,
    /// In the order of the hostfile; node0, node1, ... where it could not be read.
    hosts: Vec<String>,
    /// Or why there is none.
    layout: Result<Layout, Vec<Finding>>,
    forecast: Option<Forecast>,
    /// What runs on Ray; nothing for the built-in engine.
    launch: Option<Launch>,
    /// The processes of the built-in engine.
    shards: Vec<Spec>,
}

impl Plan {
    fn new(
        file: &str,
        job: &Job,
        mut findings: Vec<Finding>,
        hosts: Option<Vec<String>>,
        nodes: Option<usize>,
    ) -> Plan {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let job = job.masked();
        let count = nodes.unwrap_or(0);
        let hosts = hosts.unwrap_or_else(|| (0..count).map(|node| format!("node{node}")).collect());
        let layout = Layout::new(&job, count);
        let forecast = Forecast::new(&job, count, &Machine::default());
        let slime = job.engine == Engine::Slime;
        let launch = (slime && count > 0).then(|| ray::launch(&job, &BTreeMap::new(), &hosts, &[]));
        let shards = if slime { Vec::new() } else { shards(&job) };
        Plan { file: file.to_owned(), job, findings, nodes, hosts, layout, forecast, launch, shards }
    }

    /// Something keeps the job from being launched.
    fn blocked(&self) -> bool {
        self.findings.iter().any(Finding::blocks)
    }
}

/// What the built-in engine would run here.
fn shards(job: &Job) -> Vec<Spec> {
    let hosts = ["node0", "node1"].map(str::to_owned).into();
    plan::shards(&Run {
        id: RUN.to_owned(),
        home: HOME.to_owned(),
        job: Some(job.clone()),
        attempt: 1,
        hosts,
        ..Run::default()
    })
}

impl PlanArgs {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let (text, file) = match self.source() {
            Ok(source) => source,
            Err(why) => {
                eprintln!("rldeck: {why}");
                return Ok(ExitCode::from(UNREADABLE));
            }
        };
        let plan = match gather::gather(&text, &file) {
            Ok(plan) => plan,
            Err(findings) => {
                match self.json {
                    true => say(json::findings(&findings).to_string()),
                    false => say(page::findings(&findings, Paint::stdout()).join("\n")),
                }
                return Ok(ExitCode::FAILURE);
            }
        };
        match self.json {
            true => say(json::plan(&plan).to_string()),
            false => say(page::page(&plan, self.all, Paint::stdout()).join("\n")),
        }
        Ok(if plan.blocked() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    /// The text to plan, and what findings call it.
    fn source(&self) -> Result<(String, String), String> {
        let Some(name) = &self.recipe else {
            let path = self.job.clone().unwrap_or_default();
            let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let text = String::from_utf8(bytes)
                .map_err(|_| format!("{}: this is not a text file (UTF-8 is expected)", path.display()))?;
            return Ok((text, path.display().to_string()));
        };
        let names = || job::recipes().iter().map(|(name, _)| *name);
        match job::recipe(name) {
            Some(text) => Ok((text.to_owned(), format!("recipe {name}"))),
            None => Err(match nearest(name, names()) {
                Some(near) => format!("there is no recipe {name:?}; did you mean {near}?"),
                None => format!("there is no recipe {name:?}; there is {}", names().collect::<Vec<_>>().join(", ")),
            }),
        }
    }
}
