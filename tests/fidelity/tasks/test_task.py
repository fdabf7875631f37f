from __future__ import annotations

from fidelity.tasks import Measure


def test_a_cost_is_shown_in_its_unit() -> None:
    assert Measure("error", fraction=True).text(0.01234) == "1.23%"
    assert Measure("RMSE").text(12.3456) == "12.35"
    assert Measure("RMSE").text(12.3456, decimals=0) == "12"
