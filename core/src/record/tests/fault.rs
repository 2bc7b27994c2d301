use std::collections::BTreeSet;

use super::{
    super::{FAULTS, scan},
    said,
};

fn fault(line: &str) -> Option<String> {
    let said = said(line);
    let fault = said.iter().find_map(|said| said.strip_prefix("Fault "))?;
    Some(fault.split(':').next().unwrap_or_default().to_owned())
}

/// Each fault: a line that tells it, and one that is near it and does not.
const LINES: &[(&str, &str, &str)] = &[
    (
        "arguments",
        "train.py: error: unrecognized arguments: --lr-rate 1",
        "train.py: unrecognized arguments are passed on",
    ),
    ("module", "ModuleNotFoundError: No module named 'ray'", "No module named 'ray' was asked for"),
    (
        "model-mismatch",
        "AssertionError: hf_validate_args failed: num_layers in hf config 61 is not equal to num_layers 60",
        "hf_validate_args passed",
    ),
    (
        "schedule-mismatch",
        "AssertionError: OptimizerParamScheduler: class input value 1e-06 and checkpoint value 2e-06 for learning rate do not match",
        "OptimizerParamScheduler: using checkpoint value 2e-06",
    ),
    ("checkpoint-format", "ValueError: Unsupported HuggingFace model type foo", "HuggingFace model type foo"),
    (
        "model-files",
        "OSError: /data/x does not appear to have a file named config.json.",
        "reads the file named config.json",
    ),
    (
        "gpu-placement",
        "ValueError: Invalid rollout server group GPU placement",
        "rollout server group GPU placement: 8",
    ),
    ("no-such-address", "OSError: [Errno 99] Cannot assign requested address", "assigned the requested address"),
    (
        "port-taken",
        "OSError: [Errno 98] error while binding: address already in use",
        "address in use by engine 0: 10.0.0.1",
    ),
    ("ray-leftover", "Ray is still running after 'ray stop --force'", "Ray is still running"),
    (
        "memory-saver",
        "OSError: libcudart.so.12: cannot open shared object file: No such file or directory",
        "loaded libcudart.so.12",
    ),
    ("driver-version", "CUDA driver version is insufficient for CUDA runtime version", "CUDA driver version: 12.9"),
    (
        "nvshmem",
        "NVSHMEM API called before NVSHMEM initialization has completed",
        "NVSHMEM initialization has completed",
    ),
    ("open-files", "OSError: [Errno 24] Too many open files", "many open files: 12"),
    ("disk-full", "OSError: [Errno 28] No space left on device", "space left on device: 3 TB"),
    ("gpu-defect", "RuntimeError: CUDA error: uncorrectable ECC error encountered", "ECC errors: 0"),
    (
        "cuda-memory",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 58.15 GiB. GPU 0 has a total capacity of",
        "CUDA memory: out of 79 GB 12 are free",
    ),
    (
        "engine-memory",
        "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
        "mem-fraction-static is 0.7: enough memory",
    ),
    (
        "host-memory",
        "The worker may have exceeded K8s pod memory limits. The process receives a SIGTERM.",
        "K8s pod memory limits: 2 TB",
    ),
    (
        "nan",
        "AssertionError: Unexpected result nan (message='found NaN in local forward loss calculation')",
        "check_for_nan_in_loss_and_grad ......... True",
    ),
    ("cuda-access", "CUDA error: an illegal memory access was encountered", "memory access is legal"),
    (
        "collective-timeout",
        "[rank7]:[E901 05:20:03.123992144 ProcessGroupNCCL.cpp:632] [Rank 7] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=460631, OpType=ALLREDUCE, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600020 milliseconds before timing out.",
        "[Rank 7] Watchdog started, timeout 600000",
    ),
    ("peer-gone", "ncclRemoteError: A call failed possibly due to a network error", "NCCL INFO remote peer 3"),
    ("nccl-start", "enqueue.cc:42 NCCL WARN Cuda failure 'named symbol not found'", "a named symbol was found"),
    ("segfault", "Fatal Python error: Segmentation fault", "faulthandler shows a segmentation fault"),
    (
        "engine-crash",
        "(SGLangEngine pid=952, ip=10.150.236.219) [2025-11-06 01:16:21 TP0] Scheduler hit an exception: Traceback (most recent call last):",
        "Scheduler hit the cache",
    ),
    ("engine-start", "Server process terminated unexpectedly.", "Server process terminated."),
    (
        "rollout-timeout",
        "ray.exceptions.RayTaskError(TimeoutError): ray::RolloutManager.generate() (pid=1694029, ip=134.100.9.210, actor_id=d937ea7a",
        "ray::RolloutManager.generate() took 3 s",
    ),
    ("no-engine", "No available workers (all circuits open or unhealthy)", "available workers: 2"),
    ("engine-unreachable", "httpx.ConnectError: All connection attempts failed", "connection attempts: 2"),
    ("flush-timeout", "TimeoutError: Timeout while flushing cache.", "Cache flushed successfully!"),
    (
        "weights-refused",
        r#"INFO:     10.0.0.1:60048 - "POST /update_weights_from_distributed HTTP/1.1" 400 Bad Request"#,
        r#"INFO:     10.0.0.1:60048 - "POST /update_weights_from_distributed HTTP/1.1" 200 OK"#,
    ),
    (
        "node-lost",
        "\x1b[33m(raylet)\x1b[0m The node with node id: 7b25ab956bbd6f3dd60d49e36d8d50058deb38e9df1a575e8ea681b3 and address: 10.77.0.5 and node name: 10.77.0.5 has been marked dead because the detector has missed too many heartbeats from it.",
        "the node has been marked alive",
    ),
    (
        "actor-lost",
        "error: The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR",
        "Worker exit type: INTENDED_USER_EXIT",
    ),
    (
        "task-failed",
        "ray::MegatronTrainRayActor.train() (pid=76563, ip=10.1.49.166, actor_id=37d82bcbdafcda12f1eef52b02000000, repr=<slime.backends.megatron_utils.actor.MegatronTrainRayActor object at 0x7fbbb1353e60>)",
        "pid=76563, actor_id=37d82bcbdafcda12f1eef52b02000000",
    ),
    (
        "engine-removed",
        "Health check failed for rollout engine 1 (ray timeout or error). Killing actor. Exception: x",
        "Health check for rollout engine 1 passed",
    ),
    ("engine-back", "Recovered 1 dead rollout engines (worker_type=regular)", "Recovered from the checkpoint"),
    (
        "engine-silent",
        "2025-09-24 05:48:14] Health check failed. Server couldn't get a response from detokenizer for last 20 seconds. tic start time: 05:47:54. last_heartbeat time: 05:42:53",
        "Health check: a response from detokenizer came",
    ),
    (
        "proxy",
        "Error: Server error '502 Bad Gateway' for url 'http://10.0.0.1:15000/generate'",
        "502 requests through the gateway",
    ),
    (
        "engine-busy",
        r#"[2025-09-24 05:48:14] INFO:     10.109.14.1:60098 - "GET /health HTTP/1.1" 503 Service Unavailable"#,
        r#"[2025-09-24 05:48:14] INFO:     10.109.14.1:60098 - "GET /health HTTP/1.1" 200 OK"#,
    ),
    (
        "engine-retry",
        "For more information check: https://httpstatuses.com/503, retrying... (attempt 7/60, url=http://x, response=None)",
        "Error: x, retrying... (attempt 1/60, url=http://x, response=None)",
    ),
    (
        "abort-stuck",
        "http://10.0.0.1:15000 still has 3 requests after abort attempt 20; retrying in 3 seconds.",
        "http://10.0.0.1:15000 still has 3 requests after abort attempt 2; retrying in 3 seconds.",
    ),
    ("flush-waits", "Error flushing cache: HTTP 400 ", "flushing the cache"),
    (
        "data-restart",
        "Checkpoint /data/save/rollout/global_dataset_state_dict_19.pt does not exist.",
        "saved /data/save/rollout/global_dataset_state_dict_19.pt",
    ),
    (
        "nccl-warning",
        "node3:1:2 [0] misc/socket.cc:3 NCCL WARN socketStartConnect: Connect failed",
        "node3:1:2 [0] NCCL INFO Connected",
    ),
    ("broken-json", "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)", "JSON decoder ready"),
];

