"""Objectives and limits in a whole search."""

from __future__ import annotations

import io
import math
import signal
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from ConfigSpace import Configuration
from rich.console import Console

from bonas import Search, strategies
from bonas.runners import InProcess
from bonas.search.failures import NothingFeasible
from bonas.search.progress import Progress, Silent
from bonas.search.proposer import VERIFY_AFTER_REFUSALS
from bonas.strategies.strategy import Strategy
from fidelity import Constraint, FullFidelity, History, Hyperband
from fidelity.schedules.schedule import Schedule
from spaces import Space
from spaces.space import draw
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
    freeze_thaw = strategies.FreezeThaw(1, 9).start(cells())
    history = searched(freeze_thaw, [LIMIT], freeze_thaw, most=2, evaluations=15)
    assert len(history) == 15


def test_bayesian_optimization_hardly_proposes_what_it_could_have_known(tmp_path: Path) -> None:
    history = searched(strategies.BayesianOptimization(), [LIMIT], evaluations=40)
    blind = searched(strategies.RandomSearch(), [LIMIT], evaluations=40)
    assert len(history.refused) < len(blind.refused)


@pytest.mark.parametrize(
    ("strategy", "at_most"),
    [(strategies.FreezeThaw(1, 9, initial=1), 0), (strategies.Screened(cost), 1)],
)
def test_promising_networks_beyond_a_limit_are_passed_over(
    strategy: Strategy, at_most: float
) -> None:
    with Search(
        cells(), Sized(), strategy=strategy, constraints=Constraint("convolutions", at_most=at_most)
    ) as search:
        history = search.run(evaluations=20, progress=Silent())
    assert len(history) == 20
    assert len(history.refused) < 100


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
    assert loaded.goal.constraints == (LIMIT,)
    assert loaded.incumbent == whole.incumbent


def test_where_nothing_is_within_a_known_limit_it_says_so() -> None:
    with pytest.raises(NothingFeasible, match=r"convolutions <= -1.*loosen a limit"):
        searched(strategies.RandomSearch(), [Constraint("convolutions", at_most=-1)])


@dataclass
class Counting:
    """Random search that counts its proposals."""

    proposals: int = 0

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        self.proposals += 1
        return draw(space.configuration_space, rng)


def test_that_takes_few_proposals_and_names_the_smallest_value() -> None:
    strategy = Counting()
    with pytest.raises(NothingFeasible, match=r"the closest of \d+ has convolutions 0; loosen"):
        searched(strategy, [Constraint("convolutions", at_most=-1)])
    assert strategy.proposals == VERIFY_AFTER_REFUSALS


def test_a_constraint_that_few_networks_keep_is_not_called_impossible() -> None:
    strategy = Counting()
    constraints = [Constraint("convolutions", at_most=0), Constraint("slowness", at_most=99)]
    history = searched(strategy, constraints, evaluations=2)
    assert len(history) == 2
    assert strategy.proposals > VERIFY_AFTER_REFUSALS


@dataclass
class Ticking(InProcess):
    """A clock that goes on by a second whenever it is looked at."""

    ticks: int = 0

    def now(self) -> float:
        self.ticks += 1
        return float(self.ticks)


def test_a_limit_of_seconds_holds_while_proposals_are_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strategy = Counting()
    with Search(
        cells(), Sized(), strategy=strategy, constraints=[Constraint("convolutions", at_most=-1)]
    ) as search:
        history = search.run(seconds=10, runner=Ticking(), progress=Silent())
    assert len(history) == 0
    assert 1 <= strategy.proposals < 10
    assert "the run ends while proposals are refused: the last" in caplog.text
    assert "(convolutions <= -1), the closest has convolutions" in caplog.text


@dataclass(frozen=True)
class Counted(Sized):
    """Remembers of how many configurations the convolutions were counted."""

    counted: list[float] = field(default_factory=list)

    @property
    def computed(self) -> dict[str, object]:  # type: ignore[override]
        return {"convolutions": self.count}

    def count(self, configuration: Configuration) -> float:
        self.counted.append(convolutions(configuration))
        return self.counted[-1]


@pytest.mark.parametrize(
    ("strategy", "objectives"),
    [
        (strategies.BayesianOptimization(initial=2), ("cost",)),
        (strategies.MultiObjectiveBayesianOptimization(initial=2), ("cost", "convolutions")),
        (strategies.FreezeThaw(1, 9, initial=1), ("cost",)),
    ],
)
def test_it_holds_while_a_strategy_computes_quantities_of_its_candidates(
    strategy: Strategy, objectives: tuple[str, ...]
) -> None:
    objective = Counted()
    constraints = [Constraint("convolutions", at_most=1)]
    with Search(
        cells(), objective, strategy=strategy, objectives=objectives, constraints=constraints
    ) as search:
        search.run(seconds=100, runner=Ticking(), progress=Silent())
        assert len(search.history) >= 2
    assert len(objective.counted) <= 100


@dataclass(frozen=True)
class Interrupted(Sized):
    """Ctrl-C at the third network whose convolutions are counted."""

    counted: list[float] = field(default_factory=list)

    @property
    def computed(self) -> dict[str, object]:  # type: ignore[override]
        return {"convolutions": self.count}

    def count(self, configuration: Configuration) -> float:
        self.counted.append(convolutions(configuration))
        if len(self.counted) == 3:
            signal.raise_signal(signal.SIGINT)
        return self.counted[-1]


def test_so_does_an_interrupt() -> None:
    objective = Interrupted()
    with (
        Search(
            cells(),
            objective,
            strategy=Counting(),
            constraints=[Constraint("convolutions", at_most=-1)],
        ) as search,
        pytest.raises(KeyboardInterrupt),
    ):
        search.run(evaluations=3, progress=Silent())
    assert len(objective.counted) == 3


def test_refused_networks_are_shown() -> None:
    console = Console(file=io.StringIO(), width=200)
    with (
        Search(
            cells(),
            Sized(),
            strategy=Counting(),
            constraints=[Constraint("convolutions", at_most=-1)],
        ) as search,
        pytest.raises(NothingFeasible),
    ):
        search.run(evaluations=3, progress=Progress(interval=0.0, console=console))
    assert isinstance(console.file, io.StringIO)
    assert "search: 0 evaluations of 3, 2 networks refused, 0 epochs" in console.file.getvalue()


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
    kept = [history.goal.feasible(e) for e in history.evaluations[25:]]
    by_chance = [history.goal.feasible(e) for e in blind.evaluations]
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
    front = [history.goal.costs(e) for e in history.pareto_front]
    assert len(front) > 1
    assert front == sorted(front)
    assert [slow for _, slow in front] == sorted((slow for _, slow in front), reverse=True)
    assert {e.trial.budget for e in history.pareto_front} == {9}


def test_another_goal_is_another_search(tmp_path: Path) -> None:
    searched(strategies.RandomSearch(), [LIMIT], directory=tmp_path, evaluations=3)
    from fidelity.history.journal import JournalError

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
