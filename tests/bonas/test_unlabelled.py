"""Searches of a space with a hyperparameter that its architectures do not show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ConfigSpace import Configuration, ConfigurationSpace
from torch import nn

from bonas import Search, strategies
from bonas.search.progress import Silent
from bonas.strategies.strategy import Strategy
from fidelity import FullFidelity, History
from spaces import InputShape, trial_key
from spaces.architecture.architecture import Architecture, chain

pytestmark = pytest.mark.filterwarnings(
    "ignore:the architectures of Kinds do not depend on 'lr':UserWarning"
)


class Kinds:
    """Two networks, and a learning rate that no label shows."""

    def __init__(self) -> None:
        self.configuration_space = ConfigurationSpace({"kind": ["a", "b"], "lr": (1e-4, 1.0)})

    def architecture(self, configuration: Configuration) -> Architecture:
        return chain([str(configuration["kind"])])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        raise NotImplementedError


def cost(configuration: Configuration) -> float:
    return float((configuration["lr"] - 0.3) ** 2 + (configuration["kind"] == "a"))


def searched(strategy: Strategy, evaluations: int, directory: Path | None = None) -> History:
    with Search(
        Kinds(), cost, strategy=strategy, schedule=FullFidelity(), directory=directory
    ) as search:
        return search.run(evaluations=evaluations, progress=Silent())


@pytest.mark.parametrize(
    "strategy",
    [
        strategies.RandomSearch(),
        strategies.BayesianOptimization(),
        strategies.MultiFidelityBayesianOptimization(),
        strategies.RegularizedEvolution(population=5, sample_size=3),
        strategies.LocalSearch(),
        strategies.DifferentialEvolution(),
        strategies.Reinforce(),
        strategies.NSGA2(population=4),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_every_configuration_has_the_cost_that_is_its_own(strategy: Strategy) -> None:
    history = searched(strategy, 12)
    assert len(history) == 12
    assert all(e.reused is None for e in history.evaluations)
    assert all(e.cost == cost(e.trial.configuration) for e in history.evaluations)


def test_a_resumed_search_has_the_same_keys(tmp_path: Path) -> None:
    whole = searched(strategies.RandomSearch(), 8, tmp_path / "whole")
    searched(strategies.RandomSearch(), 3, tmp_path / "parts")
    parts = searched(strategies.RandomSearch(), 8, tmp_path / "parts")
    assert [t.key for t in parts.trials] == [t.key for t in whole.trials]
    assert all(t.key == trial_key(Kinds(), t.configuration) for t in parts.trials)


def test_the_search_says_so_when_it_begins() -> None:
    message = re.escape("the architectures of Kinds do not depend on 'lr'")
    with pytest.warns(UserWarning, match=message):
        Search(Kinds(), cost).close()
