//! `rldeck plan`: a shell that is given what it prints runs exactly what it says in JSON.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::rig::RLDECK;

/// What slime's own script gives `train.py`.
const R1: &str = include_str!("../core/src/plan/ray/deepseek-r1.txt");

/// Stands for `ray` and for `python3`: writes down its arguments, one call after the other.
const SCRIBE: &str = "#!/bin/sh
{ for word in \"${0##*/}\" \"$@\"; do printf '%s\\0' \"$word\"; done; printf '\\n\\0'; } >> \"$CALLS\"
";

/// A directory with a job on so many hosts, and programs that write down how they are called.
fn given(job: &str, hosts: usize) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let lines: Vec<String> = (1..=hosts).map(|host| format!("10.0.0.{host} slots=8\n")).collect();
    fs::write(at.join("hosts"), lines.concat()).unwrap();
    fs::create_dir_all(at.join("my slime")).unwrap();
    fs::create_dir(at.join("bin")).unwrap();
    fs::write(at.join("job.toml"), job.replace("DIR", &at.display().to_string())).unwrap();
    for program in ["ray", "python3"] {
        let path = at.join("bin").join(program);
        fs::write(&path, SCRIBE).unwrap();
        let made = Command::new("chmod").arg("+x").arg(&path).status().unwrap();
        assert!(made.success());
    }
    dir
}

fn plan(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(RLDECK).arg("plan").args(args).current_dir(dir).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn json(dir: &Path) -> Value {
    let (code, out, err) = plan(dir, &["job.toml", "--json"]);
    assert_eq!(code, Some(0), "{err}");
    serde_json::from_str(&out).unwrap()
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// The lines of a section.
fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n{title}\n")).unwrap_or_else(|| panic!("{title}: {page}"));
    rest.split("\n\n").next().unwrap()
}

/// What was called when a shell ran this.
fn run(dir: &Path, script: &str) -> Vec<Vec<String>> {
    let calls = dir.join("calls");
    let _ = fs::remove_file(&calls);
    let path = format!("{}:/usr/bin:/bin", dir.join("bin").display());
    let output = Command::new("sh").arg("-c").arg(script).env("PATH", path).env("CALLS", &calls).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = fs::read_to_string(calls).unwrap();
    let calls = text.split_terminator("\n\0");
    calls.map(|call| call.split_terminator('\0').map(str::to_owned).collect()).collect()
}

#[test]
fn scripts_get_the_whole_plan_of_r1() {
    let dir = given("recipe = \"deepseek-r1\"\n[cluster]\nhostfile = \"hosts\"\n", 16);
    let plan = json(dir.path());
    let expected: Vec<&str> = R1.split_whitespace().collect();
    assert_eq!(words(&plan["commands"]["argv"]), expected);
    let submit = words(&plan["commands"]["submit"]);
    assert_eq!(submit[submit.len() - expected.len()..], expected);
    assert_eq!(plan["commands"]["workers"].as_array().unwrap().len(), 15);
    assert_eq!(plan["commands"]["env_vars"]["MASTER_ADDR"], "10.0.0.1");
    assert_eq!(plan["layout"]["ranks"].as_array().unwrap().len(), 128);
    let rank = &plan["layout"]["ranks"][27];
    assert_eq!(["tp", "cp", "pp", "ep"].map(|part| rank[part].as_u64().unwrap()), [3, 3, 0, 27]);
    let layers: Vec<_> = plan["stages"].as_array().unwrap().iter().map(|stage| stage["layers"].as_u64()).collect();
    assert_eq!(layers, [16, 16, 16, 13].map(Some));
    assert_eq!(plan["engines"].as_array().unwrap().len(), 2);
    let terms = plan["forecast"]["terms"].as_array().unwrap();
    assert!(terms.iter().all(|term| term["bytes"].is_u64() && term["formula"].is_string()));
    assert_eq!(plan["blocked"], false);
}

#[test]
fn a_shell_runs_what_is_printed() {
    let job = "recipe = \"deepseek-r1\"\n[cluster]\nhostfile = \"hosts\"\n[slime]\ndir = \"DIR/my slime\"\n\
        [env]\nODD = \"it's $$HOME, a 'quoted' one \\\\ \\\"x\\\" `id` * #\"\n\
        [misc]\nodd-argument = [\"a b\", \"\", \"it's\", \"$$(id)\", \";\", \"--x\", \"# no\", \"*\", \"\\\\\"]\n";
    let dir = given(job, 3);
    // Three nodes are no whole number of replicas: what is said about that is no matter here.
    let job = fs::read_to_string(dir.path().join("job.toml")).unwrap();
    let small = "[perf]\npipeline-model-parallel-size = 1\ncontext-parallel-size = 1\nexpert-model-parallel-size = 8\n\
        decoder-last-pipeline-num-layers = false\n[rollout]\nrollout-batch-size = 96\n[sglang]\nrollout-num-gpus-per-engine = 8\n\
        ep-size = 8\ndp-size = 1\nenable-dp-attention = false\nenable-dp-lm-head = false\n";
    fs::write(dir.path().join("job.toml"), job + small).unwrap();
    let (code, page, err) = plan(dir.path(), &["job.toml", "--all"]);
    assert_eq!(code, Some(0), "{page}{err}");
    let plan = json(dir.path());
    let commands = &plan["commands"];
    let mut expected = vec![words(&commands["head"])];
    expected.extend(commands["workers"].as_array().unwrap().iter().map(|worker| words(&worker["argv"])));
    expected.push(words(&commands["submit"]));
    assert_eq!(expected.len(), 4);
    assert_eq!(run(dir.path(), section(&page, "commands")), expected);

    let added = section(&page, "what rldeck adds to run it safely");
    let (_, entrypoint) = added.split_once("Jobs API").unwrap();
    let (_, entrypoint) = entrypoint.split_once('\n').unwrap();
    let called = run(dir.path(), entrypoint);
    let mut driver = vec!["python3".to_owned(), "train.py".to_owned()];
    driver.extend(words(&commands["argv"]));
    driver.extend(words(&plan["added"]["argv"]));
    assert_eq!(called, [driver.clone()]);
    assert_eq!(run(dir.path(), plan["added"]["entrypoint"].as_str().unwrap()), [driver]);
}

#[test]
fn the_exit_status_tells_what_to_do() {
    let dir = given("recipe = \"deepseek-r1\"\n[cluster]\nhostfile = \"hosts\"\n", 15);
    let at = dir.path();
    let (code, page, _) = plan(at, &["job.toml"]);
    assert!(code == Some(1) && page.contains("layout.world") && !page.contains("ray start"), "{page}");
    assert!(!page.contains('\x1b'), "no colours in a pipe");
    fs::write(at.join("torn.toml"), "[cluster\n").unwrap();
    assert_eq!(plan(at, &["torn.toml"]).0, Some(1));
    fs::write(at.join("bytes.toml"), [0xff, 0xfe]).unwrap();
    for args in [&["gone.toml"][..], &["bytes.toml"], &["."], &["--recipe", "deepsek-r1"], &[]] {
        let (code, out, err) = plan(at, args);
        assert!(code == Some(2) && out.is_empty() && !err.is_empty(), "{args:?}: {out}{err}");
    }
    assert_eq!(plan(at, &["--recipe", "deepseek-r1"]).0, Some(0));
}
