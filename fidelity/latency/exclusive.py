"""A device for one measurement at a time, among all processes of a machine."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from fidelity.training.device_data import choose


def existing(name: str | None) -> torch.device:
    """The device of this name, or the one that trainings would take.

    Raises:
        ValueError: this machine has no such device.
    """
    try:
        device = choose(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch raises either
        raise ValueError(
            f"there is no device '{name}' on this machine ({str(error).splitlines()[0]}): name "
            "one that there is, such as 'cpu', or None for the first"
        ) from error
    if device.type == "meta":
        raise ValueError("on the device 'meta' nothing is computed, so nothing takes time")
    return device


def lock_file(device: torch.device) -> Path:
    """The file that whoever measures on the device holds."""
    name = device.type
    if device.type == "cuda":  # by its serial number: processes may count devices differently
        name = f"cuda-{torch.cuda.get_device_properties(device).uuid}"
    return Path(tempfile.gettempdir()) / f"bonas-latency-{name}.lock"


@contextmanager
def exclusive(device: torch.device, wait: float) -> Iterator[None]:
    """Holds the device against other measurements, and this process's garbage collector.

    Trainings do not ask for it: whether they run beside a measurement is for the user to say.

    Args:
        device: what is measured on.
        wait: seconds to wait for whoever holds it.

    Raises:
        TimeoutError: it was held for all that time.
    """
    path = lock_file(device)
    try:
        lock = FileLock(path, timeout=wait, mode=0o666).acquire()  # of any user of the machine
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
    """Computes with so many threads on the CPU."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
