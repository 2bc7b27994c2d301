"""What the tests of the bridge share: a fresh module, a shard directory, stand-ins for Megatron's objects."""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HERE = Path(__file__).resolve().parent
BRIDGE = HERE.parent.parent / "agent/src/backend/slime"
sys.path[:0] = [str(BRIDGE), str(HERE / "stub")]
sys.dont_write_bytecode = True


def arguments(**changes: Any) -> SimpleNamespace:
    """slime's arguments as a job of ours has them."""
    values = {
        "lr": 1e-6,
        "min_lr": 0.0,
        "weight_decay": 0.1,
        "clip_grad": 1.0,
        "adam_beta1": 0.9,
        "adam_beta2": 0.98,
        "adam_eps": 1e-8,
        "eps_clip": 0.2,
        "eps_clip_high": 0.28,
        "entropy_coef": 0.0,
        "use_kl_loss": False,
        "kl_loss_coef": 0.0,
        "kl_loss_type": "low_var_kl",
        "kl_coef": 0.0,
        "gamma": 1.0,
        "ref_update_interval": None,
        "tis_clip": 2.0,
        "rollout_temperature": 1.0,
        "rollout_max_response_len": 1024,
        "rollout_max_context_len": None,
        "rollout_batch_size": 4,
        "over_sampling_batch_size": 8,
        "n_samples_per_prompt": 4,
        "num_steps_per_rollout": 2,
        "global_batch_size": 8,
        "use_dynamic_batch_size": True,
        "max_tokens_per_gpu": 4096,
        "balance_data": False,
        "partial_rollout": False,
        "dynamic_sampling_filter_path": None,
        "rollout_num_gpus": 4,
        "rollout_num_gpus_per_engine": 2,
        "sglang_server_concurrency": 64,
        "rm_type": "deepscaler",
        "reward_key": None,
        "rm_url": None,
        "eval_temperature": None,
    }
    return SimpleNamespace(**{**values, **changes})


class Scheduler:
    """As far as the bridge goes: a constant rate."""

    def __init__(self) -> None:
        self.max_lr, self.min_lr, self.start_wd, self.end_wd = 1e-6, 0.0, 0.1, 0.1

    def get_lr(self, group: dict[str, Any]) -> float:
        return group["max_lr"]


def optimizer() -> SimpleNamespace:
    """Two chained optimizers with a group each, as Megatron has them for dense layers and experts."""
    group = {"lr": 1e-6, "max_lr": 1e-6, "min_lr": 0.0, "weight_decay": 0.1, "wd_mult": 1.0}
    groups = [{**group, "betas": (0.9, 0.98), "eps": 1e-8}, {**group, "wd_mult": 0.0}]
    chained = [SimpleNamespace(config=SimpleNamespace(clip_grad=1.0), param_groups=[one]) for one in groups]
    return SimpleNamespace(param_groups=groups, chained_optimizers=chained)


def write_tune(folder: Path, version: int, values: dict[str, str], first: dict[str, int] | None = None) -> None:
    """Replaces tune.json as the agent does."""
    tune: dict[str, Any] = {"version": version, "set": values}
    if first is not None:
        tune["from"] = first
    fresh = folder / "tune.json.new"
    fresh.write_text(json.dumps(tune))
    os.replace(fresh, folder / "tune.json")


class BridgeTest(unittest.TestCase):
    """A fresh bridge in a fresh shard directory."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="rldeck-bridge-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        os.environ["RLDECK_SHARD_DIR"] = folder.name
        for name in [name for name in os.environ if name.startswith("RLDECK_CHAIN_")]:
            del os.environ[name]
        self.restart()
        self.args = arguments()
        self.optimizer, self.scheduler = optimizer(), Scheduler()

    def restart(self) -> None:
        """The process of the job ends, another begins."""
        sys.modules.pop("rldeck_bridge", None)
        self.bridge = importlib.import_module("rldeck_bridge")

    def tune(self, version: int, values: dict[str, str], first: dict[str, int] | None = None) -> None:
        write_tune(self.folder, version, values, first)

    def step(self, rollout: int, step: int = 0) -> Any:
        return self.bridge.before_train_step(self.args, rollout, step, [], self.optimizer, self.scheduler)

    def rollout(self, rollout: int, samples: list[Any] | None = None, extra: dict[str, Any] | None = None) -> Any:
        return self.bridge.log_rollout(rollout, self.args, samples or [], extra or {}, 1.5)

    def events(self, kind: str) -> list[dict[str, Any]]:
        path = self.folder / "events.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [event for event in map(json.loads, lines) if event["kind"] == kind]

    def tuned(self) -> list[dict[str, Any]]:
        return self.events("tuned")

    def refused(self) -> dict[str, str]:
        return {name: reason for event in self.tuned() for name, reason in event.get("refused", {}).items()}
