"""What a surrogate learns from a history."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ConfigSpace import Configuration

from bonas.surrogates.transform import Floats, imputed
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial

PENDING = 100
"""So many of the trials that run, the newest, are told to a surrogate. With a thousand workers all
of them would take longer than a proposal may; the others are left out by their keys alone."""


def running(history: History) -> list[Trial]:
    """The newest of the trials that run, at most `PENDING`."""
    return list(history.pending)[-PENDING:]


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
        """One an evaluation."""
        return [evaluation.trial.configuration for evaluation in self.evaluations]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the trials, one an evaluation."""
        return tuple(evaluation.trial.number for evaluation in self.evaluations)

    @property
    def costs(self) -> Floats:
        """One an evaluation; a failure has the worst cost seen."""
        return imputed([e.cost if e.succeeded else math.inf for e in self.evaluations])

    def networks(self) -> dict[str, list[int]]:
        """The positions of the evaluations of each network, by key, in order."""
        positions: dict[str, list[int]] = defaultdict(list)
        for position, evaluation in enumerate(self.evaluations):
            positions[evaluation.trial.key].append(position)
        return dict(positions)

    def best_first(self) -> list[Configuration]:
        """The configurations by ascending cost."""
        costs = self.costs
        order = sorted(range(len(self)), key=lambda position: costs[position])
        return [self.evaluations[position].trial.configuration for position in order]


def observations(history: History, enough: int) -> Observations:
    """The evaluations at the largest budget that has `enough`, or else at the fullest one.

    Falkner et al. 2018, "BOHB: robust and efficient hyperparameter optimization at scale".
    """
    full = [budget for budget in history.budgets if len(history.at(budget)) >= enough]
    if full:
        return Observations(history.at(full[-1]))
    fullest = max(history.budgets, key=lambda b: (len(history.at(b)), b), default=0.0)
    return Observations(history.at(fullest))


def best_at_highest(history: History) -> list[Configuration]:
    """Every evaluated configuration: the highest budget first, and there the lowest cost first."""
    return [
        configuration
        for budget in reversed(history.budgets)
        for configuration in Observations(history.at(budget)).best_first()
    ]


def repeatable(history: History, observed: Observations, most: int) -> dict[str, Trial]:
    """The networks of which another evaluation could tell something, by key.

    Args:
        history: everything so far.
        observed: the evaluations that are learned from.
        most: networks with so many evaluations or running trials are left out.

    Returns:
        As `noisy`; empty when several budgets are in use, since a schedule starts a repeat at
        the lowest.
    """
    return {} if len({t.budget for t in history.trials}) > 1 else noisy(history, observed, most)


def noisy(history: History, observed: Observations, most: int) -> dict[str, Trial]:
    """As `repeatable`, for who starts repeats at the budget of what was observed.

    Returns:
        One trial of each network. Empty when the repeats so far all repeated the cost: there is
        no noise.
    """
    budgets = {evaluation.trial.budget for evaluation in observed.evaluations}
    networks = observed.networks()
    repeats = [positions for positions in networks.values() if len(positions) > 1]
    costs = [{observed.evaluations[p].cost for p in positions} for positions in repeats]
    # With replacement from few seeds a first pair may agree by chance, three hardly do.
    if len(costs) >= 3 and all(len(values) == 1 for values in costs):
        return {}
    asked: dict[str, int] = defaultdict(int)
    for trial in history.trials:
        asked[trial.key] += trial.budget in budgets
    return {
        key: observed.evaluations[positions[0]].trial
        for key, positions in networks.items()
        if asked[key] < most and all(observed.evaluations[p].succeeded for p in positions)
    }
