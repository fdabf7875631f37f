"""Objectives and limits in a whole search."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from ConfigSpace import Configuration

from bonas import Search, strategies
from bonas.failures import NothingFeasible
from bonas.progress import Silent
from bonas.strategies.strategy import Strategy
from fidelity import Constraint, FullFidelity, History, Hyperband
from fidelity.schedules.schedule import Schedule
from tests.bonas.spaces import GAIN, cells, cost

LIMIT = Constraint("convolutions", at_most=2)


def convolutions(configuration: Configuration) -> float:
    return float(sum("conv" in str(value) for value in configuration.values()))


def slowness(configuration: Configuration) -> float:
    return round(sum(GAIN[str(value)] for value in configuration.values()), 6)


@dataclass(frozen=True)
class Sized:
    """A cost, and a size that is known beforehand, which is at most `most`."""

    most: float = math.inf
    computed: ClassVar[dict[str, object]] = {"convolutions": convolutions}

    def __call__(self, configuration: Configuration, budget: float) -> dict[str, float]:
        assert convolutions(configuration) <= self.most, "this network was not to be trained"
        return {"cost": cost(configuration, budget), "slowness": slowness(configuration)}


def searched(
    strategy: Strategy,
    constraints: list[Constraint],
    schedule: Schedule | None = None,
    directory: Path | None = None,
    evaluations: int = 25,
    objectives: tuple[str, ...] = ("cost",),
    most: float = math.inf,
) -> History:
    with Search(
        cells(),
        Sized(most),
        strategy=strategy,
        schedule=schedule or FullFidelity(),
        objectives=objectives,
        constraints=constraints,
        directory=directory,
    ) as search:
        return search.run(evaluations=evaluations, progress=Silent(), first_failures=1)


STRATEGIES = {
    "random": strategies.RandomSearch(),
    "evolution": strategies.RegularizedEvolution(population=5, sample_size=3),
    "local": strategies.LocalSearch(),
    "differential": strategies.DifferentialEvolution(),
    "reinforce": strategies.Reinforce(),
    "bayesian": strategies.BayesianOptimization(),
    "joint": strategies.MultiFidelityBayesianOptimization(),
    "smac": strategies.SMAC(initial=4, attempts=2, challengers=50),
}


@pytest.mark.filterwarnings("ignore:Please use `dict:DeprecationWarning")  # in SMAC
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name == "smac" else name for name in STRATEGIES],
)
def test_no_strategy_trains_what_is_known_to_be_beyond_a_limit(name: str) -> None:
    history = searched(STRATEGIES[name], [LIMIT], most=2, evaluations=12)
    assert len(history) == 12
    assert all(e.succeeded for e in history.evaluations)
    assert not {trial.key for trial in history.trials} & set(history.refused)


def test_nor_does_freeze_thaw() -> None:
    freeze_thaw = strategies.FreezeThaw(cells(), 1, 9)
    history = searched(freeze_thaw, [LIMIT], freeze_thaw, most=2, evaluations=15)
    assert len(history) == 15


def test_bayesian_optimization_hardly_proposes_what_it_could_have_known(tmp_path: Path) -> None:
    history = searched(strategies.BayesianOptimization(), [LIMIT], evaluations=40)
    blind = searched(strategies.RandomSearch(), [LIMIT], evaluations=40)
    assert len(history.refused) < len(blind.refused)


@pytest.mark.parametrize("name", ["random", "evolution", "bayesian"])
def test_a_search_with_refusals_resumes_to_the_same(name: str, tmp_path: Path) -> None:
    whole = searched(STRATEGIES[name], [LIMIT], Hyperband(1, 9), tmp_path / "whole", 30)
    for evaluations in (3, 11, 30):
        parts = searched(
            STRATEGIES[name], [LIMIT], Hyperband(1, 9), tmp_path / "parts", evaluations
        )
    assert [e.trial.key for e in whole.evaluations] == [e.trial.key for e in parts.evaluations]
    assert whole.refused == parts.refused
    loaded = History.load(tmp_path / "whole")
    assert loaded.refused == whole.refused
    assert loaded.target.constraints == (LIMIT,)
    assert loaded.incumbent == whole.incumbent


def test_where_nothing_is_within_a_known_limit_it_says_so() -> None:
    with pytest.raises(NothingFeasible, match=r"convolutions <= -1.*loosen a limit"):
        searched(strategies.RandomSearch(), [Constraint("convolutions", at_most=-1)])


def test_where_nothing_keeps_a_measured_limit_it_names_the_closest() -> None:
    limit = Constraint("slowness", at_most=-5)
    with pytest.warns(UserWarning, match=r"none of 25 .* slowness <= -5 \(trial \d+ has [\d.]+\)"):
        history = searched(strategies.RandomSearch(), [limit])
    assert history.incumbent is None
    assert history.closest is not None
    slownesses = [e.metrics["slowness"] for e in history.evaluations]
    assert history.closest.metrics["slowness"] == min(slownesses)


@pytest.mark.parametrize("name", ["bayesian", "evolution"])
def test_measured_limits_are_learned(name: str) -> None:
    limit = Constraint("slowness", at_most=1.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = searched(STRATEGIES[name], [limit], evaluations=60)
        blind = searched(strategies.RandomSearch(), [limit], evaluations=60)
    kept = [history.target.feasible(e) for e in history.evaluations[25:]]
    by_chance = [history.target.feasible(e) for e in blind.evaluations]
    assert sum(kept) / len(kept) > 1.5 * sum(by_chance) / len(by_chance)
    assert history.incumbent is not None
    assert history.incumbent.metrics["slowness"] <= 1.5


def test_several_objectives_have_a_front() -> None:
    history = searched(
        strategies.RegularizedEvolution(population=5, sample_size=3),
        [],
        Hyperband(1, 9),
        evaluations=60,
        objectives=("cost", "slowness"),
    )
    front = [history.target.costs(e) for e in history.pareto_front]
    assert len(front) > 1
    assert front == sorted(front)
    assert [slow for _, slow in front] == sorted((slow for _, slow in front), reverse=True)
    assert {e.trial.budget for e in history.pareto_front} == {9}


def test_another_target_is_another_search(tmp_path: Path) -> None:
    searched(strategies.RandomSearch(), [LIMIT], directory=tmp_path, evaluations=3)
    from fidelity.journal import JournalError

    with pytest.raises(JournalError, match=r"constraints was .* and is now"):
        searched(strategies.RandomSearch(), [], directory=tmp_path, evaluations=3)


def test_ask_and_tell_complete_results() -> None:
    with Search(
        cells(),
        Sized(),
        strategy=strategies.RandomSearch(),
        objectives=("slowness", "convolutions"),
    ) as search:
        trial = search.ask()
        assert trial is not None
        found = search.tell(trial, {"slowness": 2.0})
        assert found.cost == 2.0
        assert found.metrics["convolutions"] == convolutions(trial.configuration)
        trial = search.ask()
        assert trial is not None
        assert search.tell(trial, {"slowness": math.nan}).status == "diverged"
