"""Lines as slime, Megatron and tqdm write them."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def log(source: str, message: str) -> None:
    """slime's logger: to stderr, `source` is `file.py:line`."""
    sys.stderr.write(f"[{time.strftime('%Y-%m-%d %H:%M:%S')}] {source} - {message}\n")
    sys.stderr.flush()


def say(message: str) -> None:
    """Megatron's print of rank 0: to stdout."""
    print(message, flush=True)


@contextmanager
def timer(name: str, times: dict[str, float], shown: bool) -> Iterator[None]:
    """slime's Timer: only rank 0 says it, all keep it."""
    begun = time.time()
    if shown:
        log("timer.py:24", f"Timer {name} start")
    yield
    times[name] = time.time() - begun
    if shown:
        log("timer.py:32", f"Timer {name} end (elapsed: {times[name]:.1f}s)")


class Bar:
    """A progress bar like tqdm's: each state after a carriage return, no newline until it closes."""

    def __init__(self, name: str, total: int, unit: str, leave: bool) -> None:
        self.name, self.total, self.unit, self.leave = name, total, unit, leave
        self.done, self.begun = 0, time.time()
        self._draw()

    def advance(self, by: int = 1) -> None:
        self.done += by
        self._draw()

    def close(self) -> None:
        sys.stderr.write("\n" if self.leave else "\r" + " " * 66 + "\r")
        sys.stderr.flush()

    def _draw(self) -> None:
        elapsed = time.time() - self.begun
        share = self.done / self.total
        eighths = int(share * 80)
        partial = "" if eighths % 8 == 0 else " ▏▎▍▌▋▊▉"[eighths % 8]
        blocks = ("█" * (eighths // 8) + partial).ljust(10)
        if self.done:
            left = elapsed / self.done * (self.total - self.done)
            pace = f"{clock(elapsed)}<{clock(left)}, {self.done / max(elapsed, 1e-3):5.2f}{self.unit}/s"
        else:
            pace = f"{clock(elapsed)}<?, ?{self.unit}/s"
        sys.stderr.write(f"\r{self.name}: {share:4.0%}|{blocks}| {self.done}/{self.total} [{pace}]")
        sys.stderr.flush()


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
