"""Optimizer and scheduler with the parts of Megatron's that hooks change."""

import argparse
from types import SimpleNamespace
from typing import Any


def optimizer(args: argparse.Namespace) -> Any:
    """Dense layers and experts: two optimizers in a chain."""
    groups = [
        {
            "lr": args.lr,
            "max_lr": args.lr,
            "min_lr": args.min_lr,
            "weight_decay": args.weight_decay,
            "wd_mult": 1.0,
            "betas": (args.adam_beta1, args.adam_beta2),
            "eps": args.adam_eps,
        }
        for _ in range(2)
    ]
    config = SimpleNamespace(clip_grad=args.clip_grad)
    chained = [SimpleNamespace(config=config, param_groups=[group]) for group in groups]
    return SimpleNamespace(param_groups=groups, chained_optimizers=chained)


class Scheduler:
    """A constant rate; a step writes it into every group again, as Megatron's does."""

    def __init__(self, args: argparse.Namespace, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.max_lr, self.min_lr = args.lr, args.min_lr
        self.start_wd = self.end_wd = args.weight_decay

    def get_lr(self, group: dict[str, Any]) -> float:
        return max(group["max_lr"], group["min_lr"])

    def step(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.get_lr(group)
            group["weight_decay"] = self.end_wd * group["wd_mult"]
