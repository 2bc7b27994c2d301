"""Faults on request: each of them once per --save, so that a resumed job gets past it."""

import argparse
from pathlib import Path


def strikes(args: argparse.Namespace, rollout: int, *kinds: str) -> bool:
    """One of these is to happen now."""
    if args.fail_how not in kinds or rollout != args.fail_at:
        return False
    done = Path(args.save or "/tmp") / f"standin-{args.fail_how}-{rollout}"
    if done.exists():
        return False
    done.parent.mkdir(parents=True, exist_ok=True)
    done.touch()
    return True
