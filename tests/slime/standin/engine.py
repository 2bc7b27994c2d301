"""Engines: one actor a node, with child processes under SGLang's names."""

import os
import subprocess
import sys

import ray

from .lines import log

# Named like a server of SGLang's; ends with its parent, as SGLang's scheduler does, unless it is to outlive it.
CHILD = """
import os, sys, time
name, prints, stays = sys.argv[1:]
open("/proc/self/comm", "w").write(name[:15])
if stays == "stays":
    if os.fork(): os._exit(0)
    os.setsid()
parent, end = os.getppid(), time.time() + 3600
while time.time() < end and (stays == "stays" or os.getppid() == parent):
    if prints == "prints":
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        load = "#running-req: 6, #token: 42414, token usage: 0.04, cuda graph: True"
        print(f"[{now} TP0] Decode batch, {load}, gen throughput (token/s): 1374.02, #queue-req: 0", flush=True)
    time.sleep(1)
"""


def child(name: str, prints: bool, stays: bool) -> subprocess.Popen[bytes]:
    """A process that is called so in ps and in its command line."""
    words = [name, "-ISc", CHILD, name, "prints" if prints else "quiet", "stays" if stays else "ends"]
    return subprocess.Popen(words, executable=sys.executable)


@ray.remote
class SGLangEngine:
    def start(self, node: int, schedulers: int, leak: bool) -> str:
        self.schedulers = [
            child(f"sglang::scheduler_TP{node * schedulers + one}", prints=one == 0, stays=False)
            for one in range(schedulers)
        ]
        if leak:
            child("sglang::detokenizer", prints=False, stays=True).wait()
        address = ray.util.get_node_ip_address()
        log("sglang_engine.py:93", f"Launch HttpServerEngineAdapter at: {address}:15000")
        print("The server is fired up and ready to roll!", flush=True)
        return address

    def crash(self) -> None:
        """What a scheduler says before it takes its engine along."""
        print("Scheduler hit an exception: Traceback (most recent call last):", flush=True)
        os._exit(1)

    def shutdown(self) -> None:
        for one in self.schedulers:
            one.kill()
            one.wait()
