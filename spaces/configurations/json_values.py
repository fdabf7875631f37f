"""Values of hyperparameters as plain JSON, and whole configuration spaces made of them.

ConfigSpace accepts any object as a choice. A value that JSON can hold stays as it is; a tuple, for
which JSON has no type, is marked; any other object, such as a class or a function, is written as
its name, by which reading a configuration recognises the choice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.exceptions import IllegalValueError
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    FloatHyperparameter,
    Hyperparameter,
    OrdinalHyperparameter,
)
from ConfigSpace.hyperparameters.hp_components import ROUND_PLACES

TUPLE = "tuple"
"""The only key of the JSON object that stands for a tuple."""

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""The address in the text of an object, which differs from process to process."""


def exact(value: Any) -> Any:
    """Return `value` as JSON values that `restored` turns into an equal one.

    Raises:
        TypeError: JSON cannot hold it.
    """
    if isinstance(value, np.generic):
        item = value.item()
        if not isinstance(item, np.generic):  # a long double is its own item
            return exact(item)
    elif isinstance(value, bool | int | float | str | None):
        return value
    elif isinstance(value, tuple):
        return {TUPLE: [exact(entry) for entry in value]}
    elif isinstance(value, list):
        return [exact(entry) for entry in value]
    elif isinstance(value, dict) and set(value) != {TUPLE} and set(map(type, value)) <= {str}:
        return {key: exact(entry) for key, entry in value.items()}
    raise TypeError(f"JSON cannot hold a {type(value).__name__}")


def restored(written: Any) -> Any:
    """Return a copy of the value that `exact` wrote."""
    if isinstance(written, list):
        return [restored(entry) for entry in written]
    if not isinstance(written, dict):
        return written
    if set(written) == {TUPLE} and isinstance(written[TUPLE], list):
        return tuple(restored(entry) for entry in written[TUPLE])
    return {key: restored(entry) for key, entry in written.items()}


def written_value(hyperparameter: Hyperparameter[Any, Any], value: Any) -> Any:
    """Return the JSON value that stands for a legal value of a hyperparameter.

    Args:
        hyperparameter: of any kind.
        value: one of its values.

    Raises:
        ValueError: the value is none of the choices.
    """
    try:
        return exact(value)
    except TypeError:
        index = _index(choices(hyperparameter), value)
        if index is None:
            raise IllegalValueError(hyperparameter, value) from None
        return written_choices(hyperparameter)[index]


def vector_entry(hyperparameter: Hyperparameter[Any, Any], value: Any) -> float:
    """Return the number that stands for a value in a configuration's vector.

    Args:
        hyperparameter: of any kind.
        value: one of its values, or the JSON value that stands for it.

    Raises:
        ValueError: the value is illegal.
    """
    values = choices(hyperparameter)
    if not values:
        if not hyperparameter.legal_value(value):
            raise IllegalValueError(hyperparameter, value)
        if isinstance(hyperparameter, FloatHyperparameter):
            value = float(np.round(value, ROUND_PLACES))  # as ConfigSpace does
        return float(hyperparameter.to_vector(value))
    index = _index(values, restored(value))
    if index is None:
        index = _index(values, value)
    if index is None and isinstance(value, str):
        index = _index(written_choices(hyperparameter), value)
    if index is None:
        raise IllegalValueError(hyperparameter, value)
    return float(hyperparameter.to_vector(values[0])) if len(values) == 1 else float(index)


def choices(hyperparameter: Hyperparameter[Any, Any]) -> Sequence[Any]:
    """Return the listed values of `hyperparameter`; a number has none."""
    if isinstance(hyperparameter, CategoricalHyperparameter):
        return hyperparameter.choices
    if isinstance(hyperparameter, OrdinalHyperparameter):
        return hyperparameter.sequence
    return (hyperparameter.value,) if isinstance(hyperparameter, Constant) else ()


def written_choices(hyperparameter: Hyperparameter[Any, Any]) -> list[Any]:
    """Return the JSON value that stands for each choice; no two are equal."""
    result: list[Any] = []
    unnamed = []
    for index, choice in enumerate(choices(hyperparameter)):
        try:
            result.append(exact(choice))
        except TypeError:
            result.append(None)
            unnamed.append((index, _text(choice)))
    taken = {choice for choice in result if isinstance(choice, str)}
    for index, text in unnamed:
        name, count = text, 1
        while name in taken:
            count += 1
            name = f"{text} ({count})"
        taken.add(name)
        result[index] = name
    return result


def _index(values: Sequence[Any], value: Any) -> int | None:
    return next((i for i, choice in enumerate(values) if choice is value or choice == value), None)


def _text(value: Any) -> str:
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return ADDRESS.sub("", repr(value))


def space_record(space: ConfigurationSpace) -> dict[str, Any]:
    """Return a configuration space as plain JSON values, in ConfigSpace's own format."""
    record = space.to_serialized_dict()
    hyperparameters = zip(space.values(), record["hyperparameters"], strict=True)
    return {
        **record,
        "hyperparameters": [_hyperparameter(of, entry) for of, entry in hyperparameters],
        "conditions": [_clause(space, entry) for entry in record["conditions"]],
        "forbiddens": [_clause(space, entry) for entry in record["forbiddens"]],
    }


def read_space(record: Mapping[str, Any]) -> ConfigurationSpace:
    """Return the configuration space that `space_record` wrote.

    Choices that JSON cannot hold have become texts.

    Raises:
        ValueError, KeyError, TypeError: it is not such a record.
    """
    # A copy, because ConfigSpace takes the record apart.
    return ConfigurationSpace.from_serialized_dict(restored(dict(record)))


def _hyperparameter(
    hyperparameter: Hyperparameter[Any, Any], entry: Mapping[str, Any]
) -> dict[str, Any]:
    written = dict(entry)
    for name in ("choices", "sequence"):
        if name in written:
            written[name] = written_choices(hyperparameter)
    for name in ("default_value", "value"):
        if name in written:
            written[name] = written_value(hyperparameter, written[name])
    if written.get("weights") is not None:
        written["weights"] = exact(written["weights"])
    if written["meta"] is not None:
        written["meta"] = json.loads(json.dumps(_with_texts(written["meta"])))
    return written


def _with_texts(value: Any) -> Any:
    """Return a user's notes, which nothing depends on, as text where JSON cannot hold them."""
    if isinstance(value, Mapping):
        return {str(key): _with_texts(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_with_texts(entry) for entry in value]
    try:
        return exact(value)
    except TypeError:
        return _text(value)


def _clause(space: ConfigurationSpace, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a condition or a forbidden clause with JSON values."""
    written = dict(entry)
    for name in ("conditions", "clauses"):
        if name in written:
            written[name] = [_clause(space, part) for part in written[name]]
    for name in ("parent", "name"):
        if name in written and "value" in written:
            written["value"] = written_value(space[written[name]], written["value"])
        elif name in written and "values" in written:
            of = space[written[name]]
            written["values"] = [written_value(of, value) for value in written["values"]]
    return written
