"""Reduced data sets, made once and cached as long as the whole one lives."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from weakref import WeakKeyDictionary

from fidelity.datasets.dataset import Dataset

# The same objects each time, so that what is cached per set (its copy on a device) is found.
_cache: WeakKeyDictionary[Dataset, dict[Hashable, Dataset]] = WeakKeyDictionary()


def reduced(dataset: Dataset, key: Hashable, make: Callable[[], Dataset]) -> Dataset:
    """Return a reduced data set from the cache, or make it.

    Args:
        dataset: the whole one.
        key: names the reduction.
        make: makes the reduced data set where it is not cached.
    """
    cached = _cache.setdefault(dataset, {})
    if key not in cached:
        cached[key] = make()
    return cached[key]
