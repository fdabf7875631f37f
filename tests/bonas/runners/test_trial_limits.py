from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from bonas.runners.trial_limits import TrialLimits, restrict_device


@pytest.mark.parametrize("name", ["seconds", "memory", "device_memory"])
@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_limits_are_positive(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name} is a positive limit or None, not {value}"):
        TrialLimits(**{name: value})


def test_what_is_over_a_limit() -> None:
    limits = TrialLimits(seconds=2.0, memory=2**20)
    assert limits.exceeded(2.0, 2**20) is None
    assert limits.exceeded(2.1, 0) == ("timeout", "ended after 2.1 seconds: its limit is 2")
    assert limits.exceeded(0.0, 2**21) == (
        "memory",
        "ended at 2 MiB of host memory: its limit is 1 MiB",
    )
    assert TrialLimits().exceeded(math.inf, 2**60) is None


def test_torch_is_told_how_much_of_a_gpu_it_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[float, str]] = []
    total = SimpleNamespace(total_memory=2**30)
    monkeypatch.setattr("torch.cuda.get_device_properties", lambda device: total)
    monkeypatch.setattr(
        "torch.cuda.set_per_process_memory_fraction",
        lambda part, device: told.append((part, device)),
    )
    restrict_device("cuda:1", 2**28)
    restrict_device("cuda:0", 2**40)
    for device, limit in ((None, 2**28), ("cpu", 2**28), ("cuda", None)):
        restrict_device(device, limit)
    assert told == [(0.25, "cuda:1"), (1.0, "cuda:0")]
    told.clear()
    restrict_device("cuda:2,cuda:3", 2**28)
    assert told == [(0.25, "cuda:2"), (0.25, "cuda:3")]
