from __future__ import annotations

import math

import numpy as np

from spaces.cells.cell import CellSpace
from spaces.encoding import Encoder
from spaces.resources.resource_features import ResourceFeatures
from spaces.resources.resources import count_resources
from spaces.space import sample


def test_they_are_the_logarithms_of_what_is_counted() -> None:
    space = CellSpace(channels=4, cells=1)
    features = ResourceFeatures(space, (3, 16, 16), 10)
    chosen = sample(space.configuration_space, 1, np.random.default_rng(0))[0]
    counted = count_resources(space.build(chosen, (3, 16, 16), 10), (3, 16, 16))
    wanted = (math.log1p(counted.parameters), math.log1p(counted.multiply_adds))
    assert features(chosen) == wanted


def test_an_encoder_asks_once_a_network_and_standardises() -> None:
    space = CellSpace(channels=4, cells=1)
    drawn = sample(space.configuration_space, 12, np.random.default_rng(1))
    asked = []

    def features(configuration: object) -> tuple[float, float, float]:
        asked.append(configuration)
        return float(len(asked)), 7.0, math.inf if len(asked) == 1 else 1.0

    encoder = Encoder(space, 1, features)
    encoder.encode(drawn)
    encoding = encoder.encode(drawn)
    assert len(asked) == len({encoder.key(configuration) for configuration in drawn})
    assert encoding.layout.extra is not None
    columns = encoding.rows[:, encoding.layout.extra]
    assert columns.shape == (12, 3)
    assert np.allclose(columns.mean(axis=0), 0.0)
    assert np.allclose(columns.std(axis=0)[0], 1.0)
    assert not columns[:, 1].any()
    assert np.isfinite(columns).all()
