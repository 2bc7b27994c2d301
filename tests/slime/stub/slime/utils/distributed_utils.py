"""The group of all ranks on the CPU."""

import torch.distributed

_GROUP = None


def init_gloo_group() -> str:
    global _GROUP
    _GROUP = torch.distributed.new_group(backend="gloo")
    return _GROUP


def get_gloo_group() -> str:
    if _GROUP is None:
        raise RuntimeError("there is no group yet")
    return _GROUP
