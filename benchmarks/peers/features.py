"""Features of all networks of a space for the baselines, from the graph alone."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from peers.peer import Choice, FlatSpace
from spaces.encoding import Encoder
from spaces.space import configuration

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Features:
    """One row for each network, in lexicographic order of what was chosen.

    Attributes:
        choices: one-hot.
        labels: for h = 0 and 1 the Weisfeiler-Lehman histograms up to depth h, at unit length.
        paths: the path encoding.
    """

    choices: Floats
    labels: tuple[Floats, Floats]
    paths: Floats


@cache
def features(flat: FlatSpace) -> Features:
    """Computed once a process, in seconds."""
    networks = [
        configuration(flat.space.configuration_space, dict(zip(flat.values, chosen, strict=True)))
        for chosen in itertools.product(*flat.values.values())
    ]
    encoding = Encoder(flat.space, depth=1).encode(networks)
    rows, layout = encoding.rows, encoding.layout
    shallow, deep = layout.depths
    both = rows[:, shallow.start : deep.stop]
    histograms = (rows[:, shallow], both)
    unit = [block / np.linalg.norm(block, axis=1, keepdims=True) for block in histograms]
    return Features(rows[:, layout.configuration], (unit[0], unit[1]), rows[:, layout.paths])


def places(flat: FlatSpace, choices: list[Choice]) -> Places:
    """The rows of `choices`."""
    digits = [
        [values.index(choice[name]) for name, values in flat.values.items()] for choice in choices
    ]
    sizes = [len(values) for values in flat.values.values()]
    array = np.array(digits, dtype=np.int64).reshape(len(choices), len(sizes))
    return np.asarray(np.ravel_multi_index(tuple(array.T), sizes))
