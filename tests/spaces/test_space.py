from collections import Counter

import numpy as np
import pytest
from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, EqualsCondition

from spaces.cell import CellSpace
from spaces.space import configuration, draw, sample, values


def flat() -> ConfigurationSpace:
    return CellSpace.nasbench201().configuration_space


def test_a_drawn_configuration_is_one_that_its_values_make() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        drawn = draw(flat(), rng)
        drawn.check_valid_configuration()
        assert drawn == configuration(flat(), values(drawn))


def test_every_choice_is_as_likely_as_any_other() -> None:
    rng = np.random.default_rng(1)
    drawn = [draw(flat(), rng) for _ in range(2000)]
    for name in flat():
        counts = Counter(str(chosen[name]) for chosen in drawn)
        assert len(counts) == 5
        assert max(abs(count - 400) for count in counts.values()) < 100  # 5.6 standard deviations


def test_draws_follow_the_generator_alone() -> None:
    one, two = ([draw(flat(), rng) for _ in range(5)] for rng in map(np.random.default_rng, (7, 7)))
    assert one == two


def conditional() -> ConfigurationSpace:
    space = ConfigurationSpace({"a": ["x", "y"], "b": ["x", "y"]})
    space.add(EqualsCondition(space["b"], space["a"], "x"))
    return space


def weighted() -> ConfigurationSpace:
    space = ConfigurationSpace()
    space.add(CategoricalHyperparameter("a", ["x", "y"], weights=[0.01, 0.99]))
    return space


@pytest.mark.parametrize(
    "space", [conditional(), weighted(), ConfigurationSpace({"a": (0.0, 1.0), "b": ["x", "y"]})]
)
def test_other_spaces_are_left_to_config_space(space: ConfigurationSpace) -> None:
    for seed in range(10):
        expected = sample(space, 1, np.random.default_rng(seed))[0]
        assert draw(space, np.random.default_rng(seed)) == expected
