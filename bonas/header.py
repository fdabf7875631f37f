"""The first line of a history: what the search was, so that a resumed one is the same."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sized
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bonas.strategies.strategy import Strategy
from fidelity.journal import FORMAT, JournalError
from fidelity.objective import Objective
from fidelity.schedules.schedule import Schedule
from fidelity.target import Target
from spaces.plain import space_record
from spaces.space import Space


def header(
    space: Space,
    objective: Objective,
    target: Target,
    strategy: Strategy,
    schedule: Schedule,
    seed: int,
) -> dict[str, Any]:
    """The header as plain JSON values."""
    written = {
        "kind": "history",
        "format": FORMAT,
        "seed": seed,
        "space": _description(space),
        "configuration_space": space_record(space.configuration_space),
        "objective": _description(objective),
        "target": target.record(),
        "schedule": _description(schedule),
        "strategy": _description(strategy),
        "versions": _versions(),
    }
    return dict(json.loads(json.dumps(written)))


def check_header(found: dict[str, Any], mine: dict[str, Any], directory: Path) -> None:
    """Refuses to continue a history with another space, objective, schedule or seed.

    Another strategy may go on from where one stopped: it learns from the same history.

    Raises:
        JournalError: naming each difference.
    """
    differences = []
    found = {"target": Target().record()} | found  # histories of version 0.1 do not say it
    for name in ("space", "configuration_space", "objective", "target", "schedule", "seed"):
        differences += _differences(name, found.get(name), mine[name])
    if differences:
        raise JournalError(
            f"{directory} holds the history of another search; it is left as it is. "
            f"Choose another directory, or make these equal: {'; '.join(differences)}"
        )


def _differences(name: str, found: Any, mine: Any) -> list[str]:
    if found == mine:
        return []
    if isinstance(found, dict) and isinstance(mine, dict):
        keys = sorted({*found, *mine})
        return [d for key in keys for d in _differences(key, found.get(key), mine.get(key))]
    if name == "hyperparameters":
        return _differences(
            "hyperparameter",
            {entry["name"]: entry for entry in found},
            {entry["name"]: entry for entry in mine},
        )
    return [f"{name} was {_short(found)} and is now {_short(mine)}"]


def _short(value: Any) -> str:
    text = "absent" if value is None else json.dumps(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _description(thing: object) -> dict[str, Any]:
    """The class, its length, and those of its settings that JSON can say, nested ones too."""
    described: dict[str, Any] = {"class": type(thing).__name__}
    if is_dataclass(thing):
        for field in fields(thing):
            value = getattr(thing, field.name)
            if field.name == "device":
                continue  # a search may go on elsewhere
            if isinstance(value, bool | int | float | str | type(None)):
                described[field.name] = value
            elif is_dataclass(value):
                described[field.name] = _description(value)
            elif isinstance(value, Mapping) and all(map(is_dataclass, value)):
                described[field.name] = [[_description(key), value[key]] for key in value]
    if isinstance(thing, Sized) and not isinstance(thing, str):
        described["len"] = len(thing)
    return described


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("bonas", "torch", "ConfigSpace", "botorch"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # run from a checkout without installing
            versions[package] = "unknown"
    return versions
