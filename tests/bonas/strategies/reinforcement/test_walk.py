from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import Categorical, Configuration, ConfigurationSpace, Constant, Float, Integer
from ConfigSpace.hyperparameters import OrdinalHyperparameter
from hypothesis import given
from hypothesis import strategies as st

from bonas.strategies.reinforcement.walk import (
    INACTIVE,
    IntegerBins,
    Listed,
    PolicyError,
    RealBins,
    Walk,
    options_of,
)
from spaces.space import sample
from tests.bonas.strategies.hierarchy import Hierarchy

HYPERPARAMETERS = [
    Constant("constant", 3),
    Categorical("kind", ["a", "b", "c"]),
    OrdinalHyperparameter("ordered", [1, 2, 4]),
    Integer("narrow", (2, 6)),
    Integer("narrow_log", (2, 6), log=True),
    Integer("wide", (5, 1000)),
    Integer("wide_log", (1, 1000), log=True),
    Integer("short_log", (1, 20), log=True),
    Integer("negative", (-100, 100)),
    Float("real", (-3.0, 5.0)),
    Float("real_log", (1e-5, 1.0), log=True),
]


@pytest.mark.parametrize("hyperparameter", HYPERPARAMETERS, ids=lambda h: h.name)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_an_option_draws_is_legal_and_belongs_to_it(
    hyperparameter: Float | Integer, seed: int
) -> None:
    options, rng = options_of(hyperparameter, 10), np.random.default_rng(seed)
    for option in range(len(options)):
        value = options.draw(option, rng)
        assert hyperparameter.legal_vector(value)
        assert options.of(value) == option


@pytest.mark.parametrize("hyperparameter", HYPERPARAMETERS, ids=lambda h: h.name)
def test_every_value_belongs_to_an_option(hyperparameter: Float | Integer) -> None:
    options = options_of(hyperparameter, 10)
    found = {
        options.of(v) for v in hyperparameter.sample_vector(4000, seed=np.random.RandomState(0))
    }
    assert found == set(range(len(options)))


def test_the_number_of_options() -> None:
    sizes = {h.name: len(options_of(h, 10)) for h in HYPERPARAMETERS}
    assert sizes == {
        "constant": 1,
        "kind": 3,
        "ordered": 3,
        "narrow": 5,
        "narrow_log": 5,
        "wide": 10,
        "wide_log": 10,
        "short_log": 8,  # on the logarithmic scale some of the low bins hold no integer
        "negative": 10,
        "real": 10,
        "real_log": 10,
    }


def test_the_kinds_of_options() -> None:
    assert isinstance(options_of(Integer("n", (1, 10)), 10), Listed)
    assert isinstance(options_of(Integer("n", (1, 11)), 10), IntegerBins)
    assert isinstance(options_of(Float("x", (0, 1)), 10), RealBins)


def test_inactive_hyperparameters_have_no_option() -> None:
    space = Hierarchy().configuration_space
    walk = Walk(space, 4)
    for configuration in sample(space, 50, np.random.default_rng(0)):
        options = walk.options([configuration])[0]
        inactive = np.isnan(configuration.get_array())
        assert ((options == INACTIVE) == inactive).all()


def test_a_decision_is_active_where_its_conditions_hold() -> None:
    space = Hierarchy().configuration_space
    walk = Walk(space, 4)
    for configuration in sample(space, 50, np.random.default_rng(0)):
        vector = configuration.get_array()
        active = [decision.active(vector) for decision in walk.decisions]
        assert active == list(~np.isnan(vector))


def test_slices_tile_the_options() -> None:
    walk = Walk(Hierarchy().configuration_space, 4)
    assert [s.stop - s.start for s in walk.slices] == list(walk.sizes)
    assert [s.start for s in walk.slices[1:]] == [s.stop for s in walk.slices[:-1]]
    assert walk.slices[-1].stop == sum(walk.sizes)


def test_no_configurations_have_no_options() -> None:
    space = ConfigurationSpace({"x": (0.0, 1.0)})
    assert Walk(space, 4).options([]).shape == (0, 1)
    assert Walk(space, 4).options([Configuration(space, {"x": 0.3})]).tolist() == [[1]]


def test_fewer_than_two_bins_are_refused() -> None:
    with pytest.raises(PolicyError, match="at least 2 bins, not 1"):
        Walk(ConfigurationSpace({"x": (0.0, 1.0)}), 1)
