//! A file over its recipe.

use super::*;

fn names(job: &Job, group: Group) -> Vec<&str> {
    job.arguments.iter().filter(|set| set.group == group).map(|set| set.name.as_str()).collect()
}

#[test]
fn a_recipe_stands_for_itself() {
    for (name, text) in recipes() {
        let (job, findings) = Job::from_recipe(name, &vars).unwrap();
        assert!(findings.iter().all(|finding| finding.severity < crate::shard::Severity::Error), "{findings:?}");
        assert_eq!((job.name.as_str(), job.recipe.as_deref()), (*name, Some(*name)));
        // What `rldeck init` prints is a job file, and the same job.
        assert_eq!(good(text), job);
        assert_eq!(good(&format!("recipe = {name:?}")), job);
    }
    let unknown = Job::from_recipe("r1-minii", &vars).unwrap_err();
    assert_eq!(unknown[0].to_string(), "error: the recipe \"r1-minii\" is unknown: did you mean r1-mini?");
}

#[test]
fn a_model_is_named_or_written_out() {
    let named =
        slime("[sglang]\nrollout-num-gpus = 8\n").to_toml().replacen("name =", "model = \"qwen3-4b\"\nname =", 1);
    let engines = "[sglang]\nrollout-num-gpus = 8\n[model]\npreset = \"qwen3-4b\"\n";
    let table = slime(engines);
    assert_eq!(good(&named), table);
    assert_eq!(table.arguments[0].name, "swiglu");
    // Own keys stand in the preset's place, the others behind it.
    let own = slime(&format!("{engines}num-layers = 40\nqk-layernorm = false\nadd-qkv-bias = true\n"));
    let (mut expected, found) = (names(&table, Group::Model), names(&own, Group::Model));
    expected.retain(|name| *name != "qk-layernorm");
    expected.push("add-qkv-bias");
    assert_eq!((found, own.value("num-layers").as_deref()), (expected, Some("40")));
}

#[test]
fn another_model_leaves_nothing_of_the_recipes() {
    let base = good("recipe = \"deepseek-r1\"");
    let broken = "allow = [\"expert.none\", \"layout.uneven-stages\", \"speculative.model\"]";
    let named = |text: &str| good(&format!("recipe = \"deepseek-r1\"\n{broken}\n{text}"));
    let qwen = named("model = \"qwen3-4b\"");
    assert_eq!(names(&qwen, Group::Model), names(&good("recipe = \"qwen3-4b\""), Group::Model));
    assert_eq!(names(&qwen, Group::Perf), names(&base, Group::Perf));
    // Without a name of its own the file changes the recipe's model.
    let changed = named("[model]\nvocab-size = 130000\n");
    assert_eq!(names(&changed, Group::Model), names(&base, Group::Model));
    assert_eq!(changed.value("vocab-size").as_deref(), Some("130000"));
    let none = named("[model]\npreset = false\nvocab-size = 1\n");
    assert_eq!(names(&none, Group::Model), ["vocab-size"]);
}

#[test]
fn a_model_that_is_not_there() {
    let rest = &SLIME[SLIME.find("[cluster]").unwrap()..];
    let with = |top: &str| format!("engine = \"slime\"\n{top}{rest}");
    let long = "job.toml:2: error: the model \"gpt\" is unknown: there is deepseek-v3, qwen3-4b; write others out below [model]";
    check(&[
        (
            &with("model = \"deepseek-v4\"\n"),
            &["job.toml:2: error: the model \"deepseek-v4\" is unknown: did you mean deepseek-v3?"],
        ),
        (&with("model = \"gpt\"\n"), &[long]),
        (&with("model = 3\n"), &["job.toml:2: error: model is 3: write model = \"deepseek-v3\""]),
        (&with("[model]\npreset = true\n"), &["job.toml:3: error: preset is true: write preset = \"deepseek-v3\""]),
        (
            &with("model = \"qwen3-4b\"\n[model]\nnum-layers = 3\n"),
            &[
                "job.toml:3: error: not TOML at column 2: model = \"...\" and [model] cannot both be there: write preset = \"...\" below [model] (here: [model])",
            ],
        ),
    ]);
}

