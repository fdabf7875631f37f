"""Histories as run histories of SMAC3 (Lindauer et al. 2022), and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration

from bonas.interop.records import NAME, Record, append, rebuilt, records
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from spaces.space import Space

if TYPE_CHECKING:
    from smac.runhistory import RunHistory, StatusType

Key = tuple[bytes, float, int]
"""Configuration, budget and seed, of which SMAC keeps one evaluation."""


def to_runhistory(history: History) -> RunHistory:
    """A run history of SMAC3, to be warm-started from, analysed or saved.

    SMAC keeps configurations, costs, budgets, seeds, seconds and its own four statuses; what
    diverged, was invalid or lost is 'crashed' there. All else (and each repetition of what SMAC
    keeps once) stands in `additional_info`, so that `from_runhistory` gives back the same history.
    """
    from smac.constants import MAXINT
    from smac.runhistory import RunHistory, StatusType

    written = RunHistory()
    groups: dict[Key, list[tuple[Trial, Evaluation | None, Record]]] = {}
    for trial, record in zip(history.trials, records(history), strict=True):
        key = (trial.configuration.get_array().tobytes(), trial.budget, trial.seed)
        groups.setdefault(key, []).append((trial, history.evaluation(trial.number), record))
    for group in groups.values():
        trial, ended, _ = min(group, key=lambda one: one[1] is None)  # the first that has ended
        written.add(
            # A copy: SMAC writes into the configurations that it is given.
            Configuration(history.space, vector=np.array(trial.configuration.get_array())),
            cost=MAXINT if ended is None else ended.cost,
            time=0.0 if ended is None else ended.seconds,
            status=StatusType.RUNNING if ended is None else _status(ended.status),
            seed=trial.seed,
            budget=trial.budget,
            starttime=0.0 if ended is None else ended.started,
            endtime=0.0 if ended is None else ended.started + ended.seconds,
            additional_info={NAME: [record for _, _, record in group]},
        )
    return written


def _status(status: Status) -> StatusType:
    from smac.runhistory import StatusType

    same = {
        Status.SUCCESS: StatusType.SUCCESS,
        Status.TIMEOUT: StatusType.TIMEOUT,
        Status.MEMORY: StatusType.MEMORYOUT,
    }
    return same.get(status, StatusType.CRASHED)


def from_runhistory(runhistory: RunHistory, space: Space) -> History:
    """The history that SMAC3 or `to_runhistory` wrote.

    Trials of SMAC are numbered in its order; each is a training from the beginning. Without
    a budget it is 1, without a seed 0, as in a search of one fidelity.

    Args:
        runhistory: of SMAC3; a saved one is read by SMAC's own `load`.
        space: whose configurations it holds.

    Raises:
        SpaceError: a configuration is none of this space.
        ValueError: it has instances, or several objectives.
    """
    found = [record for value in runhistory.values() for record in _own(value.additional_info)]
    if found:
        return rebuilt(space, found)
    from smac.runhistory import StatusType

    back = {
        StatusType.SUCCESS: Status.SUCCESS,
        StatusType.CRASHED: Status.CRASHED,
        StatusType.TIMEOUT: Status.TIMEOUT,
        StatusType.MEMORYOUT: Status.MEMORY,
    }
    history = History(space.configuration_space)
    for key, value in runhistory.items():
        if key.instance is not None or not isinstance(value.cost, float | int | np.number):
            raise ValueError(
                f"the trial of configuration {key.config_id} has an instance or several costs: "
                "a history has one cost a trial, so leave the others out"
            )
        status = back.get(value.status)
        good = status is Status.SUCCESS and math.isfinite(value.cost)
        ended = {
            "status": Status.DIVERGED if status is Status.SUCCESS and not good else status,
            "cost": float(value.cost) if good else None,
            "seconds": value.time,
            "started": value.starttime,
            "metrics": dict(value.additional_info),
        }
        append(
            history,
            space,
            dict(runhistory.get_config(key.config_id)),
            budget=1.0 if key.budget is None else key.budget,
            seed=0 if key.seed is None else key.seed,
            ended=None if status is None else ended,
        )
    return history


def _own(information: dict[str, list[Record]]) -> list[Record]:
    return information.get(NAME, [])
