use super::{said, said_bytes};

fn only(line: &str) -> String {
    let said: Vec<_> = said(line).into_iter().filter(|said| !said.starts_with("Source ")).collect();
    assert_eq!(said.len(), 1, "{line}: {said:?}");
    said[0].clone()
}

#[test]
fn timers() {
    assert_eq!(
        said(
            "(MegatronTrainRayActor pid=32167) [2025-12-17 14:10:28] timer.py:32 - Timer actor_train end (elapsed: 81.3s)"
        ),
        ["Source MegatronTrainRayActor pid 32167", r#"Timer { name: "actor_train", ended: Some(81.3) }"#]
    );
    assert_eq!(
        only("(MegatronTrainRayActor pid=197171) [2025-11-17 23:38:54] timer.py:24 - Timer log_probs start"),
        r#"Timer { name: "log_probs", ended: None }"#
    );
    assert_eq!(
        only(
            "(MegatronTrainRayActor pid=197171) [2025-11-17 23:38:59] timer.py:32 - Timer log_probs end (elapsed: 4.5s)"
        ),
        r#"Timer { name: "log_probs", ended: Some(4.5) }"#
    );
    for line in ["MyTimer log_probs start", "Timer started", "Timer log_probs starts", "Timer  start", "Timer x end"] {
        assert!(said(line).is_empty(), "{line}");
    }
}

#[test]
fn bars() {
    assert_eq!(
        only("Rollout generation:  62%|██████▎   | 40/64 [04:51<02:52,  7.19s/it]"),
        format!(
            r#"Bar(Bar {{ about: "Rollout generation", done: 40, total: Some(64), elapsed: 291, rate: Some({:?}), unit: "it" }})"#,
            1.0 / 7.19
        )
    );
    assert_eq!(
        only("Rollout generation: 100%|██████████| 32/32 [00:48<00:00, 1.52s/it]"),
        format!(
            r#"Bar(Bar {{ about: "Rollout generation", done: 32, total: Some(32), elapsed: 48, rate: Some({:?}), unit: "it" }})"#,
            1.0 / 1.52
        )
    );
    assert_eq!(
        only("actor train:   0%|          | 0/8 [00:00<?, ?microbatch/s]"),
        r#"Bar(Bar { about: "actor train", done: 0, total: Some(8), elapsed: 0, rate: None, unit: "microbatch" })"#
    );
    assert_eq!(
        only(" 50%|#####     | 1.5k/3.0k [1:00:01<1:00:01, 2.50kB/s, loss=0.3]"),
        r#"Bar(Bar { about: "", done: 1500, total: Some(3000), elapsed: 3601, rate: Some(2500.0), unit: "B" })"#
    );
    assert_eq!(
        only("[slime-pp_0] Update weights: 12it [00:03, 3.50it/s]"),
        r#"Bar(Bar { about: "[slime-pp_0] Update weights", done: 12, total: None, elapsed: 3, rate: Some(3.5), unit: "it" })"#
    );
    for line in ["load 5%|", "5%| 3/4", "%|██| 3/4 [00:00<00:00, 1it/s]", "wait [00:03, 1it/s]", "5%|a| x/y [z]"] {
        assert!(said(line).is_empty(), "{line}");
    }
}

/// The bytes that Ray's driver printed: bars behind `\r`, a log line glued to one, colours.
#[test]
fn a_log_line_glued_to_a_bar() {
    let line = "\x1b[36m(MegatronTrainRayActor pid=19653)\x1b[0m \ractor train:  50%|█████     | 4/8 [00:00<00:00, 19.74microbatch/s][2026-11-23 16:29:51] fake2.py:15 - step 3: {'train/loss': nan, 'train/grad_norm': inf, 'train/step': 3}";
    let said = said(line);
    assert_eq!(said.len(), 3);
    assert_eq!(said[0], "Source MegatronTrainRayActor pid 19653");
    assert!(said[1].starts_with(r#"Bar(Bar { about: "actor train", done: 4"#), "{}", said[1]);
    assert_eq!(said[2], r#"Step 3 {"train/grad_norm": inf, "train/loss": NaN, "train/step": 3.0}"#);

    let erased = "\x1b[36m(MegatronTrainRayActor pid=19653)\x1b[0m \r                                \r[2026-11-23 16:29:51] fake2.py:17 - done train";
    assert_eq!(super::said(erased), ["Source MegatronTrainRayActor pid 19653"]);
}

#[test]
fn bars_one_after_the_other_in_a_worker_file() {
    let line = "\rRollout generation:   0%|          | 0/30 [00:00<?, ?it/s]\rRollout generation:   3%|▎         | 1/30 [00:00<00:03,  8.32it/s]\rRollout generation:   7%|▋         | 2/30 [00:00<00:03,  8.31it/s]";
    let done: Vec<bool> = said(line)
        .iter()
        .enumerate()
        .map(|(at, said)| said.contains(&format!("done: {at}, total: Some(30)")))
        .collect();
    assert_eq!(done, [true; 3]);
}

#[test]
fn memory_and_ranks() {
    assert_eq!(
        said(
            "(MegatronTrainRayActor pid=228664) [2025-12-13 03:21:03] memory_utils.py:41 - [Rank 1] Memory-Usage after torch distributed error: {'gpu': '1', 'total_GB': 94.97, 'free_GB': 45.51, 'used_GB': 49.46, 'allocated_GB': 2.76, 'reserved_GB': 3.74}"
        ),
        [
            "Source MegatronTrainRayActor pid 228664",
            "Rank(1)",
            r#"Memory after torch distributed error Some(1) {"allocated_GB": 2.76, "free_GB": 45.51, "reserved_GB": 3.74, "total_GB": 94.97, "used_GB": 49.46}"#,
        ]
    );
    assert_eq!(
        said(
            "(MegatronTrainRayActor pid=197478) [2025-11-17 23:38:42] memory_utils.py:39 - [Rank 1] Memory-Usage after wake_up model: [repeated 7x across cluster]"
        ),
        ["Source MegatronTrainRayActor pid 197478", "Rank(1)"]
    );
    assert_eq!(
        said(
            "\x1b[36m(MegatronTrainRayActor pid=19653)\x1b[0m [2026-11-23 16:29:51] fake2.py:10 - [Rank 0] Memory-Usage before offload model: {'gpu': '0', 'total_GB': 79.11, 'free_GB': 10.0}"
        ),
        [
            "Source MegatronTrainRayActor pid 19653",
            "Rank(0)",
            r#"Memory before offload model Some(0) {"free_GB": 10.0, "total_GB": 79.11}"#
        ]
    );
    assert_eq!(only("[Rank 12] Enabled CUDA memory allocator expandable_segments for train actor"), "Rank(12)");
}

#[test]
fn places() {
    assert_eq!(
        only("Waiting for placement group of 128 GPUs (elapsed 30s): 120 GPUs registered with Ray, 120 available."),
        "Waiting(Waiting { wanted: 128, elapsed: 30, registered: 120 })"
    );
    assert_eq!(
        only(
            "[2026-11-23 16:29:51] placement_group.py:93 -   bundle    0, actual_bundle_index:    5, node: 10.0.0.1, gpu: 0"
        ),
        r#"Bundle(Bundle { index: 0, actual: 5, node: "10.0.0.1", gpu: 0 })"#
    );
    assert_eq!(
        only(
            "(RolloutManager pid=7) [2026-11-23 16:29:51] rollout.py:911 - Ports for engine 0: {'host': '10.0.0.1', 'port': 15000, 'nccl_port': 15001, 'dist_init_addr': '10.0.0.1:15002'}"
        ),
        r#"EnginePort { engine: 0, host: "10.0.0.1", port: 15000 }"#
    );
    assert_eq!(
        only("Router launched at 10.0.0.1:3456, Prometheus port: 4567"),
        r#"Router { address: "10.0.0.1:3456", prometheus: Some(4567) }"#
    );
    assert_eq!(only("Launch HttpServerEngineAdapter at: 10.0.0.1:15000"), r#"EngineAt("10.0.0.1:15000")"#);
}

#[test]
fn checkpoints() {
    for (line, means) in [
        (
            "saving checkpoint at iteration      19 to /data/a in b/save in torch_dist format",
            r#"Saving { iteration: 19, dir: "/data/a in b/save" }"#,
        ),
        (
            "  successfully saved checkpoint from iteration      19 to /data/save [ t 1/8, p 1/4 ]",
            r#"Saved { iteration: 19, dir: "/data/save" }"#,
        ),
        (
            "  successfully loaded checkpoint from /data/save [ t 1/8, p 1/4 ] at iteration 19",
            r#"Loaded { iteration: Some(19), dir: "/data/save" }"#,
        ),
        (
            " loading release distributed checkpoint from /data/r1_torch_dist",
            r#"Loaded { iteration: None, dir: "/data/r1_torch_dist" }"#,
        ),
        (
            "WARNING: could not find the metadata file /data/save/latest_checkpointed_iteration.txt ",
            r#"Missing { tracker: "/data/save/latest_checkpointed_iteration.txt" }"#,
        ),
    ] {
        assert_eq!(only(line), format!("Checkpoint({means})"), "{line}");
    }
}

#[test]
fn engines() {
    assert_eq!(
        said(
            "[2026-11-23 14:07:56 DP0 TP3 EP3] Decode batch, #running-req: 6, #token: 42414, token usage: 0.04, accept len: 2.91, accept rate: 0.64, cuda graph: True, gen throughput (token/s): 1374.02, #queue-req: 0"
        ),
        [
            "Scheduler(Scheduler { dp: Some(0), pp: None, tp: Some(3), ep: Some(3) })",
            "Decode #running-req=6 #token=42414 token usage=0.04 accept len=2.91 accept rate=0.64 gen throughput (token/s)=1374.02 #queue-req=0",
        ]
    );
    assert_eq!(
        only(
            "Prefill batch. #new-seq: 1, #new-token: 512, #cached-token: 0, token usage: 0.10, #running-req: 2, #queue-req: 3"
        ),
        "Prefill #new-seq=1 #new-token=512 #cached-token=0 token usage=0.1 #running-req=2 #queue-req=3"
    );
    assert_eq!(
        said(
            "(SGLangEngine pid=13265) [2025-08-14 23:22:40 TP7] KV cache pool is full. Retract requests. #retracted_reqs: 1, #new_token_ratio: 0.4533 -> 0.4767"
        ),
        [
            "Source SGLangEngine pid 13265",
            "Scheduler(Scheduler { dp: None, pp: None, tp: Some(7), ep: None })",
            "CacheFull { retracted: 1 }"
        ]
    );
    assert_eq!(only("[2026-11-23 14:07:56] The server is fired up and ready to roll!"), "EngineReady");
}

#[test]
fn heads_of_worker_files() {
    assert_eq!(said(":job_id:02000000"), [r#"JobId("02000000")"#]);
    assert_eq!(said(":actor_name:MegatronTrainRayActor"), [r#"Actor("MegatronTrainRayActor")"#]);
    assert!(said("x :job_id:02000000").is_empty());
}

#[test]
fn prefixes_of_ray() {
    assert_eq!(
        said("(SGLangEngine pid=952, ip=10.150.236.219) [2025-11-06 01:16:21 TP0] x"),
        [
            "Source SGLangEngine pid 952 at 10.150.236.219",
            "Scheduler(Scheduler { dp: None, pp: None, tp: Some(0), ep: None })"
        ]
    );
    assert_eq!(said("\x1b[33m(raylet)\x1b[0m all is well"), ["Source raylet"]);
    assert!(said("(not a prefix) pid=3").is_empty());
    assert!(said("(pid=x) y").is_empty());
}

/// The end of `ray job submit`, as printed.
#[test]
fn the_end_of_a_job() {
    assert_eq!(
        only("2026-11-23 16:28:40,855\tSUCC cli.py:67 -- \x1b[32mJob 'raysubmit_MNMh6TuwLJHtbb3U' succeeded\x1b[39m"),
        r#"Job { name: "raysubmit_MNMh6TuwLJHtbb3U", state: Succeeded }"#
    );
    assert_eq!(
        only("Job 'raysubmit_CArC16X5dL95UDxE' succeeded"),
        r#"Job { name: "raysubmit_CArC16X5dL95UDxE", state: Succeeded }"#
    );
    assert_eq!(
        only("2026-11-23 16:27:30,588\tSUCC cli.py:67 -- \x1b[32mJob 'job-a' submitted successfully\x1b[39m"),
        r#"Job { name: "job-a", state: Submitted }"#
    );
    assert_eq!(
        only("2026-11-23 16:27:37,647\tERR cli.py:75 -- \x1b[31mJob 'job-a' failed\x1b[39m"),
        r#"Job { name: "job-a", state: Failed }"#
    );
    assert_eq!(
        only(
            "2026-11-23 16:27:37,647\tINFO cli.py:89 -- Status message: Job entrypoint command failed with exit code 1, last available logs (truncated to 20,000 chars):"
        ),
        "Dump"
    );
    assert!(said("Job 'x' failed to do a thing").is_empty());
    assert!(said("2026-11-23 16:28:40,842\tINFO sdk.py:520 -- WebSocket closed for job raysubmit_MNMh6TuwLJHtbb3U with close code 1000").is_empty());
}

#[test]
fn lines_that_say_nothing() {
    for line in [
        r#"(SGLangEngine pid=22439) [2025-12-17 14:10:37] INFO:     33.184.122.180:62932 - "GET /health HTTP/1.1" 200 OK"#,
        r#"(SGLangEngine pid=22439) [2025-12-17 14:07:56] INFO:     33.184.122.180:60048 - "POST /abort_request HTTP/1.1" 200 OK"#,
        "(MegatronTrainRayActor pid=32437) AMEM pid:32437 sharedNetBuffersInit 561 dptr:0x7ed63c000000 sz:268435456 defensive remove [repeated 15x across cluster]",
        "(RolloutManager pid=1805485) [2026-04-15 07:57:53] sglang_rollout.py:338 - Abort request for ['http://90.90.97.74:15006', 'http://90.90.97.74:15000', 'http://90.90.97.74:15004', 'http://90.90.97.74:15002']",
        "(RolloutManager pid=519445) 2025-11-08 10:07:09 ERROR sglang_router_rs::response: src/middleware.rs:256: request failed with server error",
        "\x1b[36m(MegatronTrainRayActor pid=19832)\x1b[0m [2026-11-23 16:28:30] fake.py:18 - done train\x1b[32m [repeated 2x across cluster]\x1b[0m",
        "(SGLangEngine pid=1) Dummy health check server started in background thread at 10.0.0.2:15000",
    ] {
        let said = said(line);
        assert!(said.len() == 1 && said[0].starts_with("Source "), "{line}: {said:?}");
    }
    assert_eq!(
        said("(SGLangEngine pid=22439) [2025-12-17 14:07:56 TP3] Cache flushed successfully!"),
        ["Source SGLangEngine pid 22439", "Scheduler(Scheduler { dp: None, pp: None, tp: Some(3), ep: None })"]
    );
}

#[test]
fn what_a_model_writes_is_data() {
    for line in [
        "[2026-11-23 16:29:51] sglang_rollout.py:420 - First rollout sample: ['torch.OutOfMemoryError: CUDA out of memory. step 3: {'], label: 4, reward: 1",
        "[2026-11-23 16:29:51] sglang_rollout.py:446 - Finish rollout: [\"step 3: {'train/loss': 0.5}\"], label: 4, reward: 1",
        "a.py:1 - eval_rollout_single_dataset example data: ['Timer actor_train start', 'Job 'x' succeeded']",
        "[2026-11-23 16:29:51] Finish: obj=GenerateReqInfo(text='NCCL WARN'), out={'text': 'CUDA out of memory'}",
        // What it wrote may hold line feeds of its own.
        "First rollout sample: ['x'], label: a\rstep 3: {'train/loss': 0.5}\rCUDA out of memory",
    ] {
        assert_eq!(said(line), ["Data"], "{line}");
    }
    let glued = said(
        "\rRollout generation:  3%|▎  | 1/30 [00:00<00:03, 8.32it/s][2026-11-23 16:29:51] a.py:4 - First rollout sample: ['step 3: {\\'train/loss\\': 1}']",
    );
    assert_eq!(glued.len(), 2);
    assert_eq!(glued[1], "Data");
}

#[test]
fn colours_anywhere() {
    let line = "\x1b[1m[2026-11-23 16:29:51]\x1b[0m a.py:3 - \x1b]8;;http://x\x1b\\step\x1b]8;;\x07 \x1b[38;5;9m3\x1b[0m: \x1b[32m{'train/loss': 0.5}\x1b[0m";
    assert_eq!(said(line), [r#"Step 3 {"train/loss": 0.5}"#]);
    assert_eq!(said_bytes(b"step 3: {'train/loss': 0.5}\x1b"), [r#"Step 3 {"train/loss": 0.5}"#]);
    assert_eq!(
        said_bytes(b"\x1b[step 3: {'train/loss': 0.5}\x1b["),
        [r#"Step 3 {"train/loss": 0.5}"#; 0],
        "the code ends at the s"
    );
}
