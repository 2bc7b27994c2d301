use super::super::{Context, Load, Reader, Restart, Scheduler};
use crate::shard::{Funnel, Millis, Report, Severity};

struct File(Reader, Millis);

impl File {
    fn new(context: Context) -> File {
        File(Reader::new(context), 0)
    }

    fn line(&mut self, line: &str) -> Vec<Report> {
        let mut reports = Vec::new();
        self.1 += 1_000;
        self.0.line(line.as_bytes(), self.1, &mut |report| reports.push(report));
        reports
    }

    /// What several lines give, phases as `name rollout`.
    fn phases(&mut self, lines: &[&str]) -> Vec<String> {
        let reports: Vec<Report> = lines.iter().flat_map(|line| self.line(line)).collect();
        let phase = |report| match report {
            Report::Phase { name, rollout } => Some(format!("{name} {rollout}").trim_start().to_owned()),
            _ => None,
        };
        reports.into_iter().filter_map(phase).collect()
    }

    fn notices(&mut self, line: &str) -> Vec<(Severity, String)> {
        let notice = |report| match report {
            Report::Notice { severity, text } => Some((severity, text)),
            _ => None,
        };
        self.line(line).into_iter().filter_map(notice).collect()
    }
}

fn at(reports: Vec<Report>) -> Option<(u64, Option<u64>)> {
    reports.into_iter().find_map(|report| match report {
        Report::Metrics { rollout, step, .. } => Some((rollout, step)),
        _ => None,
    })
}

#[test]
fn steps_belong_to_the_rollout_that_was_announced() {
    let mut file = File::new(Context { steps_per_rollout: 4, ..Context::default() });
    assert_eq!(at(file.line("step 11: {'train/loss': 1}")), Some((2, Some(11))), "as the caller says");
    assert_eq!(at(file.line("a.py:1 - rollout 5: {'rollout/raw_reward': 1}")), Some((5, None)));
    assert_eq!(at(file.line("step 10: {'train/loss': 1}")), Some((5, Some(10))), "two steps a rollout, it turns out");
    assert_eq!(at(file.line("step 11: {'train/loss': 1}")), Some((5, Some(11))));
    assert_eq!(at(file.line("perf 5: {'perf/train_time': 1}")), Some((5, None)));
    assert_eq!(at(file.line("step 13: {'train/loss': 1}")), Some((6, Some(13))), "learned");
    assert_eq!(at(file.line("critic-step 13: {'train/critic-value_loss': 1}")), Some((6, Some(13))));
}

#[test]
fn steps_per_rollout_are_learned_without_announcements() {
    let mut file = File::new(Context::default());
    for step in 0..4 {
        file.line(&format!("step {step}: {{'train/loss': 1}}"));
    }
    file.line("perf 0: {'perf/train_time': 1}");
    assert_eq!(at(file.line("step 6: {'train/loss': 1}")), Some((1, Some(6))));
}

#[test]
fn timers_become_phases_one_after_the_other() {
    let mut file = File::new(Context { rollout: 4, ..Context::default() });
    let lines = [
        "Timer train_wait start",
        "Timer sleep start",
        "Timer sleep end (elapsed: 1.0s)",
        "Timer update_weights start",
        "Timer update_weights end (elapsed: 1.0s)",
        "Timer wake_up start",
        "Timer wake_up end (elapsed: 1.0s)",
        "Timer train_wait end (elapsed: 100.0s)",
        "Timer train start",
        "Timer data_preprocess start",
        "Timer data_preprocess end (elapsed: 0.1s)",
        "Timer ref_log_probs start",
        "Timer ref_log_probs end (elapsed: 1.0s)",
        "Timer log_probs start",
        "Timer log_probs end (elapsed: 1.0s)",
        "rollout 4: {'rollout/raw_reward': 1}",
        "Timer actor_train start",
        "step 16: {'train/loss': 1}",
        "Timer actor_train end (elapsed: 1.0s)",
        "Timer train end (elapsed: 4.0s)",
        "perf 4: {'perf/train_time': 4.0}",
        "Timer train_wait start",
        "Timer save_model start",
        "Timer save_model end (elapsed: 1.0s)",
        "Timer sleep start",
        "Timer sleep end (elapsed: 1.0s)",
        "Timer update_weights start",
        "Timer update_weights end (elapsed: 1.0s)",
        "Timer wake_up start",
    ];
    assert_eq!(
        file.phases(&lines),
        [
            "offload 4",
            "4",
            "sync 4",
            "generate 4",
            "offload 4",
            "4",
            "data 4",
            "ref 4",
            "logprob 4",
            "train 4",
            "4",
            "save 4",
            "4",
            "offload 4",
            "4",
            "sync 4",
            "generate 5",
            "offload 5"
        ]
    );
    assert_eq!(file.0.rollout(), 5);
}

