"""The history of a search: its trials and their evaluations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import ConfigurationSpace

from fidelity.history import journal
from fidelity.history.best_table import best_table
from fidelity.history.frame_columns import columns
from fidelity.history.goal import UNNAMED, Goal
from fidelity.history.journal import JournalError
from fidelity.history.pareto import non_dominated
from fidelity.history.records import read_evaluation, read_scored, read_trial
from fidelity.history.scores import Scores
from fidelity.history.trial import DETERMINISTIC, UNSCHEDULED, Evaluation, Status, Trial
from fidelity.tasks.task import Measure
from spaces.configurations.json_values import read_space
from spaces.display.html import Html, element
from spaces.space import values

if TYPE_CHECKING:
    import pandas

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""Errors of a record that this version of bonas did not write, or not in this place."""

NESTED = frozenset({"trial", "configuration", "metrics", "curve"})
"""Fields of trials and evaluations that are not columns of `History.frame`."""


class History:
    """An append-only record of trials and evaluations, indexed for strategies and schedules.

    Args:
        space: the space of the configurations.
        resumes: whether promotions resume their parents' training; each evaluation records whether
            it did (`Evaluation.retrained`).
        goal: the objectives and constraints.
        deterministic: whether the objective declares that its costs do not depend on the seed.
        seeded: whether the objective takes a seed; see `deterministic`.

    Attributes:
        scores: of networks before any training.
    """

    def __init__(
        self,
        space: ConfigurationSpace,
        *,
        resumes: bool = True,
        goal: Goal | None = None,
        deterministic: bool = False,
        seeded: bool = True,
    ) -> None:
        self.space = space
        self.resumes = resumes
        self.goal = Goal() if goal is None else goal
        self.scores = Scores()
        self._declared, self._seeded = deterministic, seeded
        self._repeats: set[bool] = set()  # whether repeats had the same cost
        self._first: dict[tuple[str, float], Evaluation] = {}  # of each network and budget
        self._trials: list[Trial] = []
        self._evaluations: list[Evaluation] = []
        self._of_trial: dict[int, Evaluation] = {}
        self._of_network: dict[tuple[str, float, int], Evaluation] = {}
        self._at_budget: dict[float, list[Evaluation]] = defaultdict(list)
        self._brackets: dict[int, list[Trial]] = defaultdict(list)
        self._by_key: dict[str, list[Trial]] = defaultdict(list)
        self._pending: dict[int, Trial] = {}
        self._resource = 0.0
        self._best: dict[float, Evaluation] = {}  # at each budget, of the feasible ones
        self._refused: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._evaluations)

    def __repr__(self) -> str:
        return f"History({self.summary})"

    def _repr_html_(self) -> str:
        return self.html()

    @property
    def summary(self) -> str:
        """One sentence: the evaluations, the budget spent and the lowest cost."""
        failed = sum(not evaluation.succeeded for evaluation in self.evaluations)
        parts = [f"{len(self)} evaluations", f"{self.resource:g} units of budget spent"]
        parts += [self.scores.summary] if len(self.scores) else []
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{len(self.pending)} pending"] if self.pending else []
        best = self.incumbent
        lowest = f"{self.best_text} at budget {best.trial.budget:g}" if best else self.best_text
        return ", ".join([*parts, lowest])

    @property
    def best_text(self) -> str:
        """The cost of the incumbent in the words of its measure, such as 'best error 3.21%'."""
        best = self.incumbent
        if best is None:
            return "no success yet"
        return f"best {self.goal.measure.name} {self.cost_text(best)}"

    def cost_text(self, evaluation: Evaluation) -> str:
        """Return the cost of an evaluation in its unit, or a dash where there is none."""
        return self.goal.measure.text(evaluation.cost) if evaluation.succeeded else "–"

    def html(self) -> Html:
        """Return the summary and a table of the best evaluations, each network once."""
        best = self.incumbent
        at_budget = self.at(best.trial.budget) if best else ()
        heading = element("p", element("b", "History"), f": {self.summary}")
        return element("div", heading, best_table(at_budget, self.goal.measure))

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials by number, pending ones included."""
        return self._trials

    @property
    def evaluations(self) -> Sequence[Evaluation]:
        """All evaluations in the order in which they ended."""
        return self._evaluations

    @property
    def pending(self) -> tuple[Trial, ...]:
        """Trials without an evaluation."""
        return tuple(self._pending.values())

    @property
    def budgets(self) -> tuple[float, ...]:
        """The budgets that have evaluations, ascending."""
        return tuple(sorted(self._at_budget))

    @property
    def resource(self) -> float:
        """The budget spent by all evaluations; see `spent`."""
        return self._resource

    @property
    def brackets(self) -> int:
        """The number of brackets that the schedule has begun."""
        return len(self._brackets)

    def bracket(self, number: int) -> Sequence[Trial]:
        """Return the trials of one bracket in the order of their requests."""
        return self._brackets.get(number, [])

    def at(self, budget: float) -> Sequence[Evaluation]:
        """Return the evaluations at one budget in the order in which they ended."""
        return self._at_budget.get(budget, [])

    def evaluation(self, trial: int) -> Evaluation | None:
        """Return the evaluation of trial number `trial`; None while it is pending."""
        return self._of_trial.get(trial)

    def known(self, trial: Trial) -> Evaluation | None:
        """Return an earlier evaluation of the same network, budget and seed, if there is one."""
        return self._of_network.get((trial.key, trial.budget, trial.seed))

    def keys(self) -> set[str]:
        """Return the networks that need no further proposal: requested before, or refused."""
        return {*self._by_key, *self._refused}

    @property
    def networks(self) -> int:
        """The number of different networks among the trials."""
        return len(self._by_key)

    @property
    def refused(self) -> Set[str]:
        """The networks that were proposed and violate a constraint computable before training."""
        return self._refused.keys()

    def of_network(self, key: str) -> Sequence[Trial]:
        """Return the trials of one network in the order of their requests."""
        return self._by_key.get(key, [])

    @property
    def incumbent(self) -> Evaluation | None:
        """The lowest cost at the highest budget with a feasible success; the first of equals.

        Costs at different budgets are not compared: a high budget's cost is the better estimate.
        """
        return self._best[max(self._best)] if self._best else None

    @property
    def pareto_front(self) -> Sequence[Evaluation]:
        """The feasible evaluations that no other one dominates, by ascending first objective.

        They are those at the highest budget with a feasible success; of equal costs, the first.
        """
        if not self._best:
            return []
        feasible: dict[tuple[float, ...], Evaluation] = {}
        for evaluation in self.at(max(self._best)):
            if self.goal.feasible(evaluation):
                feasible.setdefault(self.goal.costs(evaluation), evaluation)
        optimal = non_dominated(np.array(list(feasible)))
        front = [costs for costs, best in zip(feasible, optimal, strict=True) if best]
        return [feasible[costs] for costs in sorted(front)]

    @property
    def closest(self) -> Evaluation | None:
        """The success with the smallest constraint violation; of equals, the lowest cost."""
        successes = (e for e in self._evaluations if e.succeeded)
        return min(successes, key=lambda e: (self.goal.violation(e), e.cost), default=None)

    @property
    def deterministic(self) -> bool:
        """Whether an evaluation with another seed would give the same cost.

        True if the objective declares it, or if it takes no seed and all networks evaluated with
        several seeds at one budget had the same cost each time.
        """
        return self._declared or self._repeats == {True}

    def add_trial(self, trial: Trial) -> None:
        """Append a trial, which is then pending.

        Raises:
            ValueError: its number is not the next one.
        """
        if trial.number != len(self._trials):
            raise ValueError(f"the next trial has number {len(self._trials)}, not {trial.number}")
        self._trials.append(trial)
        if trial.bracket != UNSCHEDULED:
            self._brackets[trial.bracket].append(trial)
        self._by_key[trial.key].append(trial)
        self._pending[trial.number] = trial

    def refuse(self, key: str) -> None:
        """Append a network that violates a constraint computable before training."""
        self._refused[key] = None

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Append the evaluation of a pending trial.

        Raises:
            ValueError: the trial is not pending.
        """
        trial = evaluation.trial
        if trial.number not in self._pending:
            raise ValueError(_not_pending(trial.number))
        del self._pending[trial.number]
        self._evaluations.append(evaluation)
        self._of_trial[trial.number] = evaluation
        self._at_budget[trial.budget].append(evaluation)
        best = self._best.get(trial.budget)
        if (best is None or evaluation.cost < best.cost) and self.goal.feasible(evaluation):
            self._best[trial.budget] = evaluation
        self._resource += self.spent(evaluation)
        if evaluation.reused is None and evaluation.status in DETERMINISTIC:
            self._of_network.setdefault((trial.key, trial.budget, trial.seed), evaluation)
        if not self._seeded and evaluation.reused is None and evaluation.succeeded:
            first = self._first.setdefault((trial.key, trial.budget), evaluation)
            if first.trial.seed != trial.seed:
                self._repeats.add(first.cost == evaluation.cost)

    def increment(self, trial: Trial) -> float:
        """Return the budget of `trial` beyond that of the parent which it resumes."""
        if trial.parent is None or not self.resumes:
            return trial.budget
        return trial.budget - self._trials[trial.parent].budget

    def spent(self, evaluation: Evaluation) -> float:
        """Return the budget that an evaluation spent.

        It is 0 for a reused or added result or an invalid network, the total budget for training
        from scratch, and else the increment above the parent's budget.
        """
        if evaluation.trial.bracket == UNSCHEDULED:
            return 0.0
        if evaluation.reused is not None or evaluation.status is Status.INVALID:
            return 0.0
        return evaluation.trial.budget if evaluation.retrained else self.increment(evaluation.trial)

    def frame(self) -> pandas.DataFrame:
        """Return one row per evaluation: trial, status, cost, seconds, hyperparameters, metrics.

        A hyperparameter with the name of a field of trials or evaluations is the column
        `configuration.NAME`; a metric with the name of any of these is `metrics.NAME`.
        """
        import pandas

        own = [f.name for f in (*fields(Trial), *fields(Evaluation)) if f.name not in NESTED]
        metrics = dict.fromkeys(name for e in self._evaluations for name in e.metrics)
        hyperparameters = columns("configuration", self.space, {*own, *NESTED})
        measured = columns("metrics", metrics, {*own, *NESTED, *hyperparameters.values()})
        rows = [
            {
                **{name: getattr(e.trial, name) for name in own if hasattr(e.trial, name)},
                **{name: getattr(e, name) for name in own if hasattr(e, name)},
                **{hyperparameters[k]: value for k, value in values(e.trial.configuration).items()},
                **{measured[name]: value for name, value in e.metrics.items()},
            }
            for e in self._evaluations
        ]
        return pandas.DataFrame(rows)

    @classmethod
    def load(cls, directory: str | Path) -> History:
        """Return the history of a search from its directory, also while the search runs.

        Raises:
            JournalError: there is no history, or it cannot be read.
        """
        path = Path(directory) / journal.NAME
        manifest, records, _ = journal.read(path)
        history = cls.begun(manifest)
        history.replay(records, path)
        return history

    @classmethod
    def begun(cls, manifest: Mapping[str, Any]) -> History:
        """Return the empty history of the search that wrote a manifest.

        Raises:
            JournalError: the manifest lacks something.
        """
        try:
            space = read_space(manifest["configuration_space"])
            # Early journals lack both.
            measure = Measure(**manifest["measure"]) if "measure" in manifest else UNNAMED
            goal = Goal.read(manifest.get("target", Goal().record()), measure)
        except UNREADABLE as error:
            raise JournalError(
                f"line 1, the manifest of the history, cannot be read ({_reason(error)}): restore "
                "the file from a copy, or use the version of bonas that wrote it"
            ) from error
        return cls(space, goal=goal)

    def replay(self, records: Sequence[dict[str, Any]], path: Path = Path(journal.NAME)) -> None:
        """Append the records after the manifest of a journal.

        Args:
            records: as the functions of `fidelity.history.records` write them.
            path: the journal, for error messages.

        Raises:
            JournalError: a record is inconsistent with those before it, which are appended.
        """
        for line, entry in enumerate(records, start=2):
            try:
                self.append(entry)
            except UNREADABLE as error:
                raise JournalError(
                    f"line {line} does not follow from those before it: {_reason(error)} (in "
                    f"{path}); restore the file from a copy, or remove what follows line "
                    f"{line - 1} if you can do without it"
                ) from error

    def append(self, entry: Mapping[str, Any]) -> None:
        """Append one record.

        Raises:
            ValueError, KeyError, TypeError: it is inconsistent with the history.
        """
        match entry["kind"]:
            case "trial":
                self.add_trial(self._read_trial(entry))
            case "refused" if entry["key"] not in self._refused:
                self.refuse(entry["key"])
            case "refused":
                raise ValueError(f"the network {entry['key']} is refused twice")
            case "scored":
                self.scores.add(read_scored(entry, self.space))
            case "evaluation":
                number = entry["trial"]
                if number not in self._pending:
                    raise ValueError(_not_pending(number))
                self.add_evaluation(read_evaluation(entry, self._pending[number]))
            case journal.NOTE:
                pass
            case "history":
                raise ValueError("it is a second manifest")
            case kind:
                raise ValueError(f"its kind {kind!r} is unknown to this version of bonas")

    def _read_trial(self, entry: Mapping[str, Any]) -> Trial:
        trial = read_trial(entry, self.space)
        if trial.parent is not None and not 0 <= trial.parent < len(self._trials):
            raise ValueError(
                f"trial {trial.number} continues trial {trial.parent}, which is not there"
            )
        return trial


def _not_pending(number: int) -> str:
    return f"trial {number} is not pending: it was never requested, or already has a result"


def _reason(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)
