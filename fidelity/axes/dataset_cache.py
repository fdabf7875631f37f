"""Lowered data sets, made once and kept as long as the whole one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from weakref import WeakKeyDictionary

from fidelity.datasets.dataset import Dataset

# The lowered sets are kept so that what is cached for each (its copy on a device) is found again.
_lowered: WeakKeyDictionary[Dataset, dict[Hashable, Dataset]] = WeakKeyDictionary()


def lowered(dataset: Dataset, key: Hashable, make: Callable[[], Dataset]) -> Dataset:
    """What `make` returned when it was first asked for this data set and `key`."""
    made = _lowered.setdefault(dataset, {})
    if key not in made:
        made[key] = make()
    return made[key]
