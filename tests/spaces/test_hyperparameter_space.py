from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import (
    Categorical,
    Configuration,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    Integer,
    OrdinalHyperparameter,
)

from bonas import Search
from bonas.strategies import (
    BayesianOptimization,
    LocalSearch,
    RandomSearch,
    RegularizedEvolution,
    Strategy,
)
from spaces import (
    Architecture,
    CellSpace,
    HyperparameterSpace,
    JointSpace,
    Space,
    SpaceError,
    check_space,
    configuration_space_from_json,
    space_to_json,
    supernet,
    trial_key,
)
from spaces.encoding import Encoder
from spaces.keys import unlabelled
from spaces.resources.resource_features import ResourceFeatures
from spaces.space import configuration, provides, require, sample


def conditional() -> ConfigurationSpace:
    space = ConfigurationSpace()
    optimizer = Categorical("optimizer", ["sgd", "adam"])
    momentum = Float("momentum", (0.0, 0.99))
    rate = Float("learning_rate", (1e-4, 1.0), log=True)
    space.add(optimizer, momentum, rate, Integer("layers", (1, 5)))
    space.add(OrdinalHyperparameter("batch_size", [16, 32, 64]))
    space.add(EqualsCondition(momentum, optimizer, "sgd"))
    return space


SPACE = HyperparameterSpace(conditional())


class Table:
    """A user's space that can neither show nor build a network."""

    def __init__(self) -> None:
        self.configuration_space = conditional()


class Drawings(Table):
    """A user's space of networks that cannot be built."""

    def architecture(self, configuration: Configuration) -> Architecture:
        return CellSpace().architecture(CellSpace().configuration_space.sample_configuration())


def error(config: Configuration) -> float:
    rate = abs(np.log10(config["learning_rate"]) + 2)
    return float(rate + 0.1 * abs(config["layers"] - 3) + (config["optimizer"] == "sgd"))


@pytest.mark.parametrize(
    "strategy",
    [
        RandomSearch(),
        BayesianOptimization(initial=6),
        RegularizedEvolution(population=8, sample_size=3),
        LocalSearch(),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_a_search_of_hyperparameters_alone(strategy: Strategy, tmp_path: Path) -> None:
    search = Search(SPACE, error, strategy=strategy, directory=tmp_path)
    search.run(evaluations=12)
    search.close()
    resumed = Search(SPACE, error, strategy=strategy, directory=tmp_path)
    resumed.run(evaluations=16)
    assert len(resumed.history) == 16
    keys = [SPACE.key(evaluation.trial.configuration) for evaluation in resumed.history.evaluations]
    assert len(set(keys)) == 16
    resumed.close()


def test_equal_values_are_one_trial_and_different_ones_are_two() -> None:
    drawn = sample(SPACE.configuration_space, 50, np.random.default_rng(0))
    twins = [configuration(SPACE.configuration_space, dict(chosen)) for chosen in drawn]
    assert [trial_key(SPACE, c) for c in drawn] == [trial_key(SPACE, c) for c in twins]
    for one, other in itertools.combinations(drawn, 2):
        assert (trial_key(SPACE, one) == trial_key(SPACE, other)) == (one == other)


@pytest.mark.parametrize("space", [SPACE, Table(), JointSpace(SPACE, conditional())])
def test_a_space_without_architecture_has_keys_and_an_empty_graph_part(space: Space) -> None:
    drawn = sample(space.configuration_space, 10, np.random.default_rng(0))
    assert set(unlabelled(space)) == set()
    encoder = Encoder(space)
    assert [encoder.key(c) for c in drawn] == [trial_key(space, c) for c in drawn]
    layout = encoder.encode(drawn).layout
    means = {column for family in layout.families for column in family.columns}
    columns = {*range(layout.configuration.stop)} | means
    assert columns == {*range(encoder.encode(drawn).rows.shape[1])} != set()
    assert all(depth.start == depth.stop for depth in (*layout.depths, layout.paths))
    assert len(layout.depths) == encoder.depth + 1


def test_it_says_that_it_has_no_networks_and_what_needs_them() -> None:
    chosen = SPACE.configuration_space.get_default_configuration()
    advice = r"plain configuration space without networks.*needed .*`build\(.* Training, proxies"
    with pytest.raises(SpaceError, match=advice):
        SPACE.build(chosen, (3, 32, 32), 10)
    with pytest.raises(SpaceError, match=advice):
        SPACE.architecture(chosen)
    joint = JointSpace(SPACE, conditional())
    chosen = joint.configuration_space.get_default_configuration()
    with pytest.raises(SpaceError, match="HyperparameterSpace, a plain"):
        joint.architecture(chosen)
    with pytest.raises(SpaceError, match="HyperparameterSpace, a plain"):
        joint.build(chosen, (3, 32, 32), 10)


@pytest.mark.parametrize(
    ("space", "methods"),
    [
        (CellSpace(), {"architecture", "build"}),
        (JointSpace(CellSpace(), conditional()), {"architecture", "build"}),
        (Drawings(), {"architecture"}),
        (JointSpace(Drawings(), conditional()), {"architecture"}),  # type: ignore[arg-type]
        (Table(), set()),
        (SPACE, set()),
        (JointSpace(SPACE, conditional()), set()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_missing_method_is_named_where_it_is_needed(space: Space, methods: set[str]) -> None:
    for method in ("architecture", "build"):
        assert provides(space, method) == (method in methods)
        if method in methods:
            require(space, method, "to train networks")
        else:
            with pytest.raises(SpaceError, match=f"`{method}`, which is needed to train networks"):
                require(space, method, "to train networks")


def test_resources_and_supernets_need_networks() -> None:
    chosen = SPACE.configuration_space.get_default_configuration()
    with pytest.raises(SpaceError, match="`build`, which is needed to count its resources"):
        ResourceFeatures(SPACE, (3, 32, 32), 10)(chosen)
    with pytest.raises(SpaceError, match="no weight sharing"):
        supernet(SPACE, (3, 32, 32), 10)


def test_it_is_written_and_recognised() -> None:
    text = space_to_json(SPACE)
    assert configuration_space_from_json(text) == SPACE.configuration_space
    check_space(text, HyperparameterSpace(conditional()))
    with pytest.raises(SpaceError, match="configuration_space"):
        check_space(text, HyperparameterSpace(ConfigurationSpace({"x": (0.0, 1.0)})))
    with pytest.raises(SpaceError, match="settings"):
        check_space(
            space_to_json(JointSpace(Table(), conditional())),  # type: ignore[arg-type]
            JointSpace(SPACE, conditional()),
        )


def test_what_is_no_configuration_space_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"not a dict: write .*ConfigurationSpace\({"):
        HyperparameterSpace({"x": (0.0, 1.0)})  # type: ignore[arg-type]
    with pytest.raises(SpaceError, match="add at least 1"):
        HyperparameterSpace(ConfigurationSpace())
