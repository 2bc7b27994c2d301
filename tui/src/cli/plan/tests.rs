use std::{fs, path::PathBuf};

use rldeck_core::job::recipe;

use super::*;

const PLAIN: Paint = Paint(false);

/// A directory with a job on so many hosts.
fn given(job: &str, hosts: usize) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (1..=hosts).map(|host| format!("10.0.0.{host} slots=8\n")).collect();
    fs::write(dir.path().join("hosts"), lines.concat()).unwrap();
    let file = dir.path().join("job.toml");
    fs::write(&file, job).unwrap();
    (dir, file)
}

fn plan(file: &std::path::Path) -> Plan {
    let text = fs::read_to_string(file).unwrap();
    gather::gather(&text, &file.display().to_string()).unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn told(plan: &Plan) -> Vec<String> {
    plan.findings.iter().map(ToString::to_string).collect()
}

#[test]
fn the_plan_of_r1_on_sixteen_hosts() {
    let (dir, file) = given("recipe = \"deepseek-r1\"\n[cluster]\nhostfile = \"hosts\"\n", 16);
    let page = page::page(&plan(&file), false, PLAIN).join("\n") + "\n";
    let shown = page.replace(&format!("{}/", dir.path().display()), "");
    let long =
        |line: &&str| line.chars().count() > page::WIDTH && !line.contains("[0,0,0,1") && !line.contains("env_vars");
    assert_eq!(shown.lines().find(long), None, "only what is one word is wider than the page");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/plan-deepseek-r1.txt");
    if std::env::var_os("RLDECK_BLESS").is_some() {
        fs::write(path, &shown).unwrap();
    }
    let known = fs::read_to_string(path).unwrap_or_default();
    assert!(known == shown, "{path} differs (RLDECK_BLESS=1 writes it anew):\n{shown}");
}

#[test]
fn colours_change_no_text() {
    let text = recipe("deepseek-r1").unwrap();
    let plan = gather::gather(text, "recipe deepseek-r1").unwrap();
    let (plain, painted) = (page::page(&plan, true, PLAIN).join("\n"), page::page(&plan, true, Paint(true)).join("\n"));
    assert!(!plain.contains('\x1b'));
    let mut bare = String::new();
    let mut parts = painted.split('\x1b');
    bare += parts.next().unwrap();
    parts.for_each(|part| bare += part.split_once('m').unwrap().1);
    assert_eq!(bare, plain);
}

#[test]
fn a_hostfile_that_is_not_here_is_said() {
    let (_dir, file) = given("recipe = \"deepseek-r1\"\n[cluster]\nhostfile = \"gone\"\n", 0);
    let known = plan(&file);
    assert!(
        told(&known)[0].contains("cannot be read here") && told(&known)[0].contains("nodes = 16 of"),
        "{:?}",
        told(&known)
    );
    assert_eq!((known.hosts.len(), known.hosts[15].as_str(), known.blocked()), (16, "node15", false));

    let job = "engine = \"slime\"\n[cluster]\nhostfile = \"gone\"\ncolocate = true\n[checkpoint]\nhf-checkpoint = \"a\"\n\
        [rollout]\nnum-rollout = 1\nrollout-batch-size = 2\nn-samples-per-prompt = 2\n";
    let (_dir, file) = given(job, 0);
    let unknown = plan(&file);
    assert!(told(&unknown)[0].contains("write nodes = 16 below [cluster]"), "{:?}", told(&unknown));
    let page = page::page(&unknown, false, PLAIN).join("\n");
    assert!(page.contains("? nodes x 8") && !page.contains("ray start"), "{page}");
    assert_eq!(json::plan(&unknown)["commands"], serde_json::Value::Null);
}

#[test]
fn what_blocks_the_launch_keeps_the_commands_back() {
    let job = "recipe = \"deepseek-r1\"\n[cluster]\nhostfile = \"hosts\"\n[perf]\ntensor-model-parallel-size = 7\n";
    let (_dir, file) = given(job, 16);
    let plan = plan(&file);
    assert!(plan.blocked() && told(&plan)[0].contains("job.toml:5: error[layout.world]"), "{:?}", told(&plan));
    let page = page::page(&plan, false, PLAIN).join("\n");
    assert!(page.contains("none: training has 128 GPUs") && !page.contains("ray start"), "{page}");
    let (_dir, file) = given("recipe = \"qwen3-4b\"\n[cluster]\nhostfile = \"hosts\"\ngpus-per-node = 16\n", 1);
    let slots = super::tests::plan(&file);
    assert!(slots.blocked() && told(&slots)[0].contains("10.0.0.1 has slots=8"), "{:?}", told(&slots));
}

#[test]
fn checkpoints_and_model_are_looked_at_where_they_are() {
    let job = |dir: &str| {
        format!(
            "recipe = \"qwen3-4b\"\n[cluster]\nhostfile = \"hosts\"\n[checkpoint]\nload = \"{dir}/load\"\nhf-checkpoint = \"{dir}/hf\"\n"
        )
    };
    let (dir, file) = given("", 1);
    let at = dir.path();
    fs::write(&file, job(&at.display().to_string())).unwrap();
    let elsewhere = told(&plan(&file)).join("\n");
    assert!(elsewhere.contains("not looked at: load") && !elsewhere.contains("resume.fresh"), "{elsewhere}");
    fs::create_dir(at.join("hf")).unwrap();
    let fresh = told(&plan(&file)).join("\n");
    assert!(fresh.contains("info[resume.fresh]") && fresh.contains("is it a checkpoint?"), "{fresh}");

    fs::create_dir_all(at.join("load/iter_0002999")).unwrap();
    fs::write(at.join("load/latest_checkpointed_iteration.txt"), "2999\n").unwrap();
    fs::write(at.join("hf/config.json"), "{\"num_hidden_layers\": 61, \"hidden_size\": 2560}").unwrap();
    let plan = plan(&file);
    let all = told(&plan).join("\n");
    assert!(all.contains("error[resume.finished]") && all.contains("num-layers is 36, but the model"), "{all}");
    assert!(plan.blocked() && !all.contains("not looked at"), "{all}");
}

#[test]
fn no_secret_is_on_the_page_nor_in_json() {
    let job = "recipe = \"deepseek-r1\"\n[env]\nHF_TOKEN = \"hf_12345\"\n[wandb]\nwandb-key = \"w-12345\"\n\
        [misc]\nmy-password = \"p-12345\"\n";
    let (_dir, file) = given(job, 0);
    let plan = plan(&file);
    for text in [page::page(&plan, true, PLAIN).join("\n"), json::plan(&plan).to_string()] {
        assert!(!text.contains("12345") && text.contains("***") && text.contains("<token>"));
        assert!(text.contains("dapo-math-17k.jsonl") && text.contains("label"));
    }
}

#[test]
fn the_built_in_engine_has_shards() {
    let plan = gather::gather(recipe("r1-mini").unwrap(), "recipe r1-mini").unwrap();
    let page = page::page(&plan, false, PLAIN).join("\n");
    for part in ["engine embedded", "findings: ", "# trainer on node0", "rldeck engine rollout", "'<home>/runs/<run>"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("ray start") && !plan.blocked());
    assert_eq!(json::plan(&plan)["shards"].as_array().unwrap().len(), 4);
}
