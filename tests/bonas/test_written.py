"""Whatever ConfigSpace accepts is searched, written, resumed and loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ConfigSpace import (
    AndConjunction,
    Categorical,
    Configuration,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    NotEqualsCondition,
    OrConjunction,
)
from torch import nn

from bonas import Search, strategies
from bonas.acquisition.candidates import every
from bonas.runners.in_process import InProcess
from bonas.search.progress import Silent
from bonas.strategies.strategy import Strategy
from fidelity import Constraint, FullFidelity, History, Hyperband
from fidelity.history.records import trial_record
from fidelity.history.trial import Evaluation
from fidelity.schedules import Schedule
from spaces.architecture.architecture import Architecture, chain
from spaces.space import InputShape, Space
from tests.bonas.runners.fakes import made, run
from tests.bonas.search.test_search import told


@dataclass(frozen=True)
class Choices:
    """A space of whatever choices, each an operation of a chain."""

    configuration_space: ConfigurationSpace

    def architecture(self, configuration: Configuration) -> Architecture:
        return chain([f"{name} {value}" for name, value in configuration.items()])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        raise NotImplementedError


def objective(configuration: Configuration, budget: float) -> float:
    vector = np.nan_to_num(configuration.get_array(), nan=0.5)
    return float(vector @ np.arange(1, len(vector) + 1)) + 1 / budget


def resumed(space: ConfigurationSpace, strategy: Strategy, directory: Path) -> History:
    """Searched in two sittings; the history is the one of a single one, and what is loaded."""

    def sitting(at: Path | None, evaluations: int) -> History:
        with Search(
            Choices(space), objective, strategy=strategy, schedule=Hyperband(1, 3), directory=at
        ) as search:
            return search.run(evaluations=evaluations, progress=Silent())

    sitting(directory, 4)
    history = sitting(directory, 8)
    assert told(history) == told(sitting(None, 8))
    loaded = History.load(directory)
    assert [trial_record(t) for t in loaded.trials] == [trial_record(t) for t in history.trials]
    assert [e.cost for e in loaded.evaluations] == [e.cost for e in history.evaluations]
    for trial in history.trials:
        trial.configuration.check_valid_configuration()
    return history


CHOICES: dict[str, list[Any]] = {
    "tuples": [(3, 3), (5, 5), (7, 7), (3, 5)],
    "numbers of numpy": list(np.array([1, 2, 4, 8])),
    "classes": [nn.ReLU, nn.Tanh, nn.GELU, nn.ELU],
}


@pytest.mark.parametrize("choices", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("method", ["RandomSearch", "BayesianOptimization"])
def test_any_choices_are_resumed_and_loaded(
    choices: list[Any], method: str, tmp_path: Path
) -> None:
    space = ConfigurationSpace(
        space=[Categorical("kernel", choices), Categorical("other", choices)]
    )
    resumed(space, getattr(strategies, method)(), tmp_path)
    assert History.load(tmp_path).evaluations


def joined(
    kind: type[AndConjunction] | type[OrConjunction], *, real: bool = True
) -> ConfigurationSpace:
    """A condition on several parents, of which one may be inactive: see tests/spaces."""
    space = ConfigurationSpace({name: [0, 1, 2] for name in "abcd"})
    if real:
        space.add(Float("e", (0.0, 1.0)))
    space.add(NotEqualsCondition(space["b"], space["a"], 2))
    space.add(EqualsCondition(space["c"], space["b"], 0))
    parents = (
        EqualsCondition(space["d"], space["a"], 0),
        NotEqualsCondition(space["d"], space["c"], 1),
    )
    space.add(kind(*parents))
    return space


@dataclass(frozen=True)
class Careless:
    """What somebody writes who trusts ConfigSpace."""

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        drawn = Choices(space.configuration_space).configuration_space
        drawn.random = np.random.RandomState(rng.integers(2**31))
        return drawn.sample_configuration(3)[0]


@pytest.mark.parametrize("kind", [AndConjunction, OrConjunction])
@pytest.mark.parametrize(
    "strategy",
    [
        Careless(),
        strategies.RandomSearch(),
        strategies.RegularizedEvolution(),
        strategies.DifferentialEvolution(),
        strategies.LocalSearch(),
        strategies.Reinforce(),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_only_valid_configurations_are_recorded(
    kind: Any, strategy: Strategy, tmp_path: Path
) -> None:
    resumed(joined(kind), strategy, tmp_path)
    assert History.load(tmp_path).evaluations


@pytest.mark.parametrize("kind", [AndConjunction, OrConjunction])
def test_every_listed_configuration_is_valid(kind: Any) -> None:
    for found in every(joined(kind, real=False)):
        found.check_valid_configuration()


@pytest.mark.parametrize(
    "schedule",
    [FullFidelity(np.int64(3)), FullFidelity(np.float32(3)), Hyperband(*np.array([1, 9]))],
    ids=["whole", "real", "both"],
)
def test_budgets_of_numpy_are_the_numbers(schedule: Schedule, tmp_path: Path) -> None:
    for evaluations in (3, 5):
        with made(objective, schedule, directory=tmp_path) as search:
            history = run(search, InProcess(), evaluations=evaluations)
    assert told(History.load(tmp_path)) == told(history)
    assert {type(trial.budget) for trial in History.load(tmp_path).trials} <= {int, float}


def test_a_seed_and_limits_of_numpy_are_the_numbers(tmp_path: Path) -> None:
    def begin(number: Callable[[int], Any], directory: Path) -> str:
        with Search(
            Choices(joined(OrConjunction)),
            lambda configuration: {"cost": 1.0, "size": 3},
            schedule=FullFidelity(),
            constraints=[Constraint("size", at_most=number(5))],
            directory=directory,
            seed=number(7),
            strategy=strategies.RandomSearch(),
        ) as search:
            search.run(evaluations=number(3), epochs=number(9), progress=Silent())
        header = json.loads(
            (directory / "history.jsonl").read_text(encoding="utf-8").splitlines()[0]
        )
        return json.dumps({key: header[key] for key in ("seed", "target")})

    assert begin(np.int64, tmp_path / "numpy") == begin(int, tmp_path / "python")


def test_a_told_evaluation_is_checked_too(tmp_path: Path) -> None:
    with made(objective, directory=tmp_path) as search:
        for metrics, curve in (({"loss": object()}, [3]), ({1: 2}, [(np.int64(1), 0.5)])):
            trial = search.ask()
            assert trial is not None
            search.tell(trial, Evaluation(trial, np.float32(0.5), metrics, curve))  # type: ignore[arg-type]
        trial = search.ask()
        assert trial is not None
        circular: dict[str, Any] = {"cost": 1.0}
        circular["itself"] = circular
        search.tell(trial, circular)
        statuses = [str(e.status) for e in search.history.evaluations]
        assert statuses == ["crashed", "success", "crashed"]
        assert list(History.load(tmp_path).evaluations) == list(search.history.evaluations)


def test_an_evaluation_of_another_trial_is_refused() -> None:
    search = made(objective)
    one, other = search.ask(), search.ask()
    assert one is not None
    assert other is not None
    with pytest.raises(ValueError, match="an evaluation of trial 1, not of trial 0"):
        search.tell(one, Evaluation(other, 0.5))
    assert len(search.history) == 0
