use super::{super::Kind, metrics, said};

#[test]
fn a_step_of_the_trainer() {
    let (kind, values) = metrics(
        "(MegatronTrainRayActor pid=32167) [2025-12-17 14:10:28] model.py:649 - step 11: {'train/loss': -6.05359673500061e-09, 'train/pg_loss': -6.05359673500061e-09, 'train/entropy_loss': 0.18443581461906433, 'train/pg_clipfrac': 0.0, 'train/ppo_kl': 0.0, 'train/train_rollout_logprob_abs_diff': 0.018386833369731903, 'train/kl_loss': 0.002021021908149123, 'train/grad_norm': 0.07986056034213801, 'train/lr-pg_0': 1e-06, 'train/lr-pg_1': 1e-06, 'train/lr-pg_2': 1e-06, 'train/step': 11}",
    );
    assert_eq!(kind, Some((Kind::Step, 11)));
    assert_eq!(values.len(), 12);
    assert_eq!(values["train/loss"], -6.05359673500061e-09);
    assert_eq!(values["train/lr-pg_2"], 1e-6);
    assert_eq!(values["train/step"], 11.0);

    let (kind, values) = metrics(
        "step 28: {'train/loss': 0.1451725959777832, 'train/pg_loss': 0.14517192542552948, 'train/entropy_loss': 0.3434755206108093, 'train/pg_clipfrac': 0.0, 'train/ppo_kl': 0.0, 'train/train_rollout_logprob_abs_diff': 0.04285452514886856, 'train/kl_loss': 0.0007035313756205142, 'train/ois': 0.75, 'train/tis': 0.7496934533119202, 'train/tis_clipfrac': 0.0009880214929580688, 'train/tis_abs': 0.029075611382722855, 'train/grad_norm': 2217390918.482301, 'train/lr-pg_0': 1e-07, 'train/lr-pg_1': 1e-07, 'train/step': 28}",
    );
    assert_eq!(kind, Some((Kind::Step, 28)));
    assert_eq!(values["train/grad_norm"], 2217390918.482301);
}

#[test]
fn the_two_kinds_of_perf() {
    let (kind, values) = metrics(
        "(RolloutManager pid=1805485) [2026-04-15 07:57:53] rollout.py:1193 - perf 0: {'rollout/response_len/mean': 2773.71484375, 'rollout/response_len/median': 2837.5, 'rollout/response_len/max': 4096, 'rollout/response_len/min': 593, 'rollout/zero_std/count_0': 12, 'rollout/zero_std/count_1': 14, 'rollout/repetition_frac': 0.0, 'rollout/truncated_ratio': 0.46484375, 'perf/rollout_time': 371.1796889305115, 'perf/tokens_per_gpu_per_sec': 239.12643295688667, 'perf/longest_sample_tokens_per_sec': 11.035086568992766, 'perf/effective_tokens_per_gpu_per_sec': 239.12643295688667, 'perf/longest_effective_sample_tokens_per_sec': 11.035086568992766}",
    );
    assert_eq!((kind, values.len()), (Some((Kind::RolloutPerf, 0)), 13));
    assert_eq!(values["rollout/response_len/max"], 4096.0);
    let (kind, _) =
        metrics("metrics.py:67 - perf 0: {'perf/rollout_time': 55.3, 'perf/tokens_per_gpu_per_sec': 400.8}");
    assert_eq!(kind, Some((Kind::RolloutPerf, 0)));
    let (kind, values) = metrics(
        "[2026-04-15 07:57:53] train_metric_utils.py:401 - perf 3: {'perf/sleep_time': 5.323812961578369, 'perf/update_weights_time': 2.5300958156585693, 'perf/wake_up_time': 2.575822114944458, 'perf/data_preprocess_time': 0.056499481201171875, 'perf/train_wait_time': 347.60552525520325, 'perf/log_probs_time': 17.18164873123169, 'perf/actor_train_time': 46.9120090007782, 'perf/train_time': 64.71815633773804, 'perf/log_probs_tflops': 24.6083648658699, 'perf/actor_train_tflops': 27.038638292063737, 'perf/actor_train_tok_per_s': 7498.93273584093, 'perf/step_time': 412.3236815929413, 'perf/wait_time_ratio': 0.8430404092054314}",
    );
    assert_eq!((kind, values.len()), (Some((Kind::TrainerPerf, 3)), 13));
    assert_eq!(values["perf/wait_time_ratio"], 0.8430404092054314);
}

