"""Searches for a front, for tests of strategies."""

from __future__ import annotations

import numpy as np
from ConfigSpace import Configuration

from bonas.strategies.strategy import Again, Strategy, started
from fidelity.history.goal import Goal
from fidelity.history.history import History
from fidelity.history.pareto import hypervolume
from fidelity.history.ranking import ranked
from fidelity.history.trial import Evaluation, Trial
from spaces.cells.cell import CellSpace
from spaces.keys import trial_key
from spaces.operations.operations import relu_conv_bn, zero

LARGE = CellSpace(
    operations={"none": zero, "nor_conv_1x1": relu_conv_bn(1), "nor_conv_3x3": relu_conv_bn(3)},
    nodes=4,
    channels=4,
)
"""729 cells."""
TWO = Goal(("cost", "size"))


def size(configuration: Configuration) -> float:
    """What convolutions cost: good networks are large."""
    values = list(dict(configuration).values())
    return 1.0 + 9 * values.count("nor_conv_3x3") + 2 * values.count("nor_conv_1x1")


def error(configuration: Configuration) -> float:
    """Falls with the size, but not only with it."""
    values = list(dict(configuration).values())
    gain = {"nor_conv_3x3": 0.2, "nor_conv_1x1": 0.1, "none": -0.1}
    return 2.0 - sum(gain.get(str(value), 0.0) for value in values)


def search(strategy: Strategy, evaluations: int, seed: int = 0, goal: Goal = TWO) -> History:
    """Without a schedule."""
    strategy = started(strategy, LARGE)
    history = History(LARGE.configuration_space, goal=goal)
    for number in range(evaluations):
        rng = np.random.default_rng([seed, number])
        proposal = strategy.propose(LARGE, ranked(history), rng)
        assert not isinstance(proposal, Again)
        trial = Trial(number, proposal, trial_key(LARGE, proposal), 1.0)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, error(proposal), {"size": size(proposal)}))
    return history


def volume(history: History) -> float:
    """What the front dominates."""
    return hypervolume(np.array([TWO.costs(e) for e in history.pareto_front]), [2.5, 60.0])


__all__ = ["LARGE", "TWO", "error", "search", "size", "volume"]
