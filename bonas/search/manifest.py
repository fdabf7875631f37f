"""The manifest, the first line of a journal: what the search is, so that it resumes as the same."""

from __future__ import annotations

import json
import platform
import warnings
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import asdict, fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from bonas.search.digests.code import PYTHON
from bonas.search.digests.digest import digest, digest_differences
from bonas.strategies.strategy import Strategy
from fidelity.history.goal import Goal
from fidelity.history.journal import FORMAT, JournalError
from fidelity.objective import Objective
from fidelity.schedules.schedule import Schedule
from spaces.configurations.json_values import space_record
from spaces.space import Space

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

DIGESTED = ("space", "objective", "schedule")
"""The parts of a search whose values that JSON cannot hold are compared by digests."""

DIGESTS = 1
"""The version of the digests; only those of the same version are compared."""


def manifest(
    space: Space,
    objective: Objective,
    goal: Goal,
    strategy: Strategy,
    schedule: Schedule,
    seed: int,
) -> dict[str, Any]:
    """Return the manifest of a search as plain JSON values.

    Args:
        space: the search space.
        objective: is minimised.
        goal: objectives and constraints.
        strategy: proposes configurations.
        schedule: chooses budgets.
        seed: of the search.
    """
    written = {
        "kind": "history",
        "format": FORMAT,
        "seed": seed,
        "space": _description(space),
        "configuration_space": space_record(space.configuration_space),
        "objective": _description(objective),
        "target": goal.record(),
        "measure": asdict(goal.measure),
        "schedule": _description(schedule),
        "strategy": _description(strategy),
        "digests": {
            "version": DIGESTS,
            "python": PYTHON,
            **{
                name: digest(part).record()
                for name, part in zip(DIGESTED, (space, objective, schedule), strict=True)
            },
        },
        "versions": _versions(),
    }
    return dict(json.loads(json.dumps(written, default=_plain)))


def check_manifest(
    recorded: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    current: Mapping[str, Any],
    directory: Path,
) -> bool:
    """Return whether a search can resume from a directory.

    Space, objective, goal, schedule and seed must be equal. Another strategy may resume: it learns
    from the same history.

    Args:
        recorded: the manifest in the directory.
        records: of its journal.
        current: the manifest of this search.
        directory: of the journal.

    Returns:
        False if the manifests differ and nothing was evaluated, so that the directory can be used
        for this search.

    Raises:
        JournalError: there are evaluations of another search; names each difference.
    """
    differences = dict(_different(recorded, current))
    # A space is a part of most objectives: what is named there is not named again.
    named = [
        f"{path} {text}"
        for path, text in differences.items()
        if not any(path.endswith(f".{shorter}") for shorter in differences)
    ]
    if named and any(record["kind"] == "evaluation" for record in records):
        raise JournalError(
            f"{directory} holds the history of another search; it is left as it is. "
            f"Choose another directory, or make these equal: {'; '.join(named)}"
        )
    return not named


def _different(
    recorded: Mapping[str, Any], current: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield the path of each difference and its description."""
    recorded = {"target": Goal().record()} | dict(recorded)  # early journals lack it
    first = "digests" not in recorded
    plain: list[tuple[str, str]] = []
    for name in ("seed", "space", "objective", "target", "schedule"):
        plain += _differences(name, recorded.get(name), current[name], known_only=first)
    if not any(path.startswith("space.") for path, _ in plain):  # which explain the choices
        path = "configuration_space"
        plain += _differences(path, recorded.get(path), current[path], known_only=False)
    yield from plain
    named = [path.removesuffix(".class").removesuffix(".len") for path, _ in plain]
    for path, text in _digest_differences(recorded, current):
        if not any(path == other or path.startswith(f"{other}.") for other in named):
            yield path, text


def _digest_differences(
    recorded: Mapping[str, Any], current: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    before, now = recorded.get("digests", {}), current["digests"]
    if before.get("version") != now["version"]:
        return
    code = before["python"] == now["python"]
    if not code and before["objective"] != now["objective"]:
        warnings.warn(
            f"this history was begun with {before['python']}, and this is {now['python']}: code is "
            "not the same across versions of Python, so whether that of the objective has changed "
            "was not checked",
            stacklevel=2,
        )
    for name in DIGESTED:
        yield from digest_differences(name, before[name], now[name], code=code)


def _differences(
    path: str, found: Any, current: Any, *, known_only: bool
) -> Iterator[tuple[str, str]]:
    if isinstance(found, dict) and isinstance(current, dict):
        for key in sorted({*found} & {*current} if known_only else {*found, *current}):
            below = f"{path}.{key}"
            yield from _differences(below, found.get(key), current.get(key), known_only=known_only)
    elif path == "configuration_space.hyperparameters":
        yield from _differences(
            path,
            {entry["name"]: entry for entry in found},
            {entry["name"]: entry for entry in current},
            known_only=known_only,
        )
    elif found != current and json.dumps(found) != json.dumps(current):  # NaN is not NaN
        yield path, f"was {_short(found)} and is now {_short(current)}"


def _short(value: Any) -> str:
    text = "absent" if value is None else json.dumps(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _plain(value: Any) -> Any:
    """Return a number of numpy as one of Python, a path as text, and else the name of the type."""
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, PurePath) else type(value).__name__


def _description(thing: object, outer: tuple[object, ...] = ()) -> dict[str, Any]:
    """Return the class, the length, and the settings that JSON can hold, nested ones too."""
    described: dict[str, Any] = {"class": type(thing).__name__}
    outer = (*outer, thing)
    if _is_instance(thing):
        for field in fields(thing):
            value = getattr(thing, field.name)
            if field.name == "device" or not field.compare:
                continue  # a search may resume elsewhere
            if isinstance(value, bool | int | float | str | type(None)):
                described[field.name] = value
            elif isinstance(value, np.bool_ | np.number | PurePath):
                described[field.name] = _plain(value)
            elif _is_instance(value) and not any(value is other for other in outer):
                described[field.name] = _description(value, outer)
            elif isinstance(value, Mapping) and all(map(_is_instance, value)):
                described[field.name] = [[_description(key, outer), value[key]] for key in value]
    if isinstance(thing, Sized) and not isinstance(thing, str):
        described["len"] = len(thing)
    return described


def _is_instance(value: object) -> TypeGuard[DataclassInstance]:
    return is_dataclass(value) and not isinstance(value, type)


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("bonas", "torch", "ConfigSpace", "botorch"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # run from a checkout without installing
            versions[package] = "unknown"
    return versions
