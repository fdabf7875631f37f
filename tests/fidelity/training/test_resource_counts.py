from __future__ import annotations

import math

import cloudpickle
import pytest
from ConfigSpace import Configuration

from fidelity.training.resource_counts import RESOURCES, resource_counts
from spaces.cells.cell import CellSpace
from spaces.resources.resources import Cost, cost
from spaces.space import InputShape

SPACE = CellSpace.nasbench201(channels=4, cells=1)


def cell(operation: str) -> Configuration:
    names = list(SPACE.configuration_space)
    return Configuration(SPACE.configuration_space, values=dict.fromkeys(names, operation))


def test_the_counts_are_those_of_the_network_that_is_trained() -> None:
    found = resource_counts(SPACE, (3, 8, 8), 10)
    expected = cost(SPACE.build(cell("nor_conv_3x3"), (3, 8, 8), 10), (3, 8, 8))
    assert set(found) == set(RESOURCES)
    for name in RESOURCES:
        assert found[name](cell("nor_conv_3x3")) == getattr(expected, name)


def test_a_network_is_built_once_for_all_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def counting(network: object, input_shape: InputShape) -> Cost:
        built.append(network)
        return Cost(1, 2, 3, 4, 5)

    monkeypatch.setattr("fidelity.training.resource_counts.cost", counting)
    found = resource_counts(SPACE, (3, 8, 8), 10)
    assert [found[name](cell("skip_connect")) for name in RESOURCES] == [1, 2, 3, 4, 5]
    assert len(built) == 1


def test_a_disconnected_network_violates_every_constraint() -> None:
    assert resource_counts(SPACE, (3, 8, 8), 10)["parameters"](cell("none")) == math.inf


def test_it_goes_to_another_process_without_its_cache() -> None:
    found = resource_counts(SPACE, (3, 8, 8), 10)["multiply_adds"]
    expected = found(cell("nor_conv_1x1"))
    copied = cloudpickle.loads(cloudpickle.dumps(found))
    assert not copied.counter._cache
    assert copied(cell("nor_conv_1x1")) == expected
