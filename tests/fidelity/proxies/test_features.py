from __future__ import annotations

import math

import numpy as np
import pytest

from fidelity.proxies import Parameters, ProxyFeatures, Synflow
from spaces.space import sample
from tests.bonas.knowledge.toys import SPACE, Broken, images


def test_each_proxy_has_its_outcome_and_the_first_error_is_raised() -> None:
    (configuration,) = (
        c
        for c in sample(SPACE.configuration_space, 1, np.random.default_rng(2))
        if SPACE.architecture(c).connected
    )
    features = ProxyFeatures(SPACE, images(), (Synflow(), Broken(), Parameters()), images=8)
    synflow, broken, parameters = features.outcomes(configuration)
    assert isinstance(broken, RuntimeError)
    alone = ProxyFeatures(SPACE, images(), (Synflow(), Parameters()), images=8)
    assert (synflow, parameters) == alone(configuration)
    with pytest.raises(RuntimeError, match="no gradient here"):
        features(configuration)


def test_a_disconnected_network_has_no_score() -> None:
    none = SPACE.from_string(
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    )
    features = ProxyFeatures(SPACE, images(), (Synflow(),), images=8)
    assert math.isnan(features(none)[0])
