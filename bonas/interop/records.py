"""What others have no place for, as plain JSON values beside what they do have a place for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ConfigSpace import Configuration

from fidelity.history.history import History
from fidelity.history.records import evaluation_record, read_evaluation, trial_record
from fidelity.history.trial import Status, Trial
from spaces.keys import trial_key
from spaces.space import Space, configuration

NAME = "bonas"
"""Under which they stand there."""

Record = dict[str, Any]


def records(history: History) -> list[Record]:
    """One a trial, by number: the trial, what came of it if it has ended, and as the how-manieth.

    Its members are those of the lines that a search writes to its directory.
    """
    order = {e.trial.number: place for place, e in enumerate(history.evaluations)}
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


def rebuilt(space: Space, found: Iterable[Record]) -> History:
    """The history that `records` wrote, to the last number.

    Raises:
        SpaceError: a configuration is none of this space.
        ValueError: some of the records are missing.
    """
    by_number = sorted(found, key=lambda record: record["trial"]["number"])
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
    chosen: Configuration | Mapping[str, Any],
    *,
    budget: float,
    seed: int,
    ended: Mapping[str, Any] | None,
) -> None:
    """Appends a trial that another tool has evaluated, from the beginning.

    Args:
        history: to append to.
        space: names the network.
        chosen: the values of the configuration.
        budget: of the trial.
        seed: of the trial.
        ended: 'status', and where they are known 'cost', 'seconds', 'started', 'curve',
            'metrics' and 'error' of the evaluation; None while it is running.
    """
    point = configuration(space.configuration_space, dict(chosen))
    key = trial_key(space, point)
    history.add_trial(Trial(len(history.trials), point, key, budget, seed))
    if ended is not None:
        record = {"cost": None, "curve": (), "status": Status.SUCCESS, **ended}
        history.add_evaluation(read_evaluation(record, history.trials[-1]))
