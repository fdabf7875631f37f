from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from ConfigSpace import Configuration

from fidelity.latency import Latency, LatencyTable, MeasuredLatency
from fidelity.latency.exclusive import available_device, exclusive
from fidelity.latency.table import fit
from spaces import CellSpace
from spaces.space import sample

SPACE = CellSpace.nasbench201(channels=4, cells=1, stages=1)
LATENCY = Latency("cpu", repeats=1, warm_up=0)
TABLE = LatencyTable(SPACE, (3, 8, 8), 5, LATENCY)


@pytest.fixture(scope="module")
def drawn() -> list[Configuration]:
    return sample(SPACE.configuration_space, 12, np.random.default_rng(0))


def test_the_sum_of_the_operations(prepared: list[str], drawn: list[Configuration]) -> None:
    table = LatencyTable(SPACE, (3, 8, 8), 5, LATENCY, intercept=2.0, slope=3.0, overhead=0.5)
    keys = [operation.key for operation in table.operations(drawn[0])]
    total = sum(map(len, keys)) * 1e-3
    assert table.work(drawn[0]) == (len(keys), pytest.approx(total))
    assert table(drawn[0]) == pytest.approx(2.0 + 3.0 * total + 0.5 * len(keys))


def test_an_operation_is_measured_once(prepared: list[str], drawn: list[Configuration]) -> None:
    table = replace(TABLE).filled(drawn)
    assert len(prepared) == len(set(prepared)) == len(table.seconds)
    known = len(prepared)
    # Edges of equal operations are equal operations: far fewer than edges in all networks.
    assert known < sum(table.work(configuration)[0] for configuration in drawn) / 5
    with exclusive(available_device("cpu"), 0):  # nothing is measured, so nobody waits
        estimates = [table(configuration) for configuration in drawn]
    assert len(prepared) == known
    assert len(set(estimates)) > 5


def test_calibration_finds_what_the_networks_say(
    prepared: list[str], drawn: list[Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = replace(TABLE)

    def whole(self: MeasuredLatency, configuration: Configuration) -> float:
        count, total = table.work(configuration)
        return 0.7 + 0.01 * count + 1.5 * total

    monkeypatch.setattr(MeasuredLatency, "__call__", whole)
    found = table.calibrated(drawn[:8])
    for configuration in drawn:
        assert found(configuration) == pytest.approx(whole(None, configuration))  # type: ignore[arg-type]
    assert found.slope == pytest.approx(1.5)


def test_nothing_fitted_is_negative() -> None:
    work = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    intercept, overhead, slope = fit(work, np.array([0.5, 1.5, 2.5]))
    assert min(intercept, overhead, slope) >= 0
    assert slope > 0


def test_real_operations_and_networks(drawn: list[Configuration]) -> None:
    table = TABLE.calibrated(drawn[:3])
    assert table(drawn[4]) > 0


def test_round_trip_by_json(prepared: list[str], drawn: list[Configuration]) -> None:
    table = replace(TABLE, intercept=0.5, slope=2.0, overhead=0.1).filled(drawn)
    known = len(prepared)
    back = TABLE.from_json(table.to_json())
    assert back == table
    assert [back(c) for c in drawn] == [table(c) for c in drawn]
    assert len(prepared) == known


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_negative_and_nan_latencies(bad: float) -> None:
    with pytest.raises(ValueError, match="the intercept of a table is"):
        replace(TABLE, intercept=bad)
    with pytest.raises(ValueError, match="the entry 'conv' of a table is"):
        replace(TABLE, seconds={"conv": bad})
    text = json.loads(TABLE.to_json()) | {"seconds": {"conv": bad}}
    with pytest.raises(ValueError, match="the entry 'conv' of a table is"):
        TABLE.from_json(json.dumps(text))


def test_bad_json() -> None:
    with pytest.raises(ValueError, match="the JSON of no latency table"):
        TABLE.from_json(TABLE.to_json()[:-20])
    with pytest.raises(ValueError, match="the JSON of no latency table"):
        TABLE.from_json("[]")
    with pytest.raises(ValueError, match="a space of format 1, no latency table"):
        TABLE.from_json(json.dumps(json.loads(TABLE.to_json()) | {"kind": "space"}))
    other = LatencyTable(SPACE, (3, 16, 16), 5, Latency(batch_size=2))
    with pytest.raises(ValueError, match=r"batch_size 1 and not 2"):
        other.from_json(TABLE.to_json())


def test_calibration_needs_networks(drawn: list[Configuration]) -> None:
    with pytest.raises(ValueError, match="2 networks cannot determine"):
        TABLE.calibrated(drawn[:2])