#[test]
fn names_of_older_guides_are_translated() {
    let text =
        format!("{SLIME}[sglang]\nenable-deepep-moe = true\nenable-ep-moe = true\nrollout-num-gpus-per-engine = 64\n");
    let (job, findings) = Job::read(&text, "job.toml", &vars).unwrap();
    let said: Vec<_> = findings.iter().map(Finding::to_string).collect();
    assert_eq!(
        said,
        [
            "job.toml:12: warning: enable-deepep-moe is an old name: it is read as moe-a2a-backend = \"deepep\"; write that",
            "job.toml:13: warning: enable-ep-moe is an old name: it is read as ep-size = rollout-num-gpus-per-engine; write that",
        ]
    );
    let sglang = job.arguments.iter().filter(|set| set.group == Group::Sglang);
    let sglang: Vec<_> = sglang.map(|set| (set.name.as_str(), set.value.clone())).collect();
    let one = |text: &str| Value::One(text.to_owned());
    assert_eq!(
        sglang,
        [
            ("sglang-moe-a2a-backend", one("deepep")),
            ("sglang-ep-size", one("64")),
            ("rollout-num-gpus-per-engine", one("64"))
        ]
    );
    assert_eq!(good(&job.to_toml()), job);
}

#[test]
fn an_old_name_lies_over_the_new_one_of_the_recipe() {
    let base = good("recipe = \"deepseek-r1\"");
    let read = |more: &str| {
        let text = format!("recipe = \"deepseek-r1\"\n[sglang]\n{more}");
        Job::read(&text, "job.toml", &vars).unwrap().0
    };
    // The engine's size is the file's, wherever it is written.
    let small = read("sglang-enable-ep-moe = true\nrollout-num-gpus-per-engine = 32\n");
    assert_eq!(names(&small, Group::Sglang), names(&base, Group::Sglang));
    assert_eq!(small.value("sglang-ep-size").as_deref(), Some("32"));
    assert_eq!(read("enable-deepep-moe = false\n").value("sglang-moe-a2a-backend"), None);
    check(&[
        (
            &format!(
                "{SLIME}[sglang]\nep-size = 8\nenable-ep-moe = true\nmem-fraction-static = 0.5\nsglang-mem-fraction-static = 0.6\n"
            ),
            &[
                "job.toml:13: warning: enable-ep-moe is an old name: it is read as ep-size = rollout-num-gpus-per-engine; write that",
                "job.toml:13: error: this is ep-size, which is there already (job.toml:12): keep one of them",
                "job.toml:15: error: this is mem-fraction-static, which is there already (job.toml:14): keep one of them",
            ],
        ),
        (
            &format!("{SLIME}[sglang]\nenable_ep_moe = true\nenable-deepep-moe = \"yes\"\n"),
            &[
                "job.toml:12: error: enable_ep_moe is written enable-ep-moe in a job file",
                "job.toml:13: error: enable-deepep-moe is \"yes\": it must be true or false",
            ],
        ),
    ]);
}

#[test]
fn the_file_replaces_in_place_and_appends_in_its_group() {
    let (base, job) = (mini(""), mini("[optimizer]\nadam-beta1 = 0.8\nlr = 5e-4\n[grpo]\nuse-kl-loss = true\n"));
    assert_eq!(job.value("lr").as_deref(), Some("5e-4"));
    let expected = names(&base, Group::Optimizer);
    assert_eq!(names(&job, Group::Optimizer), expected);
    let mut expected = names(&base, Group::Grpo);
    expected.push("use-kl-loss");
    assert_eq!(names(&job, Group::Grpo), expected);
    assert_eq!(names(&job, Group::Rollout), names(&base, Group::Rollout));
}

#[test]
fn false_leaves_an_argument_out() {
    let job = mini(
        "[rollout]\ndynamic-sampling-filter-path = false\n[checkpoint]\nsave-interval = false\nasync-save = false\n",
    );
    assert!(!job.flag("dynamic-sampling-filter-path"));
    assert_eq!(job.value("save-interval"), None);
    let left = ["--dynamic-sampling-filter-path", "--save-interval", "--async-save"];
    assert!(!job.argv(&BTreeMap::new()).iter().any(|word| left.contains(&word.as_str())));
}

