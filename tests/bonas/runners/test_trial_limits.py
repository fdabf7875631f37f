from __future__ import annotations

import math
from typing import Any

import pytest

from bonas.runners.trial_limits import TrialLimits


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
