"""The history of a search: every trial that was asked for and everything that came of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import ConfigurationSpace

from fidelity import journal
from fidelity.html import history_html
from fidelity.pareto import non_dominated
from fidelity.target import Target
from fidelity.trial import DETERMINISTIC, Evaluation, Status, Trial
from spaces.space import configuration, values

if TYPE_CHECKING:
    import pandas


class History:
    """An append-only record of trials and evaluations, indexed for strategies and schedules.

    Args:
        space: the space that the configurations are points of.
        resumes: whether promotions continue from what their parents have spent. (Of those that
            are evaluated, each evaluation says so itself.)
        target: what is minimised, and which limits are to be kept.
    """

    def __init__(
        self, space: ConfigurationSpace, *, resumes: bool = True, target: Target | None = None
    ) -> None:
        self.space = space
        self.resumes = resumes
        self.target = Target() if target is None else target
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
        What is beyond a limit of the target counts as if it had not succeeded.
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
            if self.target.feasible(evaluation):
                found.setdefault(self.target.costs(evaluation), evaluation)
        kept = non_dominated(np.array(list(found)))
        front = [costs for costs, best in zip(found, kept, strict=True) if best]
        return [found[costs] for costs in sorted(front)]

    @property
    def closest(self) -> Evaluation | None:
        """Of all that succeeded, what is least beyond the limits; the lowest cost of equals."""
        successes = (e for e in self._evaluations if e.succeeded)
        return min(successes, key=lambda e: (self.target.violation(e), e.cost), default=None)

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
            raise ValueError(
                f"trial {trial.number} is not pending: it was never asked for, or told already"
            )
        del self._pending[trial.number]
        self._evaluations.append(evaluation)
        self._of_trial[trial.number] = evaluation
        self._at_budget[trial.budget].append(evaluation)
        best = self._best.get(trial.budget)
        if (best is None or evaluation.cost < best.cost) and self.target.feasible(evaluation):
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
        return evaluation.trial.budget if evaluation.anew else self.increment(evaluation.trial)

    def frame(self) -> pandas.DataFrame:
        """One row an evaluation: trial, status, cost, seconds, hyperparameters and metrics."""
        import pandas

        rows = [
            {
                **{f.name: getattr(e.trial, f.name) for f in fields(Trial)},
                **{f.name: getattr(e, f.name) for f in fields(Evaluation)},
                **values(e.trial.configuration),
                **e.metrics,
            }
            for e in self._evaluations
        ]
        dropped = ["trial", "configuration", "metrics", "curve"]
        return pandas.DataFrame(rows).drop(columns=dropped, errors="ignore")

    @classmethod
    def load(cls, directory: str | Path) -> History:
        """Reads the history of a search from its directory, also while the search runs.

        Raises:
            JournalError: there is no history, or it cannot be read.
        """
        header, records, _ = journal.read(Path(directory) / journal.NAME)
        history = cls.begun(header)
        history.replay(records)
        return history

    @classmethod
    def begun(cls, header: Mapping[str, Any]) -> History:
        """The empty history of the search that wrote a header."""
        space = ConfigurationSpace.from_serialized_dict(header["configuration_space"])
        target = Target.read(header["target"]) if "target" in header else Target()
        return cls(space, target=target)

    def replay(self, records: Sequence[dict[str, Any]]) -> None:
        """Appends what `trial_record`, `refused_record` and `evaluation_record` wrote.

        The wall-clock time at which a trial was asked for is for people, and left out here.
        """
        for record in records:
            if record["kind"] == "trial":
                left_out = ("kind", "asked")
                fields = {name: value for name, value in record.items() if name not in left_out}
                chosen = configuration(self.space, fields.pop("configuration"))
                self.add_trial(Trial(configuration=chosen, **fields))
            elif record["kind"] == "refused":
                self.refuse(record["key"])
            elif record["kind"] == "evaluation":
                self.add_evaluation(read_evaluation(record, self._trials[record["trial"]]))


def trial_record(trial: Trial) -> dict[str, Any]:
    """A trial as plain JSON values."""
    record = {f.name: getattr(trial, f.name) for f in fields(Trial)}
    return {"kind": "trial", **record, "configuration": values(trial.configuration)}


def refused_record(key: str) -> dict[str, Any]:
    """A network that was refused as plain JSON values."""
    return {"kind": "refused", "key": key}


def evaluation_record(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as plain JSON values; metrics that JSON cannot hold become text."""
    record = {f.name: getattr(evaluation, f.name) for f in fields(Evaluation)}
    return {
        "kind": "evaluation",
        **record,
        "trial": evaluation.trial.number,
        "cost": evaluation.cost if evaluation.succeeded else None,
        "metrics": json.loads(json.dumps(dict(evaluation.metrics), default=_plain)),
    }


def read_evaluation(record: Mapping[str, Any], trial: Trial) -> Evaluation:
    """The evaluation of `trial` that `evaluation_record` wrote."""
    fields = {name: value for name, value in record.items() if name != "kind"}
    fields["trial"] = trial
    fields["cost"] = float("inf") if fields["cost"] is None else fields["cost"]
    fields["curve"] = tuple((step, cost) for step, cost in fields["curve"])
    fields["status"] = Status(fields["status"])
    return Evaluation(**fields)


def _plain(value: Any) -> Any:
    """Numpy and torch scalars as numbers, everything else as its text."""
    try:
        return value.item()
    except (AttributeError, ValueError, RuntimeError):
        return str(value)