#[test]
fn the_name_is_that_of_the_file_when_there_is_no_better() {
    let name = |text: &str, file: &str| Job::read(text, file, &vars).unwrap().0.name;
    assert_eq!(name("recipe = \"r1-mini\"", "a.toml"), "r1-mini");
    assert_eq!(name("recipe = \"r1-mini\"\nname = \"a_b-1.c\"", "a.toml"), "a_b-1.c");
    assert_eq!(name(SLIME, "/jobs/my first job.toml"), "my-first-job");
    assert_eq!(name(SLIME, "/jobs/.toml"), "job");
}

#[test]
fn the_engine_follows_from_the_machines_when_it_is_not_named() {
    let rest = "[rollout]\nprompt-data = \"a\"\nnum-rollout = 1\nrollout-batch-size = 2\nn-samples-per-prompt = 2\n[checkpoint]\n";
    assert_eq!(good(rest).engine, Engine::Embedded);
    let cluster = format!("[cluster]\nhostfile = \"hosts\"\n{rest}hf-checkpoint = \"m\"\n");
    assert_eq!(good(&cluster).engine, Engine::Slime);
}

#[test]
fn the_other_tables_are_read() {
    let job = mini(
        "[cluster]\nhosts = [\"a\", \"b\"]\ngpus-per-node = 4\nrollout-shards = 3\n[slime]\ndir = \"${HOME}/slime\"\n\
         [restart]\nmax-restarts = 0\nbackoff-seconds = 0.5\n[alert]\n\"rollout/raw_reward\" = \"< 0.1 for 20\"\n\
         \"train/grad_norm\" = [\"> 10\", \">100 for 2\"]\n[env]\nTOKENS = 4\nDEBUG = true\n",
    );
    let expected =
        Cluster { hosts: vec!["a".into(), "b".into()], gpus_per_node: 4, rollout_shards: 3, ..Cluster::default() };
    assert_eq!(job.cluster, expected);
    assert_eq!(job.slime, Paths { dir: "/home/ada/slime".into(), ..Paths::default() });
    let text = "[cluster]\nnodes = 3\ncolocate = false\nssh-user = \"root\"\nssh-port = 2222\nssh-config = \"/etc/c\"\n\
                [slime]\nbridge = false\nray = \"/v/bin/ray\"\ndashboard-host = \"0.0.0.0\"\ngcs-port = 7000\n";
    let far = mini(text);
    let ssh = Ssh { user: Some("root".into()), port: Some(2222), config: Some("/etc/c".into()) };
    assert_eq!((far.cluster.node_count(), &far.cluster.ssh), (3, &ssh));
    let slime = Paths { bridge: false, ray: "/v/bin/ray".into(), gcs_port: 7000, ..Paths::default() };
    assert_eq!(far.slime, Paths { dashboard_host: "0.0.0.0".into(), ..slime });
    assert_eq!((job.restart.max_restarts, job.restart.backoff_seconds), (0, 0.5));
    assert_eq!(job.env, changes([("TOKENS", "4"), ("DEBUG", "1")]));
    let alerts: Vec<_> = job.alerts.iter().map(|alert| (alert.above, alert.limit, alert.times)).collect();
    assert_eq!(alerts, [(false, 0.1, 20), (true, 10.0, 1), (true, 100.0, 2)]);
}

#[test]
fn sglang_is_left_out_of_its_keys() {
    let job = good(&format!(
        "{SLIME}[sglang]\nmem-fraction-static = 0.7\nsglang-dp-size = 8\nrollout-num-gpus-per-engine = 64\nenable-dp-attention = true\n"
    ));
    assert_eq!(
        names(&job, Group::Sglang),
        ["sglang-mem-fraction-static", "sglang-dp-size", "rollout-num-gpus-per-engine", "sglang-enable-dp-attention"]
    );
    let unknown = format!("{SLIME}[sglang]\nmem-fraction-statik = 0.7\nwarp-speed = 9\n");
    assert_eq!(
        said(&unknown),
        [
            "job.toml:12: warning: mem-fraction-statik is unknown and passed on as it is: did you mean mem-fraction-static?",
            "job.toml:13: warning: warp-speed is unknown and passed on as it is",
        ]
    );
    let (job, _) = Job::read(&unknown, "job.toml", &vars).unwrap();
    assert_eq!(job.value("sglang-warp-speed").as_deref(), Some("9"));
}
