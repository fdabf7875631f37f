from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas import (
    BayesianOptimization,
    Constraint,
    FreezeThaw,
    MultiFidelityBayesianOptimization,
    RandomSearch,
    Search,
)
from bonas.knowledge.zero_cost import ZeroCost
from bonas.strategies import MultiObjectiveBayesianOptimization, Screened, StartFrom
from bonas.strategies.strategy import Strategy
from fidelity.history.history import History
from fidelity.history.journal import NAME
from fidelity.proxies import Parameters, Synflow
from fidelity.proxies.proxy import ProxyError
from tests.bonas.knowledge.toys import SPACE, Broken, Countable, Nowhere, convolutions

ZERO_COST = ZeroCost(proxies=(Synflow(), Parameters()), networks=20, images=8)


def strategies() -> list[Strategy]:
    several = MultiObjectiveBayesianOptimization(zero_cost=ZERO_COST)
    return [
        BayesianOptimization(zero_cost=ZERO_COST),
        MultiFidelityBayesianOptimization(zero_cost=ZERO_COST),
        several,
        StartFrom((), BayesianOptimization(zero_cost=ZERO_COST)),
        Screened(convolutions, BayesianOptimization(zero_cost=ZERO_COST), samples=2),
    ]


def run(strategy: Strategy, evaluations: int = 7, directory: Path | None = None) -> History:
    with Search(SPACE, Countable(), strategy=strategy, directory=directory) as search:
        return search.run(evaluations=evaluations, progress=False)


@pytest.mark.parametrize("strategy", strategies(), ids=lambda s: type(s).__name__)
def test_networks_are_scored_after_the_first_proposal(strategy: Strategy) -> None:
    history = run(strategy)
    assert len(history.scores) == 20
    assert all(scored.scores.keys() == {"Synflow", "Parameters"} for scored in history.scores)
    assert "20 networks scored" in history.summary


def test_freeze_thaw_scores_too() -> None:
    strategy = FreezeThaw(1, 3, zero_cost=ZERO_COST)
    search = Search(SPACE, replace(Countable(), max_budget=10_000.0), strategy=strategy)
    assert len(search.run(evaluations=7, progress=False).scores) == 20


def test_the_scores_choose_better_initial_networks() -> None:
    chosen, drawn = [], []
    for seed in range(6):
        for strategy, into in (
            (BayesianOptimization(zero_cost=ZERO_COST), chosen),
            (BayesianOptimization(zero_cost=None), drawn),
        ):
            search = Search(SPACE, Countable(), strategy=strategy, seed=seed)
            history = search.run(evaluations=5, progress=False)
            into += [evaluation.cost for evaluation in history.evaluations[1:]]
    assert np.mean(chosen) < np.mean(drawn) - 0.5


def test_strategies_without_a_surrogate_score_nothing() -> None:
    assert len(run(RandomSearch()).scores) == 0


def test_cheap_trainings_and_other_objectives_are_not_scored() -> None:
    search = Search(SPACE, replace(Countable(), max_budget=1.0))
    assert len(search.run(evaluations=6, progress=False).scores) == 0
    search = Search(SPACE, lambda configuration: float(convolutions(configuration)))
    assert len(search.run(evaluations=6, progress=False).scores) == 0


def test_a_resumed_search_makes_the_same_proposals(tmp_path: Path) -> None:
    strategy = BayesianOptimization(zero_cost=ZERO_COST)
    whole = run(strategy, 9)
    run(strategy, 4, tmp_path)
    resumed = run(strategy, 9, tmp_path)
    assert [t.key for t in resumed.trials] == [t.key for t in whole.trials]


