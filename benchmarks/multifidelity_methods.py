"""The searches that `multifidelity.py` compares: those of bonas, and its peers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from multifidelity_peers import DEHB, SMAC, Optuna, Peer, SyneTune
from multifidelity_problems import Problem
from peers.peer import Choice

from bonas import Search
from bonas.runners import Simulated
from bonas.search.progress import Silent
from bonas.strategies import (
    BayesianOptimization,
    FreezeThaw,
    MultiFidelityBayesianOptimization,
    RandomSearch,
    seconds_spent,
)
from bonas.strategies.strategy import Recommender, Strategy
from fidelity import AsynchronousHalving, FullFidelity, History, Hyperband, SuccessiveHalving
from fidelity.schedules.schedule import Schedule
from spaces.space import configuration

MILESTONES = (50, 150)
"""Training runs to the highest budget after which a search that makes no others has a row."""
NOTHING = 100.0
"""The regret before there is anything to recommend."""


@dataclass(frozen=True)
class Row:
    """The result of a search at a time: regret in percent, and number of full training runs."""

    time: float
    regret: float
    full: int


class Method(Protocol):
    """A method that searches a table."""

    def run(self, problem: Problem, seed: int) -> list[Row]:
        """Run one search.

        Raises:
            ImportError: its library is not installed.
        """
        ...


@dataclass(frozen=True)
class Bonas:
    """A search of bonas.

    Attributes:
            strategy: one started object for all seeds, which computes each key of the space once.
        schedule: of budgets.
        evaluations: after which it ends; None ends it when the problem says.
    """

    strategy: Strategy
    schedule: Schedule
    evaluations: int | None = None

    def run(self, problem: Problem, seed: int) -> list[Row]:
        """See `Method.run`."""
        table = problem.table
        search = Search(
            table.space, table, strategy=self.strategy, schedule=self.schedule, seed=seed
        )
        seconds = None if self.evaluations else problem.until * problem.seconds
        search.run(
            seconds=seconds, evaluations=self.evaluations, runner=Simulated(), progress=Silent()
        )
        ends = [(e.started + e.seconds) / problem.seconds for e in search.history.evaluations]
        marks = [time for time in problem.grid if time <= ends[-1]]
        if self.evaluations:
            marks += [ends[n - 1] for n in MILESTONES if n <= len(ends)]
        return [self._row(problem, search.history, ends, time) for time in sorted(marks)]

    def _row(self, problem: Problem, history: History, ends: Sequence[float], time: float) -> Row:
        """The recommendation at that time."""
        cut = History(history.space, resumes=history.resumes)
        ended = [e for e, end in zip(history.evaluations, ends, strict=True) if end <= time]
        for trial in history.trials[: max((e.trial.number for e in ended), default=-1) + 1]:
            cut.add_trial(trial)
        for evaluation in ended:
            cut.add_evaluation(evaluation)
        full = len(cut.at(problem.full))
        if not full:
            return Row(time, NOTHING, 0)
        trusted = cut.incumbent
        if isinstance(self.strategy, Recommender):
            trusted = self.strategy.recommend(problem.table.space, cut)
        assert trusted is not None
        assert trusted.trial.budget == problem.full
        regret = problem.percent * problem.table.regret(trusted.trial.configuration)
        return Row(time, regret, full)


class _TimeIsUp(Exception):
    """Raised to end the run of a peer."""


@dataclass
class _Clock:
    """The evaluations of a peer until the time is up, and the best network at full budget."""

    problem: Problem
    rng: np.random.Generator
    now: float = 0.0
    best: float = float("inf")
    steps: list[Row] = field(default_factory=list)

    def __call__(self, choice: Choice, budget: float) -> float:
        table = self.problem.table
        cell = configuration(table.space.configuration_space, choice)
        result = table(cell, budget, int(self.rng.integers(2**31)))
        self.now += result["seconds"] / self.problem.seconds
        if self.now > self.problem.until:
            raise _TimeIsUp
        if budget == self.problem.full:
            last = self.steps[-1] if self.steps else Row(0.0, NOTHING, 0)
            better = result["cost"] < self.best
            self.best = min(self.best, result["cost"])
            regret = self.problem.percent * table.regret(cell) if better else last.regret
            self.steps.append(Row(self.now, regret, last.full + 1))
        return float(result["cost"])


@dataclass(frozen=True)
class Other:
    """A peer; it recommends its best single observation at the highest budget."""

    peer: Peer

    def run(self, problem: Problem, seed: int) -> list[Row]:
        """See `Method.run`."""
        clock = _Clock(problem, np.random.default_rng([seed, 1]))
        with contextlib.suppress(_TimeIsUp):
            self.peer.run(seed, problem.short, problem.full, clock)
        rows = []
        for time in (time for time in problem.grid if time <= problem.until):
            reached = [step for step in clock.steps if step.time <= time]
            last = reached[-1] if reached else Row(0.0, NOTHING, 0)
            rows.append(Row(time, last.regret, last.full))
        return rows


def methods(problem: Problem) -> Mapping[str, Method]:
    """All methods of a problem, by name."""
    space, budgets = problem.table.space, (problem.short, problem.full, problem.eta)
    full = FullFidelity(problem.full)
    # The clock is simulated, so seconds are the same in every run.
    freeze_thaw = FreezeThaw(*budgets, spending=seconds_spent).start(space)
    joint = MultiFidelityBayesianOptimization(spending=seconds_spent).start(space)
    bayesian = BayesianOptimization().start(space)
    ours: dict[str, Method] = {
        f"random, {problem.full:g} epochs": Bonas(RandomSearch(), full, 150),
        f"BO, {problem.full:g} epochs": Bonas(bayesian, full, 60),
        "freeze-thaw": Bonas(freeze_thaw, freeze_thaw),
    }
    if problem.dataset is None:
        return ours | {
            "Hyperband": Bonas(RandomSearch(), Hyperband(*budgets)),
            "BO x Hyperband": Bonas(bayesian, Hyperband(*budgets)),
            "BO x asynchronous halving": Bonas(bayesian, AsynchronousHalving(*budgets)),
            "joint BO x asynchronous halving": Bonas(joint, AsynchronousHalving(*budgets)),
        }
    halving = SuccessiveHalving(*budgets)
    return ours | {
        "BO x successive halving": Bonas(bayesian, halving),
        "joint BO x successive halving": Bonas(joint, halving),
        "DEHB": Other(DEHB()),
        "Optuna, Hyperband": Other(Optuna(hyperband=True)),
        "Optuna, halving": Other(Optuna(hyperband=False)),
        "Syne Tune, BOHB": Other(SyneTune(bore=False)),
        "SMAC3": Other(SMAC()),
        "Syne Tune, ASHA with BORE": Other(SyneTune(bore=True)),
    }
