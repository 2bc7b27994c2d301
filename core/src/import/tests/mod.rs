use std::collections::BTreeMap;

use super::*;

mod bounds;
mod launch;
mod nothing_runs;
mod r1;
mod refused;
mod shell;

/// A launch that is complete, whatever comes before it; more arguments may follow.
const LAUNCH: &str = "python3 train.py --hf-checkpoint /m --prompt-data /d.jsonl --num-rollout 9 \
                      --rollout-batch-size 8 --n-samples-per-prompt 4";

fn map<const N: usize>(of: [(&str, &str); N]) -> BTreeMap<String, String> {
    of.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

/// Imports a script called run-x.sh that lies in /s, with an environment, `--set` and files.
fn with(
    script: &str,
    env: &BTreeMap<String, String>,
    set: &BTreeMap<String, String>,
    files: &BTreeMap<String, String>,
) -> Result<Imported, Vec<Finding>> {
    let machine = Machine {
        variable: &|name| env.get(name).cloned(),
        set,
        read: &|path| files.get(path).cloned().ok_or_else(|| "no such file".to_owned()),
        dir: "/s",
    };
    import(script, "run-x.sh", &machine)
}

fn plain(script: &str) -> Result<Imported, Vec<Finding>> {
    with(script, &map([("HOME", "/root")]), &map([]), &map([]))
}

fn good(result: Result<Imported, Vec<Finding>>) -> Imported {
    match result {
        Ok(imported) => imported,
        Err(findings) => panic!("{}", lines(&findings)),
    }
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

/// What a script is refused with.
fn refused(script: &str) -> String {
    match plain(script) {
        Ok(imported) => panic!("{script}\n{}", imported.file),
        Err(findings) => lines(&findings),
    }
}

/// The values that `--x` has at the end of a script, as the job reads them.
fn value(script: &str) -> String {
    let imported = good(plain(&format!("{script}\n{LAUNCH} --x ${{X}}\n")));
    job(&imported).value("x").unwrap()
}

fn job(imported: &Imported) -> Job {
    let env = map([("HOME", "/root"), ("WANDB_KEY", "hidden")]);
    Job::read(&imported.file, "job.toml", &|name| env.get(name).cloned()).unwrap().0
}
