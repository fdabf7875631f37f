"""The history of a search: every trial that was asked for and everything that came of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import ConfigurationSpace

from fidelity.history import journal
from fidelity.history.columns import columns
from fidelity.history.goal import Goal
from fidelity.history.html import history_html
from fidelity.history.journal import JournalError
from fidelity.history.pareto import non_dominated
from fidelity.history.records import read_evaluation, read_trial
from fidelity.history.trial import DETERMINISTIC, Evaluation, Status, Trial
from spaces.configurations.plain import read_space
from spaces.space import values

if TYPE_CHECKING:
    import pandas

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What a record raises that was not written by this version of bonas, or not at this place."""

NESTED = frozenset({"trial", "configuration", "metrics", "curve"})
"""Fields of trials and evaluations that are no columns of `History.frame`."""


class History:
    """An append-only record of trials and evaluations, indexed for strategies and schedules.

    Args:
        space: the space that the configurations are points of.
        resumes: whether promotions continue from what their parents have spent. (Of those that
            are evaluated, each evaluation says so itself.)
        goal: what is minimised, and which limits are to be kept.
    """

    def __init__(
        self, space: ConfigurationSpace, *, resumes: bool = True, goal: Goal | None = None
    ) -> None:
        self.space = space
        self.resumes = resumes
        self.goal = Goal() if goal is None else goal
        self._trials: list[Trial] = []
        self._evaluations: list[Evaluation] = []
        self._of_trial: dict[int, Evaluation] = {}
        self._of_network: dict[tuple[str, float, int], Evaluation] = {}
        self._at_budget: dict[float, list[Evaluation]] = defaultdict(list)
        self._brackets: dict[int, list[Trial]] = defaultdict(list)
        self._by_key: dict[str, list[Trial]] = defaultdict(list)
        self._pending: dict[int, Trial] = {}
        self._resource = 0.0
        self._best: dict[float, Evaluation] = {}  # at each budget, of those that keep all limits
        self._refused: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._evaluations)

    def _repr_html_(self) -> str:
        return history_html(self)

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials by number, pending ones too."""
        return self._trials

    @property
    def evaluations(self) -> Sequence[Evaluation]:
        """All evaluations in the order in which they ended."""
        return self._evaluations

    @property
    def pending(self) -> tuple[Trial, ...]:
        """Trials that were asked for and not yet told."""
        return tuple(self._pending.values())

    @property
    def budgets(self) -> tuple[float, ...]:
        """The budgets at which something was evaluated, ascending."""
        return tuple(sorted(self._at_budget))

    @property
    def resource(self) -> float:
        """The budget really spent by all evaluations."""
        return self._resource

    @property
    def brackets(self) -> int:
        """How many brackets the schedule has begun."""
        return len(self._brackets)

    def bracket(self, number: int) -> Sequence[Trial]:
        """The trials of one bracket in the order in which they were asked."""
        return self._brackets.get(number, [])

    def at(self, budget: float) -> Sequence[Evaluation]:
        """The evaluations at one budget, in the order in which they ended."""
        return self._at_budget.get(budget, [])

    def evaluation(self, trial: int) -> Evaluation | None:
        """What came of a trial; None while it is pending."""
        return self._of_trial.get(trial)

    def known(self, trial: Trial) -> Evaluation | None:
        """An earlier evaluation of the same network at the same budget and seed, if any."""
        return self._of_network.get((trial.key, trial.budget, trial.seed))

    def keys(self) -> set[str]:
        """The networks that need not be proposed again: asked for before, or refused."""
        return {*self._by_key, *self._refused}

    @property
    def networks(self) -> int:
        """How many networks were ever asked for."""
        return len(self._by_key)

    @property
    def refused(self) -> Set[str]:
        """The networks that were proposed and are beyond a limit, as was known beforehand."""
        return self._refused.keys()

    def of_network(self, key: str) -> Sequence[Trial]:
        """The trials of one network in the order in which they were asked."""
        return self._by_key.get(key, [])

    @property
    def incumbent(self) -> Evaluation | None:
        """The lowest cost at the highest budget at which anything succeeded; the first of equals.

        Costs at different budgets are not compared: a high budget's cost is the better estimate.
        What is beyond a limit of the goal counts as if it had not succeeded.
        """
        return self._best[max(self._best)] if self._best else None

    @property
    def pareto_front(self) -> Sequence[Evaluation]:
        """What no other evaluation is better than in all objectives, by ascending first objective.

        Of the evaluations at the highest budget at which anything succeeded and kept all limits;
        of evaluations with equal costs, the first.
        """
        if not self._best:
            return []
        found: dict[tuple[float, ...], Evaluation] = {}
        for evaluation in self.at(max(self._best)):
            if self.goal.feasible(evaluation):
                found.setdefault(self.goal.costs(evaluation), evaluation)
        kept = non_dominated(np.array(list(found)))
        front = [costs for costs, best in zip(found, kept, strict=True) if best]
        return [found[costs] for costs in sorted(front)]

    @property
    def closest(self) -> Evaluation | None:
        """Of all that succeeded, what is least beyond the limits; the lowest cost of equals."""
        successes = (e for e in self._evaluations if e.succeeded)
        return min(successes, key=lambda e: (self.goal.violation(e), e.cost), default=None)

    def add_trial(self, trial: Trial) -> None:
        """Appends a trial, which is pending from now on.

        Raises:
            ValueError: its number is not the next one.
        """
        if trial.number != len(self._trials):
            raise ValueError(f"the next trial has number {len(self._trials)}, not {trial.number}")
        self._trials.append(trial)
        self._brackets[trial.bracket].append(trial)
        self._by_key[trial.key].append(trial)
        self._pending[trial.number] = trial

    def refuse(self, key: str) -> None:
        """Appends a network that was proposed and is beyond a limit, so that it is not trained."""
        self._refused[key] = None

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Appends what came of a pending trial.

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

    def increment(self, trial: Trial) -> float:
        """What evaluating `trial` costs beyond what its parent spent, in units of budget."""
        if trial.parent is None or not self.resumes:
            return trial.budget
        return trial.budget - self._trials[trial.parent].budget

    def spent(self, evaluation: Evaluation) -> float:
        """The budget that an evaluation really spent.

        Nothing where a known result was reused or there was nothing to train; the whole budget
        where the parent was not continued (it cannot be, or its checkpoint was gone or damaged);
        else what comes on top of the parent's.
        """
        if evaluation.reused is not None or evaluation.status is Status.INVALID:
            return 0.0
        return evaluation.trial.budget if evaluation.retrained else self.increment(evaluation.trial)

    def frame(self) -> pandas.DataFrame:
        """Return one row per evaluation: trial, status, cost, seconds, hyperparameters, metrics.

        A hyperparameter that has the name of a field of trials or evaluations is the column
        `configuration.NAME`; a metric that has the name of any of these is `metrics.NAME`.
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
        """Reads the history of a search from its directory, also while the search runs.

        Raises:
            JournalError: there is no history, or it cannot be read.
        """
        path = Path(directory) / journal.NAME
        header, records, _ = journal.read(path)
        history = cls.begun(header)
        history.replay(records, path)
        return history

    @classmethod
    def begun(cls, header: Mapping[str, Any]) -> History:
        """Return the empty history of the search that wrote a header.

        Raises:
            JournalError: the header does not say what a history needs.
        """
        try:
            space = read_space(header["configuration_space"])
            goal = Goal.read(header["target"]) if "target" in header else Goal()
        except UNREADABLE as error:
            raise JournalError(
                f"line 1, the header of the history, cannot be read ({_reason(error)}): restore "
                "the file from a copy, or use the version of bonas that wrote it"
            ) from error
        return cls(space, goal=goal)

    def replay(self, records: Sequence[dict[str, Any]], path: Path = Path(journal.NAME)) -> None:
        """Append what follows the header of a journal.

        Args:
            records: what `trial_record`, `refused_record` and `evaluation_record` wrote.
            path: of the journal, for errors.

        Raises:
            JournalError: a record does not follow from those before it, which are appended.
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
            ValueError, KeyError, TypeError: it does not follow from what is there.
        """
        match entry["kind"]:
            case "trial":
                self.add_trial(self._read_trial(entry))
            case "refused" if entry["key"] not in self._refused:
                self.refuse(entry["key"])
            case "refused":
                raise ValueError(f"the network {entry['key']} is refused twice")
            case "evaluation":
                number = entry["trial"]
                if number not in self._pending:
                    raise ValueError(_not_pending(number))
                self.add_evaluation(read_evaluation(entry, self._pending[number]))
            case journal.NOTE:
                pass
            case "history":
                raise ValueError("it is a second header")
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
    return f"trial {number} is not pending: it was never asked for, or told already"


def _reason(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)
