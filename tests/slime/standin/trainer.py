"""The trainer: ranks that meet in a process group, call slime's hooks and take steps that cost nothing."""

import argparse
import math
import os
import random
import socket
import time

import ray
import torch
import torch.distributed
from slime.utils import distributed_utils
from slime.utils.misc import load_function

from . import checkpoint, fault
from .lines import Bar, log, say, timer
from .megatron import Scheduler, optimizer


@ray.remote
class MegatronTrainRayActor:
    """Stands for the first of its node's ranks (or for more, STANDIN_RANKS)."""

    def address(self) -> tuple[str, int]:
        with socket.create_server(("", 0)) as free:
            return ray.util.get_node_ip_address(), free.getsockname()[1]

    def init(self, args: argparse.Namespace, index: int, actors: int, where: tuple[str, int]) -> int:
        self.args, self.index = args, index
        self.rank = index * args.actor_num_gpus_per_node // args.ranks
        # The metrics are those of the first rank of the last pipeline stage.
        self.main = index == actors - max(actors // args.pipeline_model_parallel_size, 1)
        names = {"RANK": index, "WORLD_SIZE": actors, "MASTER_ADDR": where[0], "MASTER_PORT": where[1]}
        os.environ.update({name: str(value) for name, value in names.items()})
        torch.distributed.init_process_group()
        distributed_utils.init_gloo_group()
        log(
            "train_actor.py:58",
            f"[Rank {self.rank}] Enabled CUDA memory allocator expandable_segments for train actor",
        )
        self.optimizer = optimizer(args)
        self.scheduler = Scheduler(args, self.optimizer)
        self.times: dict[str, float] = {}
        self.waiting = time.time()
        self.skill = 0.0
        return self._load()

    def _load(self) -> int:
        args, found = self.args, checkpoint.latest(self.args.load, self.args.ckpt_step)
        if found is None:
            if self.rank == 0:
                say(f" loading release distributed checkpoint from {args.ref_load}")
            return 0
        state = checkpoint.load_state(args.load, found)
        self.skill = state["skill"]
        for group in self.optimizer.param_groups:
            group["lr"] = group["max_lr"] = state["max_lr"]
        if self.rank == 0:
            say(f"  successfully loaded checkpoint from {args.load} {self._shard()} at iteration {found}")
        return found + 1

    def _shard(self) -> str:
        args = self.args
        return f"[ t 1/{args.tensor_model_parallel_size}, p 1/{args.pipeline_model_parallel_size} ]"

    def _memory(self, when: str) -> None:
        gpu = {"gpu": str(self.rank % 8), "total_GB": 79.11, "free_GB": 31.4, "used_GB": 47.71}
        usage = {**gpu, "allocated_GB": 38.2, "reserved_GB": 42.6, "host_available_GB": 812.5, "host_used_GB": 695.1}
        log("memory_utils.py:52", f"[Rank {self.rank}] Memory-Usage {when}: {usage}")

    def train(self, rollout: int, data: dict[str, float]) -> None:
        args = self.args
        self.times["train_wait"] = time.time() - self.waiting
        pause = args.seconds / 2
        shown = self.rank == 0
        begun = time.time()
        with timer("wake_up", self.times, shown):
            self._memory("before wake_up model")
            self._memory("after wake_up model")
        with timer("data_preprocess", self.times, shown):
            pass
        if args.use_kl_loss or args.kl_coef:
            with timer("ref_log_probs", self.times, shown):
                self._log_probs("ref_", "ref forward", pause * 0.2)
        with timer("log_probs", self.times, shown):
            self._log_probs("", "actor forward", pause * 0.2)
        if self.main:
            log("train_metric_utils.py:135", f"rollout {rollout}: {self._rollout_values(data)}")
        self._fail(rollout)
        with timer("actor_train", self.times, shown):
            self._steps(rollout, data, pause * 0.6)
        with timer("sleep", self.times, shown):
            self._memory("before offload model")
            self._memory("after offload model")
        self.times["train"] = time.time() - begun
        if self.main:
            self._perf(rollout)
        self.times = {}
        self.waiting = time.time()

    def _log_probs(self, prefix: str, name: str, pause: float) -> None:
        if self.args.custom_megatron_before_log_prob_hook_path:
            load_function(self.args.custom_megatron_before_log_prob_hook_path)(self.args, [], prefix)
        bar = Bar(name, 4, "microbatch", leave=False) if self.main else None
        for _ in range(4):
            time.sleep(pause / 4)
            if bar:
                bar.advance()
        if bar:
            bar.close()

    def _rollout_values(self, data: dict[str, float]) -> dict[str, float]:
        entropy = -0.3 * self.args.rollout_temperature
        values = {
            "rollout/raw_reward": data["reward"],
            "rollout/total_lengths": data["length"] + 120.0,
            "rollout/response_lengths": data["length"],
            "rollout/rewards": -3.157765604555607e-08,
            "rollout/truncated": data["truncated"],
            "rollout/log_probs": entropy,
            "rollout/advantages": -2.991873770952225e-08,
            "rollout/returns": -2.991873770952225e-08,
        }
        return {**values, "rollout/ref_log_probs": entropy - 0.01} if self.args.use_kl_loss else values

    def _steps(self, rollout: int, data: dict[str, float], pause: float) -> None:
        args = self.args
        steps = max(args.rollout_batch_size * args.n_samples_per_prompt // int(data["global_batch_size"]), 1)
        bar = Bar("actor train", steps * 2, "microbatch", leave=False) if self.main else None
        chance = random.Random(rollout)
        for step in range(steps):
            if args.custom_megatron_before_train_step_hook_path:
                hook = load_function(args.custom_megatron_before_train_step_hook_path)
                hook(args, rollout, step, [], self.optimizer, self.scheduler)
            for _ in range(2):
                time.sleep(pause / steps / 2)
                if bar:
                    bar.advance()
            # The better, the slower; the rate that slime's scripts use brings it to 0.5 in about 70 steps.
            self.skill += 1e4 * self.optimizer.param_groups[0]["lr"] * (1 - self.skill)
            self.scheduler.step()
            if self.main:
                number = rollout * steps + step
                log("model.py:918", f"step {number}: {self._step_values(rollout, number, data, chance)}")
        if bar:
            bar.close()

    def _step_values(
        self, rollout: int, number: int, data: dict[str, float], chance: random.Random
    ) -> dict[str, float]:
        args = self.args
        broken = fault.strikes(args, rollout, "nan")
        values = {
            "train/loss": -6.05e-09 + args.entropy_coef * -0.3,
            "train/pg_loss": -6.05e-09,
            "train/entropy_loss": 0.3 * args.rollout_temperature * (1 - self.skill / 2) + args.entropy_coef,
            "train/pg_clipfrac": 0.02 * min(args.eps_clip / 0.2, 1.0),
            "train/ppo_kl": 0.0001,
            "train/train_rollout_logprob_abs_diff": 0.018 + abs(args.rollout_temperature - data["temperature"]),
            "train/grad_norm": math.nan if broken else 0.08 + 0.01 * chance.random(),
            "train/lr-pg_0": self.scheduler.get_lr(self.optimizer.param_groups[0]),
            "train/lr-pg_1": self.scheduler.get_lr(self.optimizer.param_groups[1]),
            "train/global_batch_size": int(data["global_batch_size"]),
            "train/step": number,
        }
        return {**values, "train/kl_loss": 0.002 * (1 + self.skill)} if args.use_kl_loss else values

    def _perf(self, rollout: int) -> None:
        times = {f"perf/{name}_time": seconds for name, seconds in self.times.items()}
        step = self.times["train_wait"] + self.times["train"]
        speed = {"perf/actor_train_tflops": 27.04, "perf/actor_train_tok_per_s": 7498.9, "perf/step_time": step}
        wait = {"perf/wait_time_ratio": self.times["train_wait"] / step}
        log("train_metric_utils.py:401", f"perf {rollout}: { ({**times, **speed, **wait}) }")

    def save_model(self, rollout: int) -> None:
        with timer("save_model", self.times, self.rank == 0):
            if self.rank == 0:
                say(f"saving checkpoint at iteration {rollout:7d} to {self.args.save} in torch_dist format")
            state = {"skill": self.skill, "max_lr": self.optimizer.param_groups[0]["max_lr"]}
            checkpoint.save_shard(self.args, rollout, self.rank, state)
            if self.rank == 0:
                where = f"{rollout:7d} to {self.args.save} {self._shard()}"
                say(f"  successfully saved checkpoint from iteration {where}")

    def update_weights(self) -> float:
        with timer("update_weights", self.times, self.rank == 0):
            if self.rank == 0:
                bar = Bar("Update weights", 2, "it", leave=True)
                bar.advance(2)
                bar.close()
        return self.skill

    def _fail(self, rollout: int) -> None:
        if not self.main or not fault.strikes(self.args, rollout, "exit", "oom", "hang"):
            return
        if self.args.fail_how == "exit":
            os._exit(1)
        if self.args.fail_how == "oom":
            raise torch.OutOfMemoryError(
                "CUDA out of memory. Tried to allocate 58.15 GiB. GPU 0 has a total capacity of 79.11 GiB "
                "of which 31.40 GiB is free."
            )
        while True:
            time.sleep(60)
