"""Lossless records of trials, stored in other tools as plain JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ConfigSpace import Configuration

from fidelity.history.history import History
from fidelity.history.records import evaluation_record, trial_record
from fidelity.history.trial import Evaluation, Trial
from spaces.keys import trial_key
from spaces.space import Space, configuration

NAME = "bonas"
"""The name of the record in the other tool."""

Record = dict[str, Any]


def records(history: History) -> list[Record]:
    """Return a record per trial: the trial, its evaluation, and the position of that evaluation.

    Trials and evaluations have the members of the journal's lines.
    """
    order = {e.trial.number: index for index, e in enumerate(history.evaluations)}
    return [
        {
            "resumes": history.resumes,
            "trial": trial_record(trial),
            "evaluation": evaluation_record(ended) if ended else None,
            "order": order.get(trial.number),
        }
        for trial in history.trials
        for ended in (history.evaluation(trial.number),)
    ]


def rebuilt(space: Space, stored: Iterable[Record]) -> History:
    """Return exactly the history that `records` wrote.

    Args:
        space: of the configurations.
        stored: the records in any order.

    Raises:
        SpaceError: a configuration does not belong to this space.
        ValueError: some of the records are missing.
    """
    by_number = sorted(stored, key=lambda record: record["trial"]["number"])
    resumes = all(record["resumes"] for record in by_number)
    history = History(space.configuration_space, resumes=resumes)
    for record in by_number:
        history.append(record["trial"])
    ended = [record for record in by_number if record["evaluation"] is not None]
    for record in sorted(ended, key=lambda record: record["order"]):
        history.append(record["evaluation"])
    return history


def append(
    history: History,
    space: Space,
    values: Configuration | Mapping[str, Any],
    *,
    budget: float,
    seed: int,
    ended: Mapping[str, Any] | None,
) -> None:
    """Append a trial that another tool has evaluated from scratch.

    Args:
        history: to append to.
        space: names the network.
        values: of the configuration.
        budget: of the trial.
        seed: of the trial.
        ended: the known attributes of the `Evaluation`; None while the trial is running.
    """
    point = configuration(space.configuration_space, dict(values))
    key = trial_key(space, point)
    trial = Trial(len(history.trials), point, key, budget, seed)
    history.add_trial(trial)
    if ended is not None:
        history.add_evaluation(Evaluation(trial, **ended))