#[test]
fn timers_whose_ends_are_lost_do_not_pile_up() {
    let mut file = File::new(Context::default());
    assert_eq!(
        file.phases(&[
            "Timer log_probs start",
            "Timer train start",
            "Timer actor_train start",
            "Timer log_probs start",
            "Timer x end (elapsed: 1.0s)"
        ]),
        ["logprob 0", "train 0", "logprob 0"]
    );
    let mut file = File::new(Context::default());
    assert_eq!(
        file.phases(&["Timer train start", "step 0: {'train/loss': 1}"]),
        ["train 0"],
        "only the outer timer is printed"
    );
    assert_eq!(file.phases(&["Timer my_reward start"]), ["my_reward 0"], "a name of a fork is its own phase");
}

#[test]
fn bars_tell_phases_where_no_timers_do() {
    let mut manager = File::new(Context { rollout: 3, groups_per_rollout: 128, ..Context::default() });
    manager.line(":actor_name:RolloutManager");
    assert_eq!(
        manager.phases(&[
            "\rRollout generation:   0%|          | 0/30 [00:00<?, ?it/s]",
            "\rRollout generation: 100%|██████████| 30/30 [00:03<00:00,  8.31it/s]",
            "perf 3: {'perf/rollout_time': 5.0}",
            "\rEval aime:   0%|          | 0/240 [00:00<?, ?it/s]",
            "eval 3: {'eval/aime': 0.5}",
            "\rRollout generation:   0%|          | 0/30 [00:00<?, ?it/s]",
        ]),
        ["generate 3", "3", "eval 3", "4", "generate 4"]
    );
    let mut trainer = File::new(Context::default());
    assert_eq!(
        trainer.phases(&[
            "\ractor train:   0%|          | 0/8 [00:00<?, ?microbatch/s]",
            "\ractor train: 100%|██████████| 8/8 [00:00<00:00, 19.79microbatch/s]",
            "perf 0: {'perf/train_time': 4.0}",
            "\rref forward:   0%|          | 0/8 [00:00<?, ?microbatch/s]",
        ]),
        ["train 0", "0", "ref 1"]
    );
}

#[test]
fn a_bar_is_worth_a_few_reports_a_second() {
    let mut reader = Reader::new(Context::default());
    let mut told = Vec::new();
    let mut out = |report| match report {
        Report::Progress { unit, done, total } => told.push((unit, done, total)),
        Report::Phase { .. } => {}
        other => panic!("{other:?}"),
    };
    for done in 0..90 {
        let line = format!("\rRollout generation:  9%|▎  | {done}/100 [00:00<00:03,  8.32it/s]");
        reader.line(line.as_bytes(), 10_000 + done * 10, &mut out);
    }
    // It stands still at 89: that is told, once.
    reader.settle(11_300, &mut out);
    reader.settle(12_000, &mut out);
    reader.line("\rRollout generation: 100%|███| 100/100 [00:00<00:03,  8.32it/s]".as_bytes(), 12_001, &mut out);
    let done: Vec<u64> = told.iter().map(|(_, done, _)| *done).collect();
    assert_eq!(done, [0, 30, 60, 89, 100]);
    assert!(told.iter().all(|(unit, _, total)| unit == "samples" && *total == 100));
}

#[test]
fn the_funnel_of_dynamic_sampling() {
    let mut file = File::new(Context { groups_per_rollout: 128, ..Context::default() });
    let funnel = |reports: Vec<Report>| {
        reports.into_iter().find_map(|report| match report {
            Report::Funnel(funnel) => Some(funnel),
            _ => None,
        })
    };
    assert_eq!(funnel(file.line("perf 0: {'perf/rollout_time': 5.0}")), None, "no filter, as far as one sees");
    let line = "perf 1: {'rollout/dynamic_filter/drop_zero_std_0.0': 46, 'rollout/dynamic_filter/drop_zero_std_1.0': 74, 'perf/rollout_time': 5.0}";
    let dropped = [("zero_std_0.0".to_owned(), 46), ("zero_std_1.0".to_owned(), 74)].into();
    assert_eq!(funnel(file.line(line)), Some(Funnel { rollout: 1, sampled: 248, dropped, kept: 128 }));
    let nothing = Funnel { rollout: 2, sampled: 128, kept: 128, ..Funnel::default() };
    assert_eq!(funnel(file.line("perf 2: {'perf/rollout_time': 5.0}")), Some(nothing));
}

