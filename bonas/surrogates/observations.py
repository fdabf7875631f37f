"""Observations: the part of a history that a surrogate is fitted to."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ConfigSpace import Configuration

from bonas.surrogates.transform import Floats, imputed
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial

MAX_PENDING = 100
"""Running trials, the newest, that a surrogate is conditioned on. With a thousand workers all of
them would dominate a proposal; the others are excluded by their keys alone."""


def pending(history: History) -> list[Trial]:
    """Return the newest running trials, at most `MAX_PENDING`."""
    return list(history.pending)[-MAX_PENDING:]


@dataclass(frozen=True)
class Observations:
    """Evaluations at one budget.

    Attributes:
        evaluations: in the order in which they ended, repeats of a network among them.
    """

    evaluations: Sequence[Evaluation]

    def __len__(self) -> int:
        return len(self.evaluations)

    @property
    def configurations(self) -> list[Configuration]:
        """One per evaluation."""
        return [evaluation.trial.configuration for evaluation in self.evaluations]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The trial numbers, one per evaluation."""
        return tuple(evaluation.trial.number for evaluation in self.evaluations)

    @property
    def costs(self) -> Floats:
        """One per evaluation; a failure has the worst cost seen."""
        return imputed([e.cost if e.succeeded else math.inf for e in self.evaluations])

    def networks(self) -> dict[str, list[int]]:
        """Return the indices of the evaluations of each network, by key, in order."""
        indices: dict[str, list[int]] = defaultdict(list)
        for index, evaluation in enumerate(self.evaluations):
            indices[evaluation.trial.key].append(index)
        return dict(indices)

    def best_first(self) -> list[Configuration]:
        """Return the configurations by ascending cost."""
        costs = self.costs
        order = sorted(range(len(self)), key=lambda index: costs[index])
        return [self.evaluations[index].trial.configuration for index in order]


def observations(history: History, enough: int) -> Observations:
    """Return the evaluations at the largest budget with enough of them, or at the fullest one.

    Falkner et al. 2018, "BOHB: robust and efficient hyperparameter optimization at scale".

    Args:
        history: of the search.
        enough: the number of evaluations that a budget needs.
    """
    full = [budget for budget in history.budgets if len(history.at(budget)) >= enough]
    if full:
        return Observations(history.at(full[-1]))
    fullest = max(history.budgets, key=lambda b: (len(history.at(b)), b), default=0.0)
    return Observations(history.at(fullest))


def best_at_highest(history: History) -> list[Configuration]:
    """Return all evaluated configurations by descending budget, then by ascending cost."""
    return [
        configuration
        for budget in reversed(history.budgets)
        for configuration in Observations(history.at(budget)).best_first()
    ]


def repeatable(history: History, observed: Observations, most: int) -> dict[str, Trial]:
    """Return the networks that another evaluation could tell more about, by key.

    Args:
        history: of the search.
        observed: the evaluations that the surrogate is fitted to.
        most: the maximal number of evaluations and running trials of one network.

    Returns:
        As `repeatable_at_budget`; empty with several budgets in use, since a schedule starts
        a repeat at the lowest.
    """
    if len({trial.budget for trial in history.trials}) > 1:
        return {}
    return repeatable_at_budget(history, observed, most)


def repeatable_at_budget(history: History, observed: Observations, most: int) -> dict[str, Trial]:
    """Return the networks as `repeatable` does, for repeats at the budget of the observations.

    Args:
        history: of the search.
        observed: the evaluations that the surrogate is fitted to.
        most: the maximal number of evaluations and running trials of one network.

    Returns:
        One trial of each network. Empty when there is no noise: the objective is deterministic,
        or all repeats so far returned the same cost.
    """
    networks = observed.networks()
    if history.deterministic or _noiseless(observed, networks.values()):
        return {}
    budgets = {evaluation.trial.budget for evaluation in observed.evaluations}
    trials = Counter(trial.key for trial in history.trials if trial.budget in budgets)
    return {
        key: observed.evaluations[indices[0]].trial
        for key, indices in networks.items()
        if trials[key] < most and all(observed.evaluations[i].succeeded for i in indices)
    }


def _noiseless(observed: Observations, networks: Iterable[Sequence[int]]) -> bool:
    """Return whether the repeats so far show that there is no noise."""
    repeats = [indices for indices in networks if len(indices) > 1]
    costs = [{observed.evaluations[i].cost for i in indices} for indices in repeats]
    # With replacement from few seeds a first pair may agree by chance, three hardly do.
    return len(costs) >= 3 and all(len(values) == 1 for values in costs)
