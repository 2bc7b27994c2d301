"""Every rank has the same values at the same step, whenever the file is replaced."""

from __future__ import annotations

import multiprocessing
import os
import random
import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path
from queue import Empty
from typing import Any

from support import Scheduler, arguments, optimizer, write_tune

RANKS, ROLLOUTS, STEPS = 4, 60, 3
WATCHED = ("lr", "entropy_coef", "eps_clip", "gamma", "rollout_temperature")

Seen = list[tuple[int, int, tuple[Any, ...]]]


def rank(number: int, port: int, folder: str, alone: bool, results: Any) -> None:
    """One rank of a job: looks at log-probabilities, takes steps, and notes what it took them with."""
    where = {"RANK": number, "WORLD_SIZE": RANKS, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in where.items()}, RLDECK_SHARD_DIR=folder)
    import rldeck_bridge as bridge
    import torch.distributed
    from slime.utils import distributed_utils

    torch.distributed.init_process_group()
    distributed_utils.init_gloo_group()
    if alone:  # the mistake that this test is there for
        bridge.world = lambda: (0, None)  # type: ignore[assignment]
    args, ours, scheduler = arguments(num_steps_per_rollout=STEPS), optimizer(), Scheduler()
    chance = random.Random(number)
    seen: Seen = []
    for rollout in range(ROLLOUTS):
        for model in ("ref_", ""):
            time.sleep(chance.uniform(0, 0.003))
            bridge.before_log_prob(args, [], model)
            seen.append((rollout, -1, (args.rollout_temperature,)))
        for step in range(STEPS):
            time.sleep(chance.uniform(0, 0.003))
            bridge.before_train_step(args, rollout, step, [], ours, scheduler)
            values = tuple(getattr(args, name) for name in WATCHED)
            seen.append((rollout, step, (*values, *(group["lr"] for group in ours.param_groups))))
            # A step ends when the gradients of all ranks have met.
            torch.distributed.broadcast_object_list([None], src=0, group="gloo")
    results.put((number, seen))


def run(alone: bool) -> dict[int, Seen]:
    """What each rank has seen of a job whose tune.json is replaced at random moments."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    spawn = multiprocessing.get_context("spawn")
    chance = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="rldeck-ranks-") as folder:
        results = spawn.Queue()
        ranks = [spawn.Process(target=rank, args=(n, port, folder, alone, results)) for n in range(RANKS)]
        for one in ranks:
            one.start()
        seen: dict[int, Seen] = {}
        end, version = time.monotonic() + 60, 0
        while len(seen) < RANKS and time.monotonic() < end:
            version += 1
            values = {name: f"{chance.uniform(0.001, 0.5):.6f}" for name in ("lr", "entropy-coef", "eps-clip", "gamma")}
            values["rollout-temperature"] = f"{chance.uniform(0.5, 1.5):.3f}"
            kept = dict(chance.sample(sorted(values.items()), chance.randint(1, 5)))
            write_tune(Path(folder), version, kept, {"rollout-temperature": chance.randint(0, ROLLOUTS)})
            try:
                number, lines = results.get(timeout=chance.uniform(0, 0.006))
                seen[number] = lines
            except Empty:
                pass
        for one in ranks:
            one.join(10)
            one.kill()
    return seen


def divergent(seen: dict[int, Seen]) -> list[Any]:
    """Where ranks differ."""
    together = zip(*(seen[number] for number in sorted(seen)), strict=True)
    return [lines for lines in together if len(set(lines)) > 1]


class Ranks(unittest.TestCase):
    def test_all_ranks_change_at_the_same_step(self) -> None:
        seen = run(alone=False)
        self.assertEqual(len(seen), RANKS, "a rank did not come to its end")
        self.assertEqual(divergent(seen), [])
        taken = {values for _, step, values in seen[0] if step >= 0}
        self.assertGreater(len(taken), ROLLOUTS // 2, "values did change")
        self.assertGreater(len({values[4] for values in taken}), 3, "the temperature too")

    def test_ranks_that_read_the_file_themselves_would_be_found_out(self) -> None:
        seen = run(alone=True)
        self.assertEqual(len(seen), RANKS)
        self.assertNotEqual(divergent(seen), [])


if __name__ == "__main__":
    sys.exit(unittest.main())