#[test]
fn each_fault_has_its_line_and_its_neighbour_has_none() {
    for (id, bad, fine) in LINES {
        assert_eq!(fault(bad).as_deref(), Some(*id), "{bad}");
        assert_eq!(fault(fine), None, "{fine}");
    }
    let listed: BTreeSet<_> = LINES.iter().map(|(id, ..)| *id).collect();
    let all: BTreeSet<_> = FAULTS.iter().map(|fault| fault.id).collect();
    assert_eq!(listed, all);
    assert_eq!(all.len(), FAULTS.len(), "an id stands twice");
}

#[test]
fn each_sign_tells_its_fault_alone() {
    for known in FAULTS {
        for sign in known.signs {
            let line = match sign.at_least {
                0 => format!("{}{}", sign.words, sign.then),
                number => format!("{}{number}", sign.words),
            };
            assert_eq!(fault(&line).as_deref(), Some(known.id), "{line}");
            if sign.at_least > 0 {
                assert_eq!(fault(&format!("{}{}", sign.words, sign.at_least - 1)), None);
            }
            if !sign.then.is_empty() {
                assert_eq!(fault(sign.words), None, "{}", sign.words);
            }
        }
        assert!(!known.what.is_empty() && !known.remedy.is_empty());
    }
}

#[test]
fn more_lines_of_the_same() {
    for (line, id) in [
        (
            "ray.exceptions.RayTaskError(RuntimeError): ray::MegatronTrainRayActor.train() (pid=1, ip=10.0.0.1, actor_id=3)",
            "task-failed",
        ),
        ("ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.", "actor-lost"),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`", "cuda-access"),
        // The cause is told, not what follows from it.
        ("Scheduler hit an exception: torch.OutOfMemoryError: CUDA out of memory", "cuda-memory"),
        ("Max retries (60) reached, failing... (url=http://10.0.0.1:15000/generate)", "engine-unreachable"),
        (
            "\x1b[33m(raylet)\x1b[0m Raylet is terminated. Termination is unexpected. Possible reasons include: (1) SIGKILL by the user or system OOM killer",
            "node-lost",
        ),
        (
            "\x1b[33m(raylet)\x1b[0m A worker died or was killed while executing a task by an unexpected system error.",
            "actor-lost",
        ),
    ] {
        assert_eq!(fault(line).as_deref(), Some(id), "{line}");
    }
}

#[test]
fn harmless_words_win() {
    assert_eq!(fault("[torch_memory_saver.cpp] TorchMemorySaver::malloc return OOM size=1 CUDA out of memory"), None);
}

#[test]
fn words_deep_in_a_long_line_were_written_by_a_model() {
    let line = format!("{} CUDA out of memory", "x".repeat(20_000));
    assert_eq!(fault(&line), None);
    assert_eq!(scan::marks(b"Timer ").count(), 1, "the automaton is there");
}

#[test]
fn the_text_of_a_fault_is_short_and_whole() {
    let said = said(&format!("ü CUDA out of memory {}", "ü".repeat(1000)));
    assert!(said[0].len() < 360 && !said[0].contains('\u{fffd}'), "{}", said[0]);
    let node = super::said(
        "\x1b[33m(raylet)\x1b[0m The node with address: 10.77.0.5 has been marked dead because the detector has missed too many heartbeats from it.",
    );
    assert!(node[1].starts_with("Fault node-lost: The node with address: 10.77.0.5 has been"), "{}", node[1]);
    let glued = super::said("5%|a| 3/4 [00:00<00:00, 1it/s][2026-11-23 16:29:51] a.py:3 - CUDA out of memory");
    assert_eq!(glued[1], "Fault cuda-memory: [2026-11-23 16:29:51] a.py:3 - CUDA out of memory");
}
