"""Torch's own random number generators, the only source of initial weights and dropout.

Only the generators of the CPU and of one device are touched: other trials may use the others,
which `torch.manual_seed` would reseed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch


def preserved(device: torch.device) -> AbstractContextManager[None]:
    """Restore the generators of the CPU and of `device` at the end of the context."""
    return torch.random.fork_rng(devices=[device.index] if device.type == "cuda" else [])


def seed_generators(device: torch.device, seed: int) -> None:
    """Seed the generators of the CPU and of a device.

    Args:
        device: the CPU, or a GPU with its index.
        seed: of both.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


@contextmanager
def seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Seed torch's generators inside the context, and restore them afterwards.

    Args:
        device: the CPU, or a GPU with its index.
        seed: where the generators begin.
    """
    with preserved(device):
        seed_generators(device, seed)
        yield
