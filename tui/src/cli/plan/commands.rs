//! The commands of a plan, as they can be copied into a shell. What is not a command stands behind a `#`, so that all
//! of it is a script.

use std::collections::BTreeMap;

use rldeck_core::plan::ray::{Launch, Start, shell};

use super::{Plan, fold::folded, page::WIDTH};
use crate::cli::{paint::Paint, table::wrapped};

/// What a person would type: Ray on every host, then the job.
pub(super) fn by_hand(plan: &Plan, launch: &Launch, all: bool, paint: Paint) -> Vec<String> {
    let Start { host, argv, .. } = &launch.head;
    let mut lines = note(&format!("on {host}, in {}", plan.job.slime.dir), paint);
    lines.extend(command(&shell(argv)));
    let shown = if all { launch.workers.len() } else { 1 };
    for Start { host, argv, .. } in launch.workers.iter().take(shown) {
        lines.extend(note(&format!("on {host}"), paint));
        lines.extend(command(&shell(argv)));
    }
    if let [first, rest @ ..] = launch.workers.get(shown..).unwrap_or_default() {
        let last = rest.last().map_or(String::new(), |last| format!(" .. {}", last.host));
        let text = format!("... the same on {}{last}, each with its own --node-ip-address (--all)", first.host);
        lines.extend(note(&text, paint));
    }
    let when = match launch.workers.len() {
        0 => String::new(),
        workers => format!(", once all {} nodes have joined", workers + 1),
    };
    lines.extend(note(&format!("on {host}{when}"), paint));
    lines.extend(command(&shell(&launch.submit)));
    lines
}

/// What rldeck adds to that.
pub(super) fn added(plan: &Plan, launch: &Launch, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    let mut part = |what: &str, line: &str| {
        if !line.is_empty() {
            lines.extend(note(what, paint));
            lines.extend(command(line));
        }
    };
    let start = &launch.head.added;
    let temp = "--temp-dir becomes one of each attempt and node";
    part(
        &format!("behind each `ray start` (one process to watch, ports away from slime's; {temp})"),
        &shell(&start.argv),
    );
    part("before it (only who has the token may use Ray)", &assigned(&start.env));
    part("behind `train.py` (reports to rldeck, takes live changes)", &shell(&launch.added.argv));
    part("in the environment of the driver", &assigned(&launch.added.env));
    part("in the environment of all processes, added or instead", &assigned(&launch.added.env_vars));
    let job = format!("in place of `ray job submit`: what Ray's Jobs API on {} runs", plan.hosts[0]);
    part(&job, &launch.entrypoint);
    lines
}

/// The processes of the built-in engine.
pub(super) fn shards(plan: &Plan, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    for spec in &plan.shards {
        lines.extend(note(&format!("{} on {}", spec.id.label(), spec.node), paint));
        lines.extend(command(&shell(&spec.argv)));
    }
    lines
}

fn command(line: &str) -> Vec<String> {
    folded(line, 2, WIDTH)
}

fn note(text: &str, paint: Paint) -> Vec<String> {
    wrapped(text, WIDTH - 4).into_iter().map(|line| format!("  {}", paint.dim(&format!("# {line}")))).collect()
}

/// `NAME=value` of each, for a shell.
fn assigned(env: &BTreeMap<String, String>) -> String {
    let each = |(name, value): (&String, &String)| format!("{name}={}", shell(std::slice::from_ref(value)));
    env.iter().map(each).collect::<Vec<_>>().join(" ")
}
