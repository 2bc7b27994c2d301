//! The plan for a person.

use rldeck_core::{
    finding::Finding,
    forecast::{Forecast, Group, gigabytes, grouped},
    job::Engine,
    shard::Severity,
};

use super::{Plan, commands, layout, numbers::counted};
use crate::cli::{paint::Paint, table::wrapped};

/// As wide as a page is at most, where its words let it.
pub(super) const WIDTH: usize = 100;

/// All of it, section by section.
pub(super) fn page(plan: &Plan, all: bool, paint: Paint) -> Vec<String> {
    let mut page = header(plan, paint);
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            page.extend([String::new(), paint.title(title)]);
            page.extend(lines);
        }
    };
    let slime = plan.job.engine == Engine::Slime;
    match &plan.layout {
        Ok(found) if slime => {
            section("layout", indented(layout::ranks(plan, found)));
            if !found.stage_layers().is_empty() {
                section("stages", indented(layout::stages(found)));
            }
            section("engines", indented(layout::engines(plan, found)));
        }
        Err(why) if plan.nodes.is_some() => {
            section("layout", why.iter().flat_map(|finding| text(&format!("none: {}", finding.text), 2)).collect());
        }
        _ => {}
    }
    if let Some(forecast) = &plan.forecast {
        section("forecast", self::forecast(forecast, paint));
    }
    page.push(String::new());
    page.extend(findings(&plan.findings, paint));
    let mut section = |title: &str, lines: Vec<String>| {
        page.extend([String::new(), paint.title(title)]);
        page.extend(lines);
    };
    match &plan.launch {
        _ if plan.blocked() => section("commands", vec!["  none: the job cannot be launched as it is".to_owned()]),
        Some(launch) => {
            section("commands", commands::by_hand(plan, launch, all, paint));
            section("what rldeck adds to run it safely", commands::added(plan, launch, paint));
        }
        None if slime => {}
        None => section("processes that rldeck starts", commands::shards(plan, paint)),
    }
    page
}

fn header(plan: &Plan, paint: Paint) -> Vec<String> {
    let job = &plan.job;
    let recipe = job.recipe.as_ref().map_or(String::new(), |recipe| format!(", recipe {recipe}"));
    let mut first = format!("{}  engine {}", paint.title(&job.name), job.engine.name());
    if job.engine == Engine::Slime {
        let each = job.cluster.gpus_per_node;
        let nodes = plan.nodes.map_or("? nodes".to_owned(), |nodes| counted(nodes, "node"));
        let all = plan.nodes.map_or(String::new(), |nodes| format!(" = {} GPUs", nodes as u64 * u64::from(each)));
        let turns = if job.cluster.colocate { ", training and engines take turns" } else { "" };
        first += &format!("  {nodes} x {each}{all}{turns}");
    }
    let from = if plan.file.starts_with("recipe ") { plan.file.clone() } else { format!("{}{recipe}", plan.file) };
    vec![first, format!("  {}", paint.dim(&from))]
}

/// What the job takes: each sum, then what it is the sum of.
fn forecast(forecast: &Forecast, paint: Paint) -> Vec<String> {
    let parameters = &forecast.parameters;
    let mut lines = vec![format!(
        "  {} parameters, {} of them at work for a token",
        grouped(parameters.total()),
        grouped(parameters.active())
    )];
    let peak = forecast.host_peak();
    for group in Group::ALL {
        if forecast.group(group).next().is_none() {
            continue;
        }
        let (total, room) = (forecast.total(group), room(forecast, group));
        let stage = if group == Group::Gpu { format!(" (stage pp{})", forecast.stage) } else { String::new() };
        let of = room.map_or(String::new(), |(room, what)| format!(", of {} {what}", gigabytes(room)));
        let line = format!("{:>10}  {}{stage}{of}", gigabytes(total), group.label());
        lines.push(match room {
            Some((room, _)) if total > room => paint.severity(Severity::Error, &format!("{line}: TOO MUCH")),
            _ => paint.title(&line),
        });
        for term in forecast.group(group) {
            lines.extend(figure(&gigabytes(term.bytes), &term.name, &term.formula, paint));
        }
        if group == Group::HostSave && peak > 0 {
            let line = format!("{:>10}  host memory at the worst moment, fullest node", gigabytes(peak));
            lines.push(paint.title(&line));
        }
    }
    if !forecast.counts.is_empty() {
        lines.push(paint.title("            tokens and requests"));
    }
    for count in &forecast.counts {
        lines.extend(figure(&grouped(count.count), &count.name, &count.formula, paint));
    }
    lines
}

/// What there is of it, where that is known.
fn room(forecast: &Forecast, group: Group) -> Option<(u64, &'static str)> {
    match group {
        Group::Gpu => Some((forecast.gpu_bytes(), "of an H100")),
        Group::Engine => Some((forecast.static_bytes()?, "for weights and cache")),
        _ => None,
    }
}

/// A figure with its formula, which has lines of its own when it is long.
fn figure(amount: &str, name: &str, formula: &str, paint: Paint) -> Vec<String> {
    let line = format!("  {amount:>14}  {name}");
    if line.chars().count() + 3 + formula.chars().count() <= WIDTH {
        return vec![format!("{line} {}", paint.dim(&format!("= {formula}")))];
    }
    let formula = wrapped(&format!("= {formula}"), WIDTH - 20);
    std::iter::once(line).chain(formula.iter().map(|part| format!("{:20}{}", "", paint.dim(part)))).collect()
}

/// All findings, errors first.
pub(super) fn findings(findings: &[Finding], paint: Paint) -> Vec<String> {
    let of = |severity: Severity| findings.iter().filter(move |finding| finding.severity == severity);
    let kinds = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "note")];
    let counts: Vec<String> = kinds
        .iter()
        .map(|(severity, what)| (of(*severity).count(), what))
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(count, what))
        .collect();
    let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
    let mut lines = vec![paint.title(&format!("findings: {counts}"))];
    for (severity, what) in kinds {
        for finding in of(severity) {
            let id = finding.id.as_ref().map_or(String::new(), |id| format!("  {id}"));
            let place = finding.place.as_ref().map_or(String::new(), |place| format!("  {place}"));
            lines.push(format!("  {}{id}{}", paint.severity(severity, what), paint.dim(&place)));
            lines.extend(text(&finding.text, 6));
        }
    }
    lines
}

fn text(text: &str, indent: usize) -> Vec<String> {
    wrapped(text, WIDTH - indent).into_iter().map(|line| " ".repeat(indent) + &line).collect()
}

fn indented(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("  {line}")).collect()
}
