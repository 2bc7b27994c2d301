"""Stands in for PyTorch where only its process groups are needed: no tensors here."""


class OutOfMemoryError(RuntimeError):
    """As the device says it."""


OutOfMemoryError.__module__ = "torch"
