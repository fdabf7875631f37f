"""Orders of points with several costs: fronts, crowding distance and hypervolume."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int


def non_dominated(costs: Float[np.ndarray, "n k"]) -> Bool[np.ndarray, " n"]:
    """Return a mask of the points that no other one dominates.

    A point dominates another if no cost is higher and one is lower; equal points do not.
    """
    if costs.shape[1] == 2:
        return np.asarray(_two_cost_fronts(costs) == 0)
    optimal = np.ones(len(costs), dtype=bool)
    # In lexicographic order only earlier points dominate a point. (Sums would lose small costs next
    # to huge ones.)
    order = np.lexsort(costs.T[::-1])
    front = np.empty((0, costs.shape[1]))
    for index in order:
        point = costs[index]
        below = (front <= point).all(axis=1) & (front < point).any(axis=1)
        if below.any():
            optimal[index] = False
        else:
            front = np.vstack([front, point])
    return optimal


def fronts(costs: Float[np.ndarray, "n k"]) -> Int[np.ndarray, " n"]:
    """Return the number of each point's front, from 0 (Deb et al. 2002, section III A)."""
    if costs.shape[1] == 2:
        return _two_cost_fronts(costs)
    numbers = np.zeros(len(costs), dtype=np.int64)
    left = np.arange(len(costs))
    number = 0
    while len(left):
        best = non_dominated(costs[left])
        numbers[left[best]] = number
        left = left[~best]
        number += 1
    return numbers


def _two_cost_fronts(costs: Float[np.ndarray, "n 2"]) -> Int[np.ndarray, " n"]:
    """See `fronts`; in n log n steps (Jensen 2003, "Reducing the run-time complexity of ...")."""
    numbers = np.zeros(len(costs), dtype=np.int64)
    lowest: list[float] = []  # second cost in each front, ascending
    order = np.lexsort((costs[:, 1], costs[:, 0]))
    previous, number = None, 0
    for index, point in zip(order.tolist(), costs[order].tolist(), strict=True):
        # Earlier points have no higher first cost, so that the second one decides.
        if point != previous:
            number = bisect_right(lowest, point[1])
            lowest[number : number + 1] = [point[1]]
        numbers[index], previous = number, point
    return numbers


def crowding(costs: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """Return the crowding distance of each point of a front (Deb et al. 2002, section III B).

    It is the sum over the costs of the distance between both neighbours, relative to the range;
    infinite at the ends.
    """
    distance = np.zeros(len(costs))
    for column in costs.T:
        order = np.argsort(column, kind="stable")
        column = column / 2  # so that no difference overflows
        span = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if span > 0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return distance


def best_first(costs: Float[np.ndarray, "n k"]) -> Int[np.ndarray, " n"]:
    """Return the indices of the points by front, then by descending crowding distance."""
    numbers = fronts(costs)
    distance = np.empty(len(costs))
    for number in range(int(numbers.max(initial=-1)) + 1):
        distance[numbers == number] = crowding(costs[numbers == number])
    return np.lexsort((-distance, numbers))


def hypervolume(costs: Float[np.ndarray, "n k"], reference: Sequence[float]) -> float:
    """Return the volume that the points dominate, up to a reference point.

    Zitzler and Thiele 1999, "Multiobjective evolutionary algorithms".

    Args:
        costs: only points below the reference count.
        reference: the highest costs of interest.

    Returns:
        The volume; infinite if it exceeds the largest floating-point number.

    Raises:
        ValueError: the numbers of costs differ.
    """
    highest = np.asarray(reference, dtype=np.float64)
    if costs.shape[1:] != highest.shape:
        raise ValueError(f"the reference has {len(highest)} costs, the points {costs.shape[1]}")
    inside = costs[(costs < highest).all(axis=1)]
    if not len(inside):
        return 0.0
    front = np.unique(inside[non_dominated(inside)], axis=0)
    # In units near the widest extent of each cost, products do not overflow on the way. Powers of
    # two change no digit.
    _, exponents = np.frexp(highest / 2 - front.min(axis=0) / 2)
    volume = _volume(np.ldexp(front, -exponents), np.ldexp(highest, -exponents))
    with np.errstate(over="ignore"):
        return float(np.ldexp(volume, exponents.sum()))


def _volume(front: Float[np.ndarray, "n k"], highest: Float[np.ndarray, " k"]) -> float:
    """See `hypervolume`; for different non-dominated points in lexicographic order."""
    if len(highest) == 2:
        upper = np.concatenate([[highest[1]], front[:-1, 1]])
        return float(((highest[0] - front[:, 0]) * (upper - front[:, 1])).sum())
    import torch

    from fidelity.botorch import Hypervolume

    return float(Hypervolume(-torch.from_numpy(highest)).compute(-torch.from_numpy(front)))
