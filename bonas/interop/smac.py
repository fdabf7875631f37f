"""Conversion between histories and run histories of SMAC3 (Lindauer et al. 2022)."""

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
"""Configuration, budget and seed, for which SMAC stores one evaluation."""


def to_runhistory(history: History) -> RunHistory:
    """Return a run history of SMAC3, to warm-start from, analyse or save.

    SMAC stores configurations, costs, budgets, seeds, seconds and its own four statuses; diverged,
    invalid and lost trials are 'crashed' there. Everything else, and each repetition of what SMAC
    stores once, is in `additional_info`, from which `from_runhistory` rebuilds the same history.
    """
    from smac.constants import MAXINT
    from smac.runhistory import RunHistory, StatusType

    runhistory = RunHistory()
    groups: dict[Key, list[tuple[Trial, Evaluation | None, Record]]] = {}
    for trial, record in zip(history.trials, records(history), strict=True):
        key = (trial.configuration.get_array().tobytes(), trial.budget, trial.seed)
        groups.setdefault(key, []).append((trial, history.evaluation(trial.number), record))
    for group in groups.values():
        trial, ended, _ = min(
            group, key=lambda member: member[1] is None
        )  # the first that has ended
        runhistory.add(
            # A copy, because SMAC writes into the configurations that it receives.
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
    return runhistory


def _status(status: Status) -> StatusType:
    from smac.runhistory import StatusType

    statuses = {
        Status.SUCCESS: StatusType.SUCCESS,
        Status.TIMEOUT: StatusType.TIMEOUT,
        Status.MEMORY: StatusType.MEMORYOUT,
    }
    return statuses.get(status, StatusType.CRASHED)


def from_runhistory(runhistory: RunHistory, space: Space) -> History:
    """Return the history of a run history that SMAC3 or `to_runhistory` wrote.

    SMAC's trials keep their order; each counts as trained from scratch. The default budget is 1
    and the default seed 0, as in a search with one fidelity.

    Args:
        runhistory: of SMAC3, whose own `load` reads a saved one.
        space: of the configurations.

    Raises:
        SpaceError: a configuration does not belong to this space.
        ValueError: it has instances, or several objectives.
    """
    stored = [r for value in runhistory.values() for r in value.additional_info.get(NAME, ())]
    if stored:
        return rebuilt(space, stored)
    from smac.runhistory import StatusType

    statuses = {
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
                "a history has one cost per trial, so leave the others out"
            )
        status = statuses.get(value.status)
        succeeded = status is Status.SUCCESS and math.isfinite(value.cost)
        ended = {
            "status": Status.DIVERGED if status is Status.SUCCESS and not succeeded else status,
            "cost": float(value.cost) if succeeded else math.inf,
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