#[test]
fn a_checkpoint_is_complete_once() {
    let mut file = File::new(Context::default());
    assert!(file.line("saving checkpoint at iteration      19 to /data/save in torch_dist format").is_empty());
    let saved = "  successfully saved checkpoint from iteration      19 to /data/save [ t 1/8, p 1/4 ]";
    let report = Report::Checkpoint { rollout: 19, path: "/data/save/iter_0000019".into(), bytes: 0 };
    assert_eq!(file.line(saved), [report]);
    assert!(file.line(saved).is_empty());
    assert!(
        file.line("  successfully saved checkpoint from iteration      19 to /data/save [ t 2/8, p 1/4 ]").is_empty()
    );
    // After going back the same one is written again.
    file.line("saving checkpoint at iteration      19 to /data/save in torch_dist format");
    assert_eq!(file.line(saved).len(), 1);
}

#[test]
fn where_a_job_goes_on() {
    let mut file = File::new(Context::default());
    let notices = file.notices("  successfully loaded checkpoint from /data/save [ t 1/8, p 1/4 ] at iteration 19");
    assert_eq!(notices, [(Severity::Info, "goes on after rollout 19 of /data/save".to_owned())]);
    assert_eq!(file.0.rollout(), 20);
}

#[test]
fn a_fault_is_told_once_a_minute_with_its_remedy() {
    let mut file = File::new(Context::default());
    let line = "\x1b[36m(MegatronTrainRayActor pid=3, ip=10.0.0.2)\x1b[0m torch.OutOfMemoryError: CUDA out of memory.\tTried to allocate 58.15 GiB.";
    assert_eq!(
        file.notices(line),
        [(
            Severity::Error,
            "MegatronTrainRayActor pid 3 at 10.0.0.2: a GPU is out of memory; lower max-tokens-per-gpu, raise \
             context-parallel-size, or set log-probs-chunk-size (torch.OutOfMemoryError: CUDA out of memory. Tried to \
             allocate 58.15 GiB.)"
                .to_owned()
        )]
    );
    for _ in 0..50 {
        assert!(file.notices(line).is_empty());
    }
    assert_eq!(file.notices("No space left on device").len(), 1, "another fault is another notice");
    file.1 += 60_000;
    assert!(file.notices(line)[0].1.ends_with("[50 more since]"));
    let faults: Vec<_> = file.0.faults().iter().map(|(fault, at)| (fault.id, fault.restart, *at)).collect();
    assert_eq!(faults, [("cuda-memory", Restart::Once, 1_000), ("disk-full", Restart::Useless, 52_000)]);
}

#[test]
fn waiting_for_gpus() {
    let mut file = File::new(Context::default());
    let line = |elapsed| {
        format!(
            "Waiting for placement group of 128 GPUs (elapsed {elapsed}s): 120 GPUs registered with Ray, 120 available."
        )
    };
    assert_eq!(file.line(&line(30)), [Report::Progress { unit: "GPUs".into(), done: 120, total: 128 }]);
    assert!(file.notices(&line(60))[0].1.contains("120 of 128"));
}

