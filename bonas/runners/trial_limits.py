"""Time and memory limits of a single trial."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class TrialLimits:
    """Limits beyond which a trial is ended and recorded as `timeout` or `memory`; None is no limit.

    Attributes:
        seconds: of evaluation, without the start of the worker.
        memory: bytes of host memory that the worker's process may occupy (its resident set, with
            the interpreter, the libraries and the data set) together with what the processes that
            it has started have of their own. `Dask` counts the worker's process alone.
        device_memory: bytes that torch may allocate on the worker's GPU.

    Raises:
        ValueError: a limit is not positive.
    """

    seconds: float | None = None
    memory: int | None = None
    device_memory: int | None = None

    def __post_init__(self) -> None:
        """Validate the limits."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value > 0:
                raise ValueError(f"{field.name} is a positive limit or None, not {value}")

    def exceeded(self, seconds: float, memory: int) -> tuple[str, str] | None:
        """Return the status and the reason of a trial that exceeds a limit, else None.

        Args:
            seconds: of its evaluation so far.
            memory: bytes that its process occupies.
        """
        if self.seconds is not None and seconds > self.seconds:
            return "timeout", f"ended after {seconds:.1f} seconds: its limit is {self.seconds:g}"
        if self.memory is not None and memory > self.memory:
            reason = f"ended at {memory / 2**20:.0f} MiB of host memory: its limit is "
            return "memory", f"{reason}{self.memory / 2**20:.0f} MiB"
        return None


def restrict_device(device: str | None, limit: int | None) -> None:
    """Restrict the memory that torch may allocate on a GPU.

    Args:
        device: as torch names it, or several separated by commas; one other than a GPU is left
            alone.
        limit: bytes; None is no limit.
    """
    if limit is None or device is None or not device.startswith("cuda"):
        return
    import torch

    for name in device.split(","):
        total = torch.cuda.get_device_properties(name).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total), name)
