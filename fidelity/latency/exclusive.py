"""Locks that admit one measurement per device at a time, among all processes of a machine."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from fidelity.training.device_data import resolve_device


def available_device(name: str | None) -> torch.device:
    """Return the device of this name; for None the one that `Training` uses.

    Raises:
        ValueError: this machine has no such device.
    """
    try:
        device = resolve_device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch raises either
        raise ValueError(
            f"there is no device '{name}' on this machine ({str(error).splitlines()[0]}): name "
            "an available one, such as 'cpu', or None for the first"
        ) from error
    if device.type == "meta":
        raise ValueError("on the device 'meta' nothing is computed, so nothing takes time")
    return device


def lock_file(device: torch.device) -> Path:
    """Return the lock file of a device."""
    name = device.type
    if device.type == "cuda":  # by its serial number: processes may count devices differently
        name = f"cuda-{torch.cuda.get_device_properties(device).uuid}"
    return Path(tempfile.gettempdir()) / f"bonas-latency-{name}.lock"


@contextmanager
def exclusive(device: torch.device, wait: float) -> Iterator[None]:
    """Lock a device against other measurements, and pause this process's garbage collector.

    Training runs do not take the lock: the user decides whether they run during a measurement.

    Args:
        device: the device that is measured.
        wait: seconds to wait for another process that holds the lock.

    Raises:
        TimeoutError: the lock was held for all that time.
    """
    path = lock_file(device)
    try:
        lock = FileLock(path, timeout=wait, mode=0o666).acquire()  # for every user of the machine
    except Timeout:
        raise TimeoutError(
            f"another process has measured on {device} for {wait:g} seconds: wait for it, or "
            f"allow more with Latency(wait=...); it holds {path}"
        ) from None
    collecting = gc.isenabled()
    with lock:
        gc.disable()
        try:
            yield
        finally:
            if collecting:
                gc.enable()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads on the CPU inside the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
