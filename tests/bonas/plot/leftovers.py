"""Histories that are hard to draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from bonas.analysis import Predictions
from fidelity.history.goal import Goal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status
from fidelity.schedules.schedule import Promote, Start
from tests.bonas.spaces import cells
from tests.fidelity.histories import start

NAMES = ["plain", "_hidden", "", "$5 or $6", "a_b"]


def evaluated(*costs: float | None, objectives: tuple[str, ...] = ("cost", "size")) -> History:
    """New trials at budget 1, each promoted to 27 with a curve; None is a crash."""
    made = History(cells().configuration_space, goal=Goal(objectives))
    for place, value in enumerate(costs):
        trial = start(made, Start(1.0))
        for budget in (1.0, 27.0):
            outcome: dict[str, Any] = (
                {"status": Status.CRASHED, "error": "it broke"}
                if value is None
                else {"cost": value, "metrics": {"size": -float(place)}, "curve": ((0, value),)}
            )
            made.add_evaluation(Evaluation(trial, seconds=place * 0.5, **outcome))
            if value is None:
                break
            if budget == 1.0:
                trial = start(made, Promote(trial, 27.0))
    return made


HISTORIES = {
    "negative": evaluated(-3.0, -4.0, -4.5, -7.0),
    "zero": evaluated(0.0, 0.0, 0.0),
    "down to zero": evaluated(3.0, 0.2, 0.0),
    "both signs": evaluated(1e3, 1.0, 0.0, -1e-3, -1e3),
    "huge": evaluated(1e300, 0.2, -0.1),
    "one": evaluated(0.5),
    "failures": evaluated(None, None, None),
    "empty": evaluated(),
}


def predictions(history: History) -> Predictions:
    costs = np.array([e.cost for e in history.evaluations if e.succeeded])
    return Predictions(costs * 0.9, np.ones(len(costs)), costs)
