"""Metrics and curves of objectives as plain JSON values, checked before they are recorded."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from fidelity.history.trial import Evaluation, Status


def checked(evaluation: Evaluation) -> Evaluation:
    """Return the evaluation with plain JSON values, as it will be read back from the journal.

    One with metrics or a curve that cannot be written becomes a crash, without these.
    """
    parts = {"metrics": plain_metrics, "curve": plain_curve}
    plain: dict[str, Any] = {}
    for name, converted in parts.items():
        try:
            plain[name] = converted(getattr(evaluation, name))
        # A foreign object may raise anything; a circular mapping ends in a RecursionError.
        except Exception as error:
            problem = (
                f"the {name} of the objective cannot be recorded ({type(error).__name__}: "
                f"{shown(error, str)}): give numbers, texts, and lists and mappings of these"
            )
            evaluation = replace(
                evaluation, status=Status.CRASHED, cost=math.inf, error=evaluation.error or problem
            )
            plain[name] = () if name == "curve" else {}
    return replace(
        evaluation,
        **plain,
        cost=float(evaluation.cost),
        seconds=float(evaluation.seconds),
        started=float(evaluation.started),
    )


def plain_metrics(metrics: Mapping[Any, Any]) -> dict[str, Any]:
    """Return metrics as plain JSON values.

    Scalars of numpy and torch become numbers, tuples become lists, and other values and keys become
    their texts.

    Raises:
        ValueError: two keys have the same text, or a number has too many digits.
        RecursionError: the metrics contain themselves.
    """
    return dict(json.loads(json.dumps(_mapping(metrics))))


def plain_curve(curve: Iterable[Any]) -> tuple[tuple[float, float], ...]:
    """Return a learning curve as pairs of floats.

    Raises:
        ValueError: an entry is not a pair of numbers.
    """
    pairs = []
    for entry in curve:
        try:
            step, cost = entry
            pairs.append((float(step), float(cost)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{shown(entry)} is not a pair of a step and a cost") from error
    return tuple(pairs)


def shown(value: object, as_text: Any = repr) -> str:
    """Return the text of a value for an error message; its type if that fails.

    Args:
        value: any object.
        as_text: makes the text, of which 200 characters are kept.
    """
    try:
        text = str(as_text(value))
    except Exception:  # of a foreign object, while an error message is made
        return f"a {type(value).__name__}"
    return text if len(text) <= 200 else f"{text[:200]}..."


def scalar(value: Any) -> Any:
    """Return a scalar of numpy or torch as a number, and any other value unchanged."""
    try:
        return value.item()
    except (AttributeError, ValueError, RuntimeError):  # the last two: it has several elements
        return value


def _mapping(metrics: Mapping[Any, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in metrics.items():
        name = key if isinstance(key, str) else str(key)
        if name in plain:
            raise ValueError(f"two keys have the text {name!r}")
        plain[name] = _plain(value)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if not isinstance(value, bool | int | float | str | None):
        value = scalar(value)
    return value if isinstance(value, bool | int | float | str | None) else str(value)
