"""Checkpoints in Megatron's layout, with next to nothing in them."""

import argparse
import json
import os
from pathlib import Path

TRACKER = "latest_checkpointed_iteration.txt"


def folder(save: str, rollout: int) -> Path:
    return Path(save) / f"iter_{rollout:07d}"


def save_shard(args: argparse.Namespace, rollout: int, rank: int, state: dict[str, float]) -> None:
    """What one rank writes; rank 0 also what is common to all."""
    into = folder(args.save, rollout)
    into.mkdir(parents=True, exist_ok=True)
    for part in range(2):
        (into / f"__{rank}_{part}.distcp").write_bytes(os.urandom(4096))
    if rank == 0:
        (into / "common.pt").write_text(json.dumps(state))
        (into / "metadata.json").write_text('{"sharded_backend": "torch_dist", "sharded_backend_version": 1}')


def finish(args: argparse.Namespace, rollout: int) -> None:
    """All ranks have written: the checkpoint is complete, and only now the tracker names it."""
    (folder(args.save, rollout) / ".metadata").write_bytes(b"complete")
    tracker = Path(args.save) / TRACKER
    fresh = tracker.with_suffix(".new")
    fresh.write_text(str(rollout))
    fresh.replace(tracker)


def latest(load: str | None, asked: int | None = None) -> int | None:
    """The rollout of the last complete checkpoint, or the one that was asked for; None starts from the reference model."""
    tracker = Path(load or "") / TRACKER
    if load is None or not tracker.is_file():
        return None
    if asked is not None:
        return asked
    text = tracker.read_text().strip()
    return None if text == "release" else int(text)


def load_state(load: str, rollout: int) -> dict[str, float]:
    return json.loads((folder(load, rollout) / "common.pt").read_text())


def dataset_state(root: str, rollout: int) -> Path:
    return Path(root) / "rollout" / f"global_dataset_state_dict_{rollout}.pt"
