"""Architectures and spaces as JSON, with the number of the format.

A space is written with its settings and its configuration space, which is enough to read all its
configurations. Functions are not written: a space with operations is made again by its own code,
and `check_space` verifies that it is the one that was written.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace

from spaces.architecture.architecture import Architecture, ArchitectureError, Node
from spaces.configurations.json_values import read_space, space_record
from spaces.space import Space, SpaceError

FORMAT = 1
"""The number of the format; it rises when old readers would misunderstand the text."""


def architecture_to_json(architecture: Architecture) -> str:
    """Return the graph as it stands, nested architectures included."""
    return json.dumps(
        {"kind": "architecture", "format": FORMAT, "nodes": _nodes(architecture)},
        separators=(",", ":"),
    )


def architecture_from_json(text: str) -> Architecture:
    """Return the architecture that `architecture_to_json` wrote.

    Raises:
        ArchitectureError: the text is truncated, of another format, or no architecture.
    """
    try:
        written = _parse(text, "architecture")
    except SpaceError as error:
        raise ArchitectureError(str(error)) from error
    return _architecture(written.get("nodes"))


def _nodes(architecture: Architecture) -> list[list[Any]]:
    return [
        [node.operation if isinstance(node.operation, str) else _nodes(node.operation), node.inputs]
        for node in architecture.nodes
    ]


def _architecture(nodes: Any) -> Architecture:
    read = []
    if not isinstance(nodes, list):
        raise ArchitectureError(f"the nodes of an architecture are a list, not {nodes!r:.60}")
    for node in nodes:
        match node:
            case [str() | list() as operation, list() as inputs] if all(
                type(source) is int for source in inputs
            ):
                nested = operation if isinstance(operation, str) else _architecture(operation)
                read.append(Node(nested, tuple(inputs)))
            case _:
                raise ArchitectureError(
                    f"a node is an operation and the positions it reads, not {node!r:.60}"
                )
    return Architecture(tuple(read))


def space_to_json(space: Space) -> str:
    """Return the class of a space, its plain settings and its configuration space."""
    return json.dumps({"kind": "space", "format": FORMAT, **_description(space)})


def configuration_space_from_json(text: str) -> ConfigurationSpace:
    """Return the configuration space of a space that `space_to_json` wrote.

    Raises:
        SpaceError: the text is truncated, of another format, or no space.
    """
    written = _parse(text, "space")
    try:
        return read_space(written["configuration_space"])
    except (KeyError, TypeError, ValueError) as error:
        raise SpaceError(f"this is the JSON of no configuration space: {error!r}") from error


def check_space(text: str, space: Space) -> None:
    """Verify that a space is the one that `space_to_json` wrote.

    Args:
        text: the JSON.
        space: the space to compare.

    Raises:
        SpaceError: it is another one; or the text is truncated, of another format, or no space.
    """
    written = _parse(text, "space")
    actual = json.loads(space_to_json(space))
    if names := sorted(k for k in {*written, *actual} if written.get(k) != actual.get(k)):
        raise SpaceError(f"this space differs from the one that was written: {', '.join(names)}")


def _description(space: Space) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if is_dataclass(space):
        for field in fields(space):
            value = getattr(space, field.name)
            if isinstance(value, np.generic):
                value = value.item()
            if isinstance(value, bool | int | float | str | type(None)):
                settings[field.name] = value
            elif isinstance(getattr(value, "configuration_space", None), ConfigurationSpace):
                settings[field.name] = _description(value)
    return {
        "class": type(space).__name__,
        "settings": settings,
        "configuration_space": space_record(space.configuration_space),
    }


def _parse(text: str, kind: str) -> dict[str, Any]:
    try:
        written = json.loads(text)
    except json.JSONDecodeError as error:
        raise SpaceError(
            f"the JSON of this {kind} ends or breaks at character {error.pos} of {len(text)}: "
            "it is truncated or damaged"
        ) from error
    if not isinstance(written, dict) or written.get("kind") != kind:
        raise SpaceError(f"this is the JSON of no {kind}: it has no 'kind': '{kind}'")
    if written.get("format") != FORMAT:
        raise SpaceError(
            f"this {kind} is written in format {written.get('format')}, and this version of bonas "
            f"reads format {FORMAT}: write it again, or use the version that wrote it"
        )
    return written
