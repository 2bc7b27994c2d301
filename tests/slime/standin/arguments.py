"""slime's arguments, as far as they change what this job does; all others are ignored without a word, as slime does."""

import argparse
import os

FLAGS = (
    "colocate",
    "use_kl_loss",
    "use_dynamic_batch_size",
    "balance_data",
    "partial_rollout",
    "skip_eval_before_train",
    "no_save_optim",
    "no_save_rng",
)
NUMBERS = {
    "lr": 1e-6,
    "min_lr": 0.0,
    "weight_decay": 0.01,
    "clip_grad": 1.0,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_eps": 1e-8,
    "eps_clip": 0.2,
    "eps_clip_high": None,
    "eps_clip_c": None,
    "entropy_coef": 0.0,
    "kl_loss_coef": 0.0,
    "kl_coef": 0.0,
    "gamma": 1.0,
    "lambd": 1.0,
    "value_clip": 0.2,
    "tis_clip": 2.0,
    "tis_clip_low": 0.0,
    "opsm_delta": 1e-4,
    "rollout_temperature": 1.0,
    "eval_temperature": None,
}
WHOLE = {
    "actor_num_nodes": 1,
    "actor_num_gpus_per_node": 8,
    "num_gpus_per_node": 8,
    "rollout_num_gpus": None,
    "rollout_num_gpus_per_engine": 1,
    "tensor_model_parallel_size": 1,
    "pipeline_model_parallel_size": 1,
    "context_parallel_size": 1,
    "num_rollout": 3000,
    "start_rollout_id": None,
    "rollout_batch_size": 8,
    "over_sampling_batch_size": None,
    "n_samples_per_prompt": 8,
    "num_steps_per_rollout": None,
    "global_batch_size": None,
    "max_tokens_per_gpu": None,
    "rollout_max_response_len": 1024,
    "rollout_max_context_len": None,
    "n_samples_per_eval_prompt": 1,
    "eval_interval": None,
    "save_interval": None,
    "ckpt_step": None,
    "sglang_server_concurrency": 512,
    "ref_update_interval": None,
}
TEXTS = {
    "load": None,
    "ref_load": None,
    "save": None,
    "save_hf": None,
    "rm_type": None,
    "rm_url": None,
    "reward_key": None,
    "custom_rm_path": None,
    "kl_loss_type": "k1",
    "dynamic_sampling_filter_path": None,
    "custom_megatron_before_train_step_hook_path": None,
    "custom_megatron_before_log_prob_hook_path": None,
    "custom_rollout_log_function_path": None,
    "custom_eval_rollout_log_function_path": None,
}


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in FLAGS:
        parser.add_argument(f"--{name.replace('_', '-')}", action="store_true")
    for kind, table in ((float, NUMBERS), (int, WHOLE), (str, TEXTS)):
        for name, default in table.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default)
    parser.add_argument("--eval-prompt-data", nargs="+", default=["aime"])
    args, _ = parser.parse_known_args(argv)

    gpus = args.actor_num_nodes * args.actor_num_gpus_per_node
    args.rollout_num_gpus = args.rollout_num_gpus or gpus
    samples = args.rollout_batch_size * args.n_samples_per_prompt
    if args.num_steps_per_rollout:
        args.global_batch_size = samples // args.num_steps_per_rollout
    args.global_batch_size = args.global_batch_size or samples
    args.over_sampling_batch_size = args.over_sampling_batch_size or args.rollout_batch_size
    args.eps_clip_high = args.eps_clip if args.eps_clip_high is None else args.eps_clip_high
    # What this stand-in is told through its environment.
    args.ranks = int(os.environ.get("STANDIN_RANKS", "1"))
    args.schedulers = int(os.environ.get("STANDIN_SCHEDULERS", "1"))
    args.seconds = float(os.environ.get("STANDIN_SECONDS", "1"))
    args.leak = os.environ.get("STANDIN_LEAK", "1") == "1"
    rollout, _, args.fail_how = os.environ.get("STANDIN_FAIL_AT", "-1:").partition(":")
    args.fail_at = int(rollout)
    return args