#[test]
fn the_other_kinds() {
    let (kind, values) = metrics(
        "(MegatronTrainRayActor pid=197171) [2025-11-17 23:38:59] data.py:119 - rollout 0: {'rollout/raw_reward': -0.10908203125000002, 'rollout/total_lengths': 2948.859375, 'rollout/response_lengths': 2601.3125, 'rollout/rewards': -3.157765604555607e-08, 'rollout/truncated': 0.052734375, 'rollout/ref_log_probs': -0.12787111476063728, 'rollout/log_probs': -0.12787111476063728, 'rollout/advantages': -2.991873770952225e-08, 'rollout/returns': -2.991873770952225e-08}",
    );
    assert_eq!((kind, values["rollout/truncated"]), (Some((Kind::Rollout, 0)), 0.052734375));
    for (line, kind, number, name, value) in [
        (
            "log_utils.py:54 - passrate 0: {'passrate/pass@1': np.float64(0.25)}",
            Kind::PassRate,
            0,
            "passrate/pass@1",
            0.25,
        ),
        (
            "log_utils.py:54 - step 0: {'train/loss': -1e-9, 'train/grad_norm': 0.21}",
            Kind::Step,
            0,
            "train/loss",
            -1e-9,
        ),
        (
            "metrics.py:46 - eval 0: {'eval/pie_cpp': -0.41, 'eval/pie_cpp/truncated_ratio': 0.5}",
            Kind::Eval,
            0,
            "eval/pie_cpp",
            -0.41,
        ),
        ("prefix eval 19: {'eval/aime': 0.25, 'eval/aime-pass@2': 0.4}", Kind::Eval, 19, "eval/aime-pass@2", 0.4),
        ("prefix eval 39: {'eval/aime': 0.5}", Kind::Eval, 39, "eval/aime", 0.5),
        ("multi_turn 2: {'multi_turn/turns': 3}", Kind::MultiTurn, 2, "multi_turn/turns", 3.0),
        (
            "x.py:1 - critic-step 7: {'train/critic-value_loss': 0.5}",
            Kind::CriticStep,
            7,
            "train/critic-value_loss",
            0.5,
        ),
        (
            "[2026-11-23 16:29:51 fork extra] a.py:15 - step 3: {\"train/my loss@v2\": +2}",
            Kind::Step,
            3,
            "train/my loss@v2",
            2.0,
        ),
    ] {
        let (found, values) = metrics(line);
        assert_eq!((found, values.get(name)), (Some((kind, number)), Some(&value)), "{line}");
    }
}

#[test]
fn values_in_any_clothes() {
    let (_, values) = metrics(
        r#"step 3: {'train/partition': [[0, 1], {'a': (2, ']')}], 'train/a': nan, 'train/b': inf, 'train/c': -inf, 'train/d': None, 'train/e': True, 'train/f': False, 'train/g': np.float64(0.25), 'train/h': tensor(2.0, device='cuda:0'), 'train/i': 7, 'train/j': 'text, with: {"things"} and it\'s', 'train/k': tensor([1., 2.]), 'train/l': <object at 0x7f>, 5: 6, 'train/m': torch.tensor(0.1, grad_fn=<MulBackward0>), 'train/n': -1e-06}"#,
    );
    let mut names: Vec<&str> = values.keys().map(|name| name.trim_start_matches("train/")).collect();
    names.sort_unstable();
    assert_eq!(names, ["5", "a", "b", "c", "e", "f", "g", "h", "i", "m", "n"]);
    assert!(values["train/a"].is_nan());
    assert_eq!((values["train/b"], values["train/c"]), (f64::INFINITY, f64::NEG_INFINITY));
    assert_eq!((values["train/e"], values["train/f"], values["train/g"]), (1.0, 0.0, 0.25));
    assert_eq!((values["train/h"], values["train/m"], values["train/n"]), (2.0, 0.1, -1e-6));
}

#[test]
fn what_is_cut_off_is_left_out() {
    let (_, values) = metrics("step 3: {'train/a': 1.5, 'train/b': 0.123");
    assert_eq!(values.keys().collect::<Vec<_>>(), ["train/a"], "0.123 may go on");
    let (_, values) = metrics("step 3: {'train/a': 1.5, 'train/b");
    assert_eq!(values.len(), 1);
    assert!(said("step 3: {").is_empty());
    assert!(said("step 3: {}").is_empty());
}

#[test]
fn what_only_looks_like_a_metric_is_none() {
    for line in [
        "Loading step 5: {'batch': 3}",
        "bigstep 5: {'train/loss': 3}",
        "step five: {'train/loss': 3}",
        "step 5 : {'train/loss': 3}",
        "step: {'train/loss': 3}",
        "timestep 99999999999999999999: {'train/loss': 3}",
        "time_step 3: {'train/loss': 3}",
        "{'step 3': {'train/loss': 3}}",
    ] {
        assert!(said(line).is_empty(), "{line}");
    }
}
