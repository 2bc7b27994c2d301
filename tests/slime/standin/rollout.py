"""The rollout manager: makes up samples, filters groups, says what slime says of them."""

import argparse
import random
import statistics
import time
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup
from slime.rollout.sglang_rollout import GenerateState
from slime.utils.misc import load_function
from slime.utils.types import Sample, Status

from . import checkpoint, fault, placement
from .engine import SGLangEngine, child
from .lines import Bar, log


@ray.remote
class RolloutManager:
    def __init__(self, args: argparse.Namespace, group: PlacementGroup, nodes: placement.Nodes) -> None:
        self.args, self.group, self.nodes = args, group, nodes
        self.skill = 0.0
        self.offset = 0

    def start(self) -> None:
        args = self.args
        address = ray.util.get_node_ip_address()
        self.router = child("sglang::router", prints=False, stays=False)
        log("rollout.py:967", f"Router launched at {address}:3456, Prometheus port: 4567")
        self.engines = placement.spread(SGLangEngine, self.group, self.nodes, 1, share=0.2)
        for engine, (host, _) in enumerate(self.nodes):
            ports = {"host": host, "port": 15000, "nccl_port": 15001, "dist_init_addr": f"{host}:15002"}
            log("rollout.py:911", f"Ports for engine {engine}: {ports}")
        leaks = [args.leak and node % 2 == 1 for node in range(len(self.engines))]
        started = [one.start.remote(node, args.schedulers, leaks[node]) for node, one in enumerate(self.engines)]
        ray.get(started)

    def update_weights(self, skill: float) -> None:
        self.skill = skill

    def generate(self, rollout: int) -> dict[str, float]:
        args = self.args
        state, begun, chance = GenerateState(args), time.time(), random.Random(rollout)
        if fault.strikes(args, rollout, "engine"):
            ray.get(self.engines[-1].crash.remote())
        temperature = state.sampling_params["temperature"]
        kept, dropped = self._groups(state, chance)
        samples = [sample for group in kept for sample in group]
        first = samples[0]
        about = f"label: {first.label}, reward: {first.reward}"
        log("sglang_rollout.py:420", f"First rollout sample: [{first.prompt + first.response!r}], {about}")
        seconds = time.time() - begun
        extra = {f"rollout/dynamic_filter/drop_{reason}": count for reason, count in dropped.items()}
        self._log(rollout, samples, extra, seconds)
        lengths = [sample.response_length for sample in samples]
        return {
            "reward": statistics.fmean(sample.reward for sample in samples),
            "length": statistics.fmean(lengths),
            "truncated": statistics.fmean(sample.status is Status.TRUNCATED for sample in samples),
            "temperature": temperature,
            "global_batch_size": args.global_batch_size,
        }

    def _groups(self, state: Any, chance: random.Random) -> tuple[list[list[Sample]], dict[str, int]]:
        """Samples groups until enough of them have a spread of rewards."""
        args, kept, dropped = self.args, [], {}
        bar = Bar("Rollout generation", args.rollout_batch_size * args.n_samples_per_prompt, "it", leave=True)
        while len(kept) < args.rollout_batch_size:
            group = self._group(state, chance)
            rewards = {sample.reward for sample in group}
            if args.dynamic_sampling_filter_path and len(rewards) == 1:
                reason = f"zero_std_{rewards.pop()}"
                dropped[reason] = dropped.get(reason, 0) + 1
                continue
            kept.append(group)
            time.sleep(args.seconds / 2 / args.rollout_batch_size)
            bar.advance(len(group))
        bar.close()
        return kept, dropped

    def _group(self, state: Any, chance: random.Random) -> list[Sample]:
        self.offset += 1
        # Some problems are too easy, some too hard; skill makes all easier, heat makes all harder.
        level = 0.1 + 0.8 * self.skill + chance.uniform(-0.3, 0.3) - 0.05 * (state.sampling_params["temperature"] - 1)
        longest = state.sampling_params["max_new_tokens"]
        group = []
        for place in range(self.args.n_samples_per_prompt):
            right = chance.random() < level
            length = min(int(chance.lognormvariate(5.5 + self.skill, 0.5)), longest)
            a, b = self.offset % 97, self.offset % 89
            answer = a + b if right else a + b + 1
            sample = Sample(
                group_index=self.offset,
                index=place,
                prompt=f"What is {a} + {b}?",
                response=f"<think>{a} and {b} make {answer}.</think> {answer}",
                response_length=length,
                label=str(a + b),
                reward=1.0 if right else 0.0,
                status=Status.TRUNCATED if length == longest else Status.COMPLETED,
            )
            group.append(sample)
        return group

    def _log(self, rollout: int, samples: list[Sample], extra: dict[str, Any], seconds: float) -> None:
        args = self.args
        if args.custom_rollout_log_function_path:
            hook = load_function(args.custom_rollout_log_function_path)
            if hook(rollout, args, samples, extra, seconds):
                return
        lengths = [sample.response_length for sample in samples]
        values = {
            **response_lengths("rollout", lengths),
            "rollout/repetition_frac": 0.0,
            "rollout/truncated_ratio": statistics.fmean(one.status is Status.TRUNCATED for one in samples),
            **extra,
            "perf/rollout_time": seconds,
            "perf/tokens_per_gpu_per_sec": sum(lengths) / seconds / args.rollout_num_gpus,
            "perf/longest_sample_tokens_per_sec": max(lengths) / seconds,
        }
        log("rollout_metrics.py:268", f"perf {rollout}: {values}")

    def eval(self, rollout: int) -> None:
        for name in self.args.eval_prompt_data[::2]:
            bar = Bar(f"Eval {name}", 8, "it", leave=True)
            for _ in range(8):
                time.sleep(self.args.seconds / 40)
                bar.advance()
            bar.close()
            values = {f"eval/{name}": 0.1 + 0.8 * self.skill, f"eval/{name}-truncated_ratio": 0.0}
            values.update(response_lengths(f"eval/{name}", [200, 300, 420]))
            log("rollout_metrics.py:247", f"eval {rollout}: {values}")

    def save(self, rollout: int) -> None:
        path = checkpoint.dataset_state(self.args.save, rollout)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(self.offset))

    def load(self, rollout: int) -> None:
        path = checkpoint.dataset_state(self.args.load or "", rollout)
        if rollout < 0 or self.args.load is None:
            return
        if not path.exists():
            log("data_source.py:145", f"Checkpoint {path} does not exist.")
            return
        self.offset = int(path.read_text())

    def dispose(self) -> None:
        ray.get([engine.shutdown.remote() for engine in self.engines])
        self.router.kill()
        self.router.wait()


def response_lengths(prefix: str, lengths: list[int]) -> dict[str, float]:
    return {
        f"{prefix}/response_len/mean": statistics.fmean(lengths),
        f"{prefix}/response_len/median": float(statistics.median(lengths)),
        f"{prefix}/response_len/max": max(lengths),
        f"{prefix}/response_len/min": min(lengths),
    }
