"""Orders of points with several costs: fronts, crowding, hypervolume."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int


def non_dominated(costs: Float[np.ndarray, "n k"]) -> Bool[np.ndarray, " n"]:
    """Which points no other one dominates: none is as low everywhere and lower somewhere.

    Of equal points all or none are.
    """
    if costs.shape[1] == 2:
        return np.asarray(_two_cost_fronts(costs) == 0)
    kept = np.ones(len(costs), dtype=bool)
    # In lexicographic order a point is dominated only by one that comes before it. (Sums would
    # lose small costs beside huge ones.)
    order = np.lexsort(costs.T[::-1])
    front = np.empty((0, costs.shape[1]))
    for place in order:
        point = costs[place]
        below = (front <= point).all(axis=1) & (front < point).any(axis=1)
        if below.any():
            kept[place] = False
        else:
            front = np.vstack([front, point])
    return kept


def fronts(costs: Float[np.ndarray, "n k"]) -> Int[np.ndarray, " n"]:
    """The number of the front of each point, from 0 (Deb et al. 2002, section III A)."""
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
    """As `fronts`, in n log n steps (Jensen 2003, "Reducing the run-time complexity of ...")."""
    numbers = np.zeros(len(costs), dtype=np.int64)
    lowest: list[float] = []  # second cost in each front, ascending
    order = np.lexsort((costs[:, 1], costs[:, 0]))
    previous, number = None, 0
    for place, point in zip(order.tolist(), costs[order].tolist(), strict=True):
        # What came before has no higher first cost, so that the second one decides.
        if point != previous:
            number = bisect_right(lowest, point[1])
            lowest[number : number + 1] = [point[1]]
        numbers[place], previous = number, point
    return numbers


def crowding(costs: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """How much room there is around each point of a front (Deb et al. 2002, section III B).

    The sum over the costs of the distance between its two neighbours, as a part of the range;
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
    """The points by their fronts, and in a front those with more room first."""
    numbers = fronts(costs)
    room = np.empty(len(costs))
    for number in range(int(numbers.max(initial=-1)) + 1):
        room[numbers == number] = crowding(costs[numbers == number])
    return np.lexsort((-room, numbers))


def hypervolume(costs: Float[np.ndarray, "n k"], reference: Sequence[float]) -> float:
    """The volume of what is dominated by some point, up to a reference point.

    Zitzler and Thiele 1999, "Multiobjective evolutionary algorithms".

    Args:
        costs: points that are not below the reference count nothing.
        reference: the highest costs of interest.

    Returns:
        The volume; infinite if it exceeds the largest floating-point number.

    Raises:
        ValueError: the reference has another number of costs.
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
    """As `hypervolume`, of different points in lexicographic order that do not dominate another."""
    if len(highest) == 2:
        upper = np.concatenate([[highest[1]], front[:-1, 1]])
        return float(((highest[0] - front[:, 0]) * (upper - front[:, 1])).sum())
    import torch

    from fidelity.botorch import Hypervolume

    return float(Hypervolume(-torch.from_numpy(highest)).compute(-torch.from_numpy(front)))
