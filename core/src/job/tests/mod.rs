use std::collections::BTreeMap;

use super::*;
use crate::finding::Finding;

mod change;
mod expansion;
mod file;
mod layering;
mod mistake;
mod mutation;
pub(crate) mod r1;
mod rule;
mod together;
mod written;

/// The variables that rldeck itself gives.
fn vars(name: &str) -> Option<String> {
    match name {
        "CACHE" => Some("/cache".to_owned()),
        "RUN_DIR" => Some("/runs/7".to_owned()),
        "HOME" => Some("/home/ada".to_owned()),
        _ => None,
    }
}

/// What reading a file says, line by line.
fn said(text: &str) -> Vec<String> {
    let findings = match Job::read(text, "job.toml", &vars) {
        Ok((_, findings)) | Err(findings) => findings,
    };
    findings.iter().map(Finding::to_string).collect()
}

/// Reads a file that runs as it is; there may be warnings.
fn good(text: &str) -> Job {
    match Job::read(text, "job.toml", &vars) {
        Ok((job, _)) => job,
        _ => panic!("{text}\n{}", said(text).join("\n")),
    }
}

/// r1-mini with more.
fn mini(more: &str) -> Job {
    good(&format!("recipe = \"r1-mini\"\n{more}"))
}

/// [`SLIME`] with more.
fn slime(more: &str) -> Job {
    good(&format!("{SLIME}{more}"))
}

fn changes<const N: usize>(of: [(&str, &str); N]) -> BTreeMap<String, String> {
    of.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

/// A slime job that has nothing wrong with it; lines may follow, tables may not repeat.
const SLIME: &str = r#"engine = "slime"
[cluster]
hosts = ["node0", "node1"]
[checkpoint]
hf-checkpoint = "/data/R1"
[rollout]
prompt-data = "/data/train.jsonl"
num-rollout = 100
rollout-batch-size = 8
n-samples-per-prompt = 4
"#;

/// Each: a file, and what is said.
fn check(cases: &[(&str, &[&str])]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let said: Vec<String> = said(text).into_iter().map(any_line).collect();
        if said != *expected {
            wrong.push_str(&format!("--- {text}\n    said\n{}\n    not\n{}\n", said.join("\n"), expected.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Lines of the recipe may move.
fn any_line(finding: String) -> String {
    match finding.split_once("recipe r1-mini:") {
        Some((before, after)) => {
            format!("{before}recipe r1-mini:N{}", after.trim_start_matches(|letter: char| letter.is_ascii_digit()))
        }
        None => finding,
    }
}
