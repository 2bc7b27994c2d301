//! `${NAME}`.

use super::*;

#[test]
fn the_files_variables_come_before_the_callers() {
    let job = mini(
        "[env]\nDATA = \"${BASE}/data\"\nBASE = \"${HOME}/rl\"\nCACHE = \"${CACHE}/mine\"\n\
         [rollout]\nprompt-data = \"${DATA}/a.jsonl\"\n",
    );
    assert_eq!(job.value("prompt-data").as_deref(), Some("/home/ada/rl/data/a.jsonl"));
    // The recipe's own strings see them too, and a name in its own entry is the outer one.
    assert_eq!(job.list("eval-prompt-data")[1], "/cache/mine/arithmetic/eval.jsonl");
    let expected = changes([("BASE", "/home/ada/rl"), ("CACHE", "/cache/mine"), ("DATA", "/home/ada/rl/data")]);
    assert_eq!(job.env, expected);
}

#[test]
fn a_dollar_sign_can_be_written() {
    let value = |text: &str| {
        slime(&format!(
            "rollout-stop = {text:?}
"
        ))
        .value("rollout-stop")
        .unwrap()
    };
    assert_eq!(value("$$HOME"), "$HOME");
    assert_eq!(value("$${HOME}"), "${HOME}");
    assert_eq!(value("$$$$"), "$$");
    assert_eq!(value("^5$"), "^5$");
    assert_eq!(value("$ 5"), "$ 5");
    assert_eq!(value("$5"), "$5");
    assert_eq!(value("${HOME}${HOME}"), "/home/ada/home/ada");
}

#[test]
fn what_the_file_replaces_is_not_looked_up() {
    let nothing = |_: &str| None;
    let text = "recipe = \"r1-mini\"\n";
    assert!(Job::read(text, "job.toml", &nothing).is_err());
    let given = format!("{text}[env]\nCACHE = \"/c\"\nRUN_DIR = \"/r\"\n");
    assert!(Job::read(&given, "job.toml", &nothing).is_ok());
}

#[test]
fn what_a_variable_holds_is_taken_as_it_is() {
    let odd = |name: &str| Some(format!("<{name}> ${{HOME}} \" \\ \n"));
    let (job, _) = Job::read("recipe = \"r1-mini\"\n[rollout]\ninput-key = \"${X}\"\n", "job.toml", &odd).unwrap();
    assert_eq!(job.value("input-key").as_deref(), Some("<X> ${HOME} \" \\ \n"));
    assert_eq!(Job::read(&job.to_toml(), "job.toml", &|_| None).unwrap().0, job);
}
