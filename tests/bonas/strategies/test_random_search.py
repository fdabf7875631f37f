from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ConfigSpace import Categorical, Configuration, ConfigurationSpace

from bonas import Search
from bonas.acquisition.prior import SpaceBelief
from bonas.runners import Simulated
from bonas.search.progress import Silent
from bonas.strategies.random_search import RandomSearch
from fidelity import Hyperband
from fidelity.tables import MNIST1DCells
from spaces.space import draw
from tests.bonas.acquisition.test_prior import belief
from tests.bonas.strategies.anywhere import AnywhereContract
from tests.bonas.strategies.contract import MEDIUM, StrategyContract, run

TABLE = MNIST1DCells()


@dataclass(frozen=True)
class ManyConvolutions:
    """A belief about any space: its density alone, so that it is sampled by resampling."""

    def log_density(self, configuration: Configuration) -> float:
        return float(list(configuration.values()).count("conv"))


class TestRandomSearch(StrategyContract):
    def strategy(self) -> RandomSearch:
        return RandomSearch()


class TestRandomSearchWithBelief(StrategyContract, AnywhereContract):
    def strategy(self) -> RandomSearch:
        return RandomSearch(ManyConvolutions())


def test_without_a_belief_the_space_is_sampled() -> None:
    history = run(RandomSearch(belief("conv")), MEDIUM, 8)
    proposed = RandomSearch().propose(MEDIUM, history, np.random.default_rng(3))
    assert proposed == draw(MEDIUM.configuration_space, np.random.default_rng(3))


def test_a_belief_is_followed() -> None:
    def convolutions(strategy: RandomSearch) -> float:
        trials = run(strategy, MEDIUM, 30).trials
        return float(np.mean([list(dict(t.configuration).values()).count("conv") for t in trials]))

    right, none = convolutions(RandomSearch(belief("conv"))), convolutions(RandomSearch())
    assert right > none + 0.3


def search_of_table(weights: tuple[int, int, int], directory: Path | None = None) -> Search:
    """PriorBand on the table, with weights of identity, convolution and pooling."""
    operations = ["skip_connect", "nor_conv_3x3", "avg_pool_3x3"]
    edges = TABLE.space.configuration_space
    believed = SpaceBelief(
        ConfigurationSpace(space=[Categorical(e, operations, weights=weights) for e in edges])
    )
    return Search(
        TABLE.space,
        TABLE,
        strategy=RandomSearch(believed),
        schedule=Hyperband(1, 27),
        seed=2,
        directory=directory,
    )


def poolings(weights: tuple[int, int, int]) -> float:
    """Return the share of poolings in the networks that start after the first bracket."""
    with search_of_table(weights) as search:
        history = search.run(evaluations=90, runner=Simulated(), progress=Silent())
    later = [t.configuration for t in history.trials if t.parent is None and t.bracket > 0]
    assert len(later) > 12
    return float(np.mean([list(c.values()).count("avg_pool_3x3") / 6 for c in later]))


def test_a_wrong_belief_loses_its_share_under_hyperband() -> None:
    assert poolings((2, 1, 12)) < 0.5 < 12 / 15  # of which the belief alone would be


def test_a_resumed_search_repeats_its_proposals(tmp_path: Path) -> None:
    with search_of_table((2, 6, 1)) as search:
        whole = search.run(evaluations=50, runner=Simulated(), progress=Silent())
    for evaluations in (7, 31, 50):
        with search_of_table((2, 6, 1), tmp_path) as search:
            parts = search.run(evaluations=evaluations, runner=Simulated(), progress=Silent())
    assert [(t.key, t.budget) for t in parts.trials] == [(t.key, t.budget) for t in whole.trials]
