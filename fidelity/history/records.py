"""Records of a journal: trials, refusals, scores and evaluations as plain JSON values.

Only this file spells out the names on disk, so that a renamed attribute does not change the format.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from ConfigSpace import Configuration, ConfigurationSpace

from fidelity.history.journal import NOTE
from fidelity.history.metrics import checked
from fidelity.history.scores import Scored
from fidelity.history.trial import Evaluation, Status, Trial
from spaces.configurations.json_values import exact
from spaces.space import configuration, record

TRIAL = ("kind", "number", "configuration", "key", "budget", "seed", "parent", "bracket", "asked")
"""The members of a trial; `asked` is the time of the request, for readers of the file."""

EVALUATION = (
    *("kind", "trial", "cost", "metrics", "curve", "seconds", "started", "status", "reused"),
    *("error", "anew", "unsaved"),
)
"""The members of an evaluation."""

SCORED = ("kind", "configuration", "key", "scores", "seconds", "started")
"""The members of a network with zero-cost scores."""


def trial_record(trial: Trial) -> dict[str, Any]:
    """Return a trial as plain JSON values."""
    return {
        "kind": "trial",
        "number": exact(trial.number),
        "configuration": record(trial.configuration),
        "key": trial.key,
        "budget": exact(trial.budget),
        "seed": exact(trial.seed),
        "parent": exact(trial.parent),
        "bracket": exact(trial.bracket),
    }


def read_trial(record: Mapping[str, Any], space: ConfigurationSpace) -> Trial:
    """Return the trial that `trial_record` wrote.

    Args:
        record: with the members of a trial.
        space: of its configuration.

    Raises:
        KeyError: a member is missing.
        ValueError: a member is unknown.
        SpaceError: the configuration does not belong to the space.
    """
    _verify_members(record, TRIAL)
    return Trial(
        number=record["number"],
        configuration=configuration(space, record["configuration"]),
        key=record["key"],
        budget=record["budget"],
        seed=record["seed"],
        parent=record["parent"],
        bracket=record["bracket"],
    )


def refused_record(key: str) -> dict[str, Any]:
    """Return a refused network as plain JSON values."""
    return {"kind": "refused", "key": key}


def scored_record(scored: Scored) -> dict[str, Any]:
    """Return the zero-cost scores of a network as plain JSON values."""
    return {
        "kind": "scored",
        "configuration": record(scored.configuration),
        "key": scored.key,
        "scores": {n: None if math.isnan(s) else exact(s) for n, s in scored.scores.items()},
        "seconds": scored.seconds,
        "started": scored.started,
    }


def read_scored(record: Mapping[str, Any], space: ConfigurationSpace) -> Scored:
    """Return the scores that `scored_record` wrote.

    Args:
        record: with the members of a scored network.
        space: of its configuration.

    Raises:
        KeyError: a member is missing.
        ValueError: a member is unknown.
        SpaceError: the configuration does not belong to the space.
    """
    _verify_members(record, SCORED)
    return Scored(
        configuration(space, record["configuration"]),
        record["key"],
        {n: math.nan if score is None else float(score) for n, score in record["scores"].items()},
        seconds=record["seconds"],
        started=record["started"],
    )


def recommendation_record(trial: int) -> dict[str, Any]:
    """Return a note that names the trial which the strategy recommends at the end of a run."""
    return {"kind": NOTE, "recommended": exact(trial)}


def recommended_trial(records: Iterable[Mapping[str, Any]]) -> int | None:
    """Return the number of the recommended trial; None if evaluations followed the last note."""
    recommended = None
    for entry in records:
        if entry["kind"] == "evaluation":
            recommended = None
        elif entry["kind"] == NOTE and isinstance(entry.get("recommended"), int):
            recommended = entry["recommended"]
    return recommended


def enqueued_record(configuration: Configuration) -> dict[str, Any]:
    """Return a note that a configuration is to be evaluated before any proposal."""
    return {"kind": NOTE, "enqueued": record(configuration)}


def enqueued_configurations(
    records: Iterable[Mapping[str, Any]], space: ConfigurationSpace
) -> list[Configuration]:
    """Return the configurations that are still waiting, in order.

    Args:
        records: of a journal.
        space: of the configurations.
    """
    waiting: deque[Mapping[str, Any]] = deque()
    for entry in records:
        if entry["kind"] == NOTE and "enqueued" in entry:
            waiting.append(entry["enqueued"])
        elif waiting and entry["kind"] == "trial" and entry["configuration"] == waiting[0]:
            waiting.popleft()
    return [configuration(space, values) for values in waiting]


def evaluation_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as plain JSON values; see `fidelity.history.metrics.checked`."""
    plain = checked(evaluation)
    return {
        "kind": "evaluation",
        "trial": plain.trial.number,
        "cost": plain.cost if plain.succeeded else None,
        "metrics": plain.metrics,
        "curve": plain.curve,
        "seconds": plain.seconds,
        "started": plain.started,
        "status": plain.status,
        "reused": plain.reused,
        "error": plain.error,
        "anew": plain.retrained,
        "unsaved": plain.unsaved,
    }


def read_evaluation(record: Mapping[str, Any], trial: Trial) -> Evaluation:
    """Return the evaluation that `evaluation_record` wrote.

    Args:
        record: with the members of an evaluation.
        trial: the evaluated one.

    Raises:
        KeyError: a member of version 0.1 is missing.
        ValueError: a member is unknown.
    """
    _verify_members(record, EVALUATION)
    return Evaluation(
        trial,
        cost=float("inf") if record["cost"] is None else record["cost"],
        metrics=record["metrics"],
        curve=tuple((step, cost) for step, cost in record["curve"]),
        seconds=record["seconds"],
        started=record["started"],
        status=Status(record["status"]),
        reused=record["reused"],
        error=record["error"],
        retrained=record["anew"],
        unsaved=record.get("unsaved"),
    )


def _verify_members(record: Mapping[str, Any], known: tuple[str, ...]) -> None:
    if unknown := record.keys() - set(known):
        raise ValueError(f"it has unknown members: {', '.join(sorted(map(repr, unknown)))}")
