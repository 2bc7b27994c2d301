"""The state of generation: what is fixed at its first use, as in slime."""

import asyncio
from typing import Any

from slime.utils.misc import SingletonMeta


class GenerateState(metaclass=SingletonMeta):
    def __init__(self, args: Any) -> None:
        self.args = args
        engines = max((args.rollout_num_gpus or 1) // args.rollout_num_gpus_per_engine, 1)
        self.semaphore = asyncio.Semaphore(args.sglang_server_concurrency * engines)
        self.sampling_params = {
            "temperature": args.rollout_temperature,
            "max_new_tokens": args.rollout_max_response_len,
        }
