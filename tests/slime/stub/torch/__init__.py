"""Stands in for PyTorch where only its process groups are needed: no tensors here."""
