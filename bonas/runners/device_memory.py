"""The number of trials that fit on a GPU, by the memory of the trials so far."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

PROCESS_BYTES = 2**30
"""Device memory of a process besides the tensors of torch: the CUDA context and libraries. An
assumption on the safe side, since torch cannot measure it."""


@dataclass(frozen=True)
class Usage:
    """The memory of a device at the end of a trial, in bytes.

    Attributes:
        peak: the most that torch held during the trial.
        held: what torch still holds, for the next trial of the same process.
        free: what no process holds.
    """

    peak: int
    held: int
    free: int


def start_measuring(device: str | None) -> None:
    """Forget the peak of earlier trials of this process on a GPU."""
    if _measurable(device):
        import torch

        torch.cuda.reset_peak_memory_stats(device)


def usage(device: str | None) -> Usage | None:
    """Return the usage of a GPU by this process; None if it has not used one."""
    if not _measurable(device):
        return None
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    peak = torch.cuda.max_memory_reserved(device)
    return Usage(peak, torch.cuda.memory_reserved(device), free)


def _measurable(device: str | None) -> bool:
    """Return whether a device is one GPU that this process computes on."""
    if device is None or not device.startswith("cuda") or "," in device:
        return False
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


def fitting(latest: Usage, workers: Sequence[Usage | None], peak: int) -> int:
    """Return the number of trials that a device has room for, 1 or more.

    All trials may grow to the largest peak so far; what the present workers still lack of it is
    not free for others.

    Args:
        latest: the newest measurement, which knows what is free.
        workers: the last usage of each process on the device; None before its first trial ends.
        peak: the largest of all trials.
    """
    growth = sum(
        peak + PROCESS_BYTES if each is None else max(0, peak - each.held) for each in workers
    )
    room = latest.free - growth
    more = room // (peak + PROCESS_BYTES)  # negative if the present workers are too many
    return max(1, len(workers) + int(more))
