//! The reference job, from a script with everything that slime's own uses.

use super::*;
use crate::argument::Group;

const SCRIPT: &str = include_str!("run-r1.sh");
const MODEL: &str = include_str!("r1-model.sh");
const ARGUMENTS: &str = include_str!("r1-arguments.txt");

fn imported() -> Imported {
    let files = map([("/s/models/r1-model.sh", MODEL)]);
    good(with(SCRIPT, &map([("BASE_DIR", "/data")]), &map([]), &files))
}

#[test]
fn the_script_gives_exactly_the_arguments_of_r1() {
    let job = job(&imported());
    let expected: Vec<&str> = ARGUMENTS.split_whitespace().collect();
    let argv = job.argv(&BTreeMap::new());
    assert_eq!(argv[..5], ["--actor-num-nodes", "16", "--actor-num-gpus-per-node", "8", "--colocate"]);
    assert_eq!(argv[5..].join("\n"), expected.join("\n"));
    for (name, group) in [("swiglu", Group::Model), ("save", Group::Checkpoint), ("lr", Group::Optimizer)] {
        assert!(job.arguments.iter().any(|set| set.name == name && set.group == group), "{name}");
    }
    assert!(job.arguments.iter().any(|set| set.name == "sglang-ep-size" && set.group == Group::Sglang));
}

#[test]
fn machines_environment_and_paths_have_their_tables() {
    let imported = imported();
    let job = job(&imported);
    assert_eq!(job.name, "x");
    assert_eq!((job.cluster.gpus_per_node, job.cluster.colocate), (8, true));
    assert_eq!(job.cluster.hostfile.as_deref(), Some("/data/mpi_hostfile"));
    let names: Vec<_> = job.env.keys().map(String::as_str).collect();
    assert_eq!(names, ["BASE_DIR", "CUDA_DEVICE_MAX_CONNECTIONS", "LD_LIBRARY_PATH", "NVSHMEM_DISABLE_NCCL"]);
    assert_eq!(job.slime.megatron_dir, "/root/Megatron-LM");
    assert!(imported.file.contains("\nload = \"${BASE_DIR}/DeepSeek-R1_slime/\"\n"), "{}", imported.file);
    assert!(imported.file.contains("\nmem-fraction-static = 0.7\n"), "{}", imported.file);
}

#[test]
fn what_rldeck_does_itself_is_named() {
    let said = lines(&imported().findings);
    for command in ["pkill -9 sglang", "ray stop --force", "ray start --head", "ssh root@", "sleep 3", "wait"] {
        assert!(said.contains(&format!("left out (rldeck does this itself): `{command}")), "{command}: {said}");
    }
    // The one thing that the rules say of the reference job.
    assert_eq!(said.matches("warning").count(), said.matches("warning[memory.reference]").count(), "{said}");
}

#[test]
fn without_its_variable_every_argument_that_uses_it_is_refused() {
    let files = map([("/s/models/r1-model.sh", MODEL)]);
    let said = lines(&with(SCRIPT, &map([]), &map([]), &files).unwrap_err());
    let line = SCRIPT.lines().position(|line| line.contains("--hf-checkpoint")).unwrap() + 1;
    let first = format!(
        "run-x.sh:{line}: error: --hf-checkpoint uses BASE_DIR, which is not set: give it with --set BASE_DIR=VALUE"
    );
    assert!(said.starts_with(&first), "{said}");
    assert_eq!(said.lines().count(), 6, "{said}");
    let set = good(with(SCRIPT, &map([]), &map([("BASE_DIR", "/data")]), &files));
    assert_eq!(set, imported());
}
