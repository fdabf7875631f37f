"""Torch's own random numbers, seeded for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Inside, torch's own generators begin at `seed`; afterwards they are as they were.

    Initial weights and dropout have no other source. Only the generators of the CPU and of
    `device` are touched: others may be in use by other trials.
    """
    cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device.index] if cuda else []):
        torch.default_generator.manual_seed(seed)
        if cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
