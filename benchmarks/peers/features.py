"""Features of all cells of NAS-Bench-201 for the baselines, from the graph alone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from peers.peer import EDGES, OPERATIONS, Choice
from spaces.cell import CellSpace
from spaces.features import Encoder
from spaces.space import configuration

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Features:
    """One row for each of the 15,625 cells, in lexicographic order of their operations.

    Attributes:
        labels: for h = 0 and 1 the Weisfeiler-Lehman histograms up to depth h, at unit length.
        paths: the path encoding.
    """

    labels: tuple[Floats, Floats]
    paths: Floats


@cache
def features() -> Features:
    """Computed once a process, in seconds."""
    space = CellSpace.nasbench201()
    cells = [
        configuration(space.configuration_space, dict(zip(EDGES, chosen, strict=True)))
        for chosen in itertools.product(OPERATIONS, repeat=len(EDGES))
    ]
    encoding = Encoder(space, depth=1).encode(cells)
    shallow, deep = encoding.layout.depths
    both = encoding.rows[:, shallow.start : deep.stop]
    histograms = (encoding.rows[:, shallow], both)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in histograms]
    return Features((unit[0], unit[1]), encoding.rows[:, encoding.layout.paths])


def places(choices: list[Choice]) -> NDArray[np.int64]:
    """The rows of `choices`."""
    digits = np.array([[OPERATIONS.index(choice[edge]) for edge in EDGES] for choice in choices])
    powers = len(OPERATIONS) ** np.arange(len(EDGES))[::-1]
    return np.asarray(digits.reshape(len(choices), len(EDGES)) @ powers)
