//! A job file to a job: all that is wrong with it is found at once.

use super::{
    Cluster, Engine, Facts, Job, Paths, RestartPolicy,
    document::{self, Document, Item, Raw},
    layer::Layer,
    recipe::{recipe, recipes},
    resolve::Resolver,
    rule::{self, Written},
    variable::Variables,
};
use crate::{
    finding::{Finding, Place},
    nearest::nearest,
    shard::Severity,
};

/// More findings than this help nobody.
const MOST: usize = 50;

/// A job with what should be looked at, or why there is none.
pub type Read = Result<(Job, Vec<Finding>), Vec<Finding>>;

impl Job {
    /// Reads a job file. `file` is its name for findings; `vars` gives the variables that `[env]` does not.
    /// What comes with the job are warnings; an `Err` holds every error there is, and the warnings too.
    pub fn read(text: &str, file: &str, vars: &dyn Fn(&str) -> Option<String>) -> Read {
        Job::read_with(text, file, vars, &Facts::default())
    }

    /// [`Job::read`] with what is known about the nodes, which more rules can then be judged by.
    pub fn read_with(text: &str, file: &str, vars: &dyn Fn(&str) -> Option<String>, facts: &Facts) -> Read {
        let (job, findings) = looked(text, file, vars, facts);
        match job.filter(|_| !findings.iter().any(Finding::blocks)) {
            Some(job) => Ok((job, findings)),
            None => Err(findings),
        }
    }

    /// [`Job::read_with`] for who wants to see a job that must not be launched: one that only breaks rules comes with
    /// what is said about it, errors too. There is none where the file itself cannot be read.
    pub fn look(
        text: &str,
        file: &str,
        vars: &dyn Fn(&str) -> Option<String>,
        facts: &Facts,
    ) -> (Option<Job>, Vec<Finding>) {
        let (job, findings) = looked(text, file, vars, facts);
        let readable = !findings.iter().any(|finding| finding.blocks() && finding.id.is_none());
        (job.filter(|_| readable), findings)
    }

    /// [`Job::read`] for the bytes of a file.
    pub fn read_bytes(bytes: &[u8], file: &str, vars: &dyn Fn(&str) -> Option<String>) -> Read {
        match std::str::from_utf8(bytes) {
            Ok(text) => Job::read(text, file, vars),
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                let text = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
                    "this is UTF-16: save the file as UTF-8"
                } else {
                    "this is not UTF-8 text: save the file as UTF-8"
                };
                let place = Place::new(file, u32::try_from(line).unwrap_or(u32::MAX));
                Err(vec![Finding::error(Some(place), text)])
            }
        }
    }

    /// A recipe as it is.
    pub fn from_recipe(name: &str, vars: &dyn Fn(&str) -> Option<String>) -> Read {
        match recipe(name) {
            Some(text) => Job::read(text, &recipe_file(name), vars),
            None => Err(vec![Finding::error(None, unknown_recipe(name))]),
        }
    }
}

/// What of a job can be read, and all that is said about it in order, as long as that helps.
fn looked(text: &str, file: &str, vars: &dyn Fn(&str) -> Option<String>, facts: &Facts) -> (Option<Job>, Vec<Finding>) {
    let mut findings = Vec::new();
    let job = read(text, file, vars, facts, &mut findings);
    // The file's own lines first, then the recipe's, then what has no line.
    findings.sort_by_key(|finding| match &finding.place {
        Some(place) if place.file == file => (0, place.line),
        Some(place) => (1, place.line),
        None => (2, 0),
    });
    let failed = findings.iter().any(Finding::blocks);
    let more = findings.len().saturating_sub(MOST);
    if more > 0 {
        findings.truncate(MOST);
        let text = format!("{more} more are not shown: is {file} the right file?");
        findings.push(if failed { Finding::error(None, text) } else { Finding::warning(None, text) });
    }
    (job, findings)
}

fn read(
    text: &str,
    file: &str,
    vars: &dyn Fn(&str) -> Option<String>,
    facts: &Facts,
    findings: &mut Vec<Finding>,
) -> Option<Job> {
    let document = document::parse(text, file).map_err(|errors| findings.extend(errors)).ok()?;
    if document.top.is_empty() && document.tables.iter().all(|table| table.items.is_empty()) {
        let text = "there is nothing in this file: write recipe = \"r1-mini\", or start from `rldeck init r1-mini`";
        findings.push(Finding::error(Some(Place::new(file, 1)), text));
        return None;
    }
    let mut written = Written::new(file, &document);
    let upper = Layer::new(document, findings);
    let base = base(&upper, file, findings);
    let complete = base.is_some();
    let layer = base.unwrap_or_default().under(upper).settled(findings);
    written.partial = findings.iter().any(|finding| finding.severity == Severity::Error);

    let variables = Variables::new(layer.settings("env"), vars, findings);
    written.places.extend(layer.settings("env").iter().map(|item| (format!("env.{}", item.key), item.place.clone())));
    let mut resolver = Resolver { layer: &layer, variables: &variables, findings, written };
    let recipe = resolver.text("recipe");
    let name = resolver.name(recipe.as_deref(), file);
    let cluster = Cluster::new(&resolver.values("cluster"));
    let alone = cluster.hosts.is_empty() && cluster.hostfile.is_none();
    let job = Job {
        name,
        engine: resolver.engine().unwrap_or(if alone { Engine::Embedded } else { Engine::Slime }),
        recipe,
        allow: resolver.allow(),
        arguments: resolver.arguments(),
        cluster,
        env: variables.env(),
        slime: Paths::new(&resolver.values("slime")),
        restart: RestartPolicy::new(&resolver.values("restart")),
        alerts: resolver.alerts(),
    };
    // Without its base, everything would be missing.
    if complete {
        let found = rule::check(&job, &resolver.written, facts);
        findings.extend(found);
    }
    Some(job)
}

/// The layer of the recipe that a file names, an empty one when it names none; `None` when it cannot be had.
fn base(upper: &Layer, file: &str, findings: &mut Vec<Finding>) -> Option<Layer> {
    let mut refuse = |item: &Item, text: String| {
        findings.push(Finding::error(Some(item.place.clone()), text));
        None
    };
    match upper.top("resolved") {
        Some(Item { raw: Raw::Bool(true), .. }) => return Some(Layer::default()),
        Some(Item { raw: Raw::Bool(false), .. }) | None => {}
        Some(item) => return refuse(item, format!("resolved is {}: it must be true or false", item.raw.described())),
    }
    let Some(item) = upper.top("recipe") else { return Some(Layer::default()) };
    let Raw::Text(name) = &item.raw else { return None };
    if file == recipe_file(name) {
        return Some(Layer::default());
    }
    let Some(text) = recipe(name) else { return refuse(item, unknown_recipe(name)) };
    let document: Document =
        document::parse(text, &recipe_file(name)).map_err(|errors| findings.extend(errors)).ok()?;
    Some(Layer::new(document, findings))
}

/// What findings call the file of a recipe.
fn recipe_file(name: &str) -> String {
    format!("recipe {name}")
}

fn unknown_recipe(name: &str) -> String {
    let names = recipes().iter().map(|(name, _)| *name);
    let quoted = crate::argument::quoted(name);
    match nearest(name, names.clone()) {
        Some(meant) => format!("the recipe {quoted} is unknown: did you mean {meant}?"),
        None => format!("the recipe {quoted} is unknown: there is {}", names.collect::<Vec<_>>().join(", ")),
    }
}