#[test]
fn who_writes_a_file() {
    let label = |lines: &[&str]| {
        let mut file = File::new(Context::default());
        for line in lines {
            file.line(line);
        }
        file.0.identity().label()
    };
    assert_eq!(label(&[]), None);
    assert_eq!(label(&[":actor_name:MegatronTrainRayActor"]).as_deref(), Some("trainer"));
    let rank = "[Rank 27] Memory-Usage after wake_up model: {'gpu': '3', 'total_GB': 79.11}";
    assert_eq!(label(&[":job_id:02000000", ":actor_name:MegatronTrainRayActor", rank]).as_deref(), Some("rank 27"));
    assert_eq!(label(&[":actor_name:RolloutManager"]).as_deref(), Some("rollout manager"));
    let engine = [
        ":actor_name:SGLangEngine",
        "[2025-12-17 14:07:56 DP3 TP25 EP25] a",
        "[2025-12-17 14:07:56 DP3 TP24 EP24] b",
        rank,
    ];
    assert_eq!(label(&engine).as_deref(), Some("engine part 3"));
    assert_eq!(label(&["(RolloutManager pid=3) x", rank]).as_deref(), Some("driver"));

    let mut file = File::new(Context::default());
    for line in engine {
        file.line(line);
    }
    file.line("Launch HttpServerEngineAdapter at: 10.0.0.4:15000");
    file.0.set_engine(0);
    assert_eq!(file.0.identity().label().as_deref(), Some("engine 0.3"));
    assert_eq!(file.0.identity().address.as_deref(), Some("10.0.0.4:15000"));
    assert_eq!(file.0.identity().rank, None, "a rank of SGLang is none of a trainer");
}

#[test]
fn what_the_rollout_manager_knows_of_the_cluster() {
    let mut file = File::new(Context::default());
    for line in [
        "  bundle    0, actual_bundle_index:    5, node: 10.0.0.1, gpu: 0",
        "  bundle    1, actual_bundle_index:    2, node: 10.0.0.1, gpu: 1",
        "Ports for engine 0: {'host': '10.0.0.1', 'port': 15000, 'nccl_port': 15001}",
        "Ports for engine 1: {'host': '10.0.0.2', 'port': 15000, 'nccl_port': 15001}",
        "Router launched at 10.0.0.1:3456, Prometheus port: 4567",
    ] {
        assert!(file.line(line).is_empty());
    }
    assert_eq!(file.0.bundles().iter().map(|bundle| (bundle.actual, bundle.gpu)).collect::<Vec<_>>(), [(5, 0), (2, 1)]);
    assert_eq!(file.0.addresses().engines[&1], "10.0.0.2:15000");
    assert_eq!(file.0.addresses().router.as_deref(), Some("10.0.0.1:3456"));
    assert_eq!(file.0.addresses().router_metrics, Some(4567));
}

#[test]
fn an_engine_and_its_load() {
    let mut file = File::new(Context::default());
    assert_eq!(file.line("The server is fired up and ready to roll!"), [Report::Ready]);
    let decode = "[2026-11-23 14:07:56 DP0 TP3 EP3] Decode batch, #running-req: 6, #token: 42414, token usage: 0.04, gen throughput (token/s): 1374.02, #queue-req: 2";
    assert!(file.line(decode).is_empty());
    let scheduler = Scheduler { dp: Some(0), tp: Some(3), ep: Some(3), pp: None };
    let load = Load { running: 6, queued: 2, cache: 0.04, tokens_per_second: 1374.02, at: 2_000 };
    assert_eq!(file.0.loads()[&scheduler], load);
}

#[test]
fn what_ray_prints_again_at_the_end_counts_once() {
    let mut file = File::new(Context::default());
    file.line("2026-11-23 16:27:30,588\tSUCC cli.py:67 -- \x1b[32mJob 'job-a' submitted successfully\x1b[39m");
    assert_eq!(file.line("step 0: {'train/loss': 1}").len(), 1);
    let failed = file.notices("2026-11-23 16:27:37,647\tERR cli.py:75 -- \x1b[31mJob 'job-a' failed\x1b[39m");
    assert_eq!(failed[0].0, Severity::Error);
    file.line("2026-11-23 16:27:37,647\tINFO cli.py:89 -- Status message: Job entrypoint command failed with exit code 1, last available logs (truncated to 20,000 chars):");
    assert!(file.line("step 0: {'train/loss': 1}").is_empty());
    assert!(file.line("ModuleNotFoundError: No module named 'ray'").is_empty());
}

#[test]
fn a_job_that_ends_well() {
    let mut file = File::new(Context { steps_per_rollout: 4, ..Context::default() });
    file.line("step 7: {'train/loss': 1}");
    assert_eq!(file.line("Job 'raysubmit_CArC16X5dL95UDxE' succeeded"), [Report::Finished { rollout: 1 }]);
}

#[test]
fn what_a_model_wrote_is_no_report() {
    let mut file = File::new(Context::default());
    assert!(
        file.line("a.py:4 - First rollout sample: ['CUDA out of memory step 3: {\\'train/loss\\': 1}'], label: 4")
            .is_empty()
    );
}