@pytest.mark.parametrize("scored", [0, 7, 19])
def test_one_that_was_killed_while_it_scored_does_too(tmp_path: Path, scored: int) -> None:
    strategy = BayesianOptimization(zero_cost=ZERO_COST)
    whole = run(strategy, 9, tmp_path / "whole")
    lines = (tmp_path / "whole" / NAME).read_text(encoding="utf-8").splitlines(keepends=True)
    first = next(place for place, line in enumerate(lines) if '"scored"' in line)
    (tmp_path / "killed").mkdir()
    text = "".join(lines[: first + scored])
    (tmp_path / "killed" / NAME).write_text(text, encoding="utf-8")
    resumed = run(strategy, 9, tmp_path / "killed")
    assert [s.key for s in resumed.scores] == [s.key for s in whole.scores]
    assert [t.key for t in resumed.trials] == [t.key for t in whole.trials]


def test_scores_are_read_from_a_directory(tmp_path: Path) -> None:
    history = run(BayesianOptimization(zero_cost=ZERO_COST), 6, tmp_path)
    read = History.load(tmp_path)
    assert len(read.scores) == 20
    for ours, theirs in zip(history.scores, read.scores, strict=True):
        assert ours.key == theirs.key
        assert ours.configuration == theirs.configuration
        np.testing.assert_array_equal(list(ours.scores.values()), list(theirs.scores.values()))


def test_a_proxy_that_is_not_made_for_the_networks_is_no_warning(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> float:
        raise ProxyError("the network has no rectifiers")

    monkeypatch.setattr(Broken, "__call__", refuse)
    with caplog.at_level(logging.INFO):
        run(BayesianOptimization(zero_cost=replace(ZERO_COST, proxies=(Broken(), Parameters()))))
    (record,) = [r for r in caplog.records if "could not score" in r.getMessage()]
    assert record.levelno == logging.INFO


def test_a_broken_proxy_is_left_out_with_a_message(caplog: pytest.LogCaptureFixture) -> None:
    zero_cost = replace(ZERO_COST, proxies=(Broken(), Synflow()))
    history = run(BayesianOptimization(zero_cost=zero_cost))
    (message,) = [r.getMessage() for r in caplog.records if "could not score" in r.getMessage()]
    assert "the zero-cost proxy Broken could not score 20 of 20 networks" in message
    assert "the search uses the scores of the other proxies" in message
    assert "no gradient here" in message
    assert all(math.isnan(scored.scores["Broken"]) for scored in history.scores)
    assert len(history) == 7


def test_a_proxy_without_scores_teaches_nothing() -> None:
    history = run(BayesianOptimization(zero_cost=replace(ZERO_COST, proxies=(Nowhere(),))))
    assert len(history) == 7


def test_two_proxies_of_one_class_have_two_names() -> None:
    zero_cost = replace(ZERO_COST, proxies=(Synflow(), Synflow()))
    history = run(BayesianOptimization(zero_cost=zero_cost))
    assert next(iter(history.scores)).scores.keys() == {"Synflow 0", "Synflow 1"}


def test_scoring_counts_on_the_clock_and_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strategy = BayesianOptimization(zero_cost=ZERO_COST)
    with Search(SPACE, Countable(), strategy=strategy, directory=tmp_path) as search:
        history = search.run(evaluations=6)
    scores = list(history.scores)
    assert "20 networks scored in" in capsys.readouterr().out
    ends = [scored.started + scored.seconds for scored in scores]
    assert ends == sorted(ends)
    assert history.evaluations[1].started >= ends[-1]


@dataclass(frozen=True)
class Limited(Countable):
    """As `Countable`, with a quantity that is known before training."""

    computed: Mapping[str, Callable[[Configuration], float]] = field(
        default_factory=lambda: {"convolutions": convolutions}
    )


@pytest.mark.parametrize("strategy", strategies()[:2], ids=lambda s: type(s).__name__)
def test_promising_networks_beyond_a_constraint_are_passed_over(strategy: Strategy) -> None:
    constraint = Constraint("convolutions", at_most=1)
    search = Search(SPACE, Limited(), strategy=strategy, constraints=constraint)
    history = search.run(evaluations=8, progress=False)
    assert len(history) == 8
    assert all(convolutions(trial.configuration) <= 1 for trial in history.trials)
    assert len(history.refused) < 40
