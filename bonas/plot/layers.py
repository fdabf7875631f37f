"""Layered graph layout with few crossings (Sugiyama, Tagawa & Toda 1981)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

Point = tuple[float, float]
Spot = int | tuple[int, int, int]
"""A node, or the crossing of an edge with a layer: (source, target, layer)."""

SWEEPS = 12


def place(
    inputs: Sequence[Sequence[int]],
) -> tuple[list[Point], dict[tuple[int, int], list[Point]]]:
    """Place nodes in layers, and route edges between the nodes of the layers that they skip.

    Args:
        inputs: for each node, the earlier nodes that it reads; the last node is the output.

    Returns:
        For each node its (layer, height), with heights in a layer 1 apart and centred on 0; and
        for each edge (source, target) that skips layers, the points at which it passes them.
    """
    depth = [0] * len(inputs)
    for node, sources in enumerate(inputs):
        depth[node] = max((depth[source] + 1 for source in sources), default=0)
    depth[-1] = max(1, *depth)
    layers: list[list[Spot]] = [[] for _ in range(depth[-1] + 1)]
    for node, layer in enumerate(depth):
        layers[layer].append(node)
    before: dict[Spot, list[Spot]] = {}
    for target, sources in enumerate(inputs):
        for source in sources:
            chain: list[Spot] = [source]
            for layer in range(depth[source] + 1, depth[target]):
                layers[layer].append((source, target, layer))
                chain.append(layers[layer][-1])
            chain.append(target)
            for left, right in pairwise(chain):
                before.setdefault(right, []).append(left)
    height = _heights_with_few_crossings(layers, before)
    routes: dict[tuple[int, int], list[Point]] = {}
    for layer, spots in enumerate(layers):
        for spot in spots:
            if isinstance(spot, tuple):
                routes.setdefault(spot[:2], []).append((float(layer), height[spot]))
    return [(float(layer), height[node]) for node, layer in enumerate(depth)], routes


def _heights_with_few_crossings(
    layers: Sequence[Sequence[Spot]], before: Mapping[Spot, Sequence[Spot]]
) -> dict[Spot, float]:
    """Move each spot towards the mean height of its neighbours, by alternating sweeps."""
    after: dict[Spot, list[Spot]] = {}
    for right, lefts in before.items():
        for left in lefts:
            after.setdefault(left, []).append(right)
    orders = [list(layer) for layer in layers]
    best = _heights(orders)
    fewest = _crossings(best, before)
    for sweep in range(SWEEPS):
        joined = after if sweep % 2 else before
        height = _heights(orders)
        for order in reversed(orders) if sweep % 2 else orders:
            means = {
                spot: sum(height[other] for other in joined[spot]) / len(joined[spot])
                if joined.get(spot)
                else height[spot]
                for spot in order
            }
            order.sort(key=means.__getitem__)
            height.update(_heights([order]))
        if (crossings := _crossings(height, before)) < fewest:
            best, fewest = height, crossings
    return best


def _heights(orders: Sequence[Sequence[Spot]]) -> dict[Spot, float]:
    return {spot: i - (len(order) - 1) / 2 for order in orders for i, spot in enumerate(order)}


def _crossings(
    height: Mapping[Spot, float], before: Mapping[Spot, Sequence[Spot]]
) -> tuple[int, float]:
    """Return the number of crossings, and the total height difference along edges."""
    layer: dict[Spot, int] = {}
    edges = [(left, right) for right, lefts in before.items() for left in lefts]
    for left, right in edges:  # edges into a spot precede those out of it
        layer.setdefault(left, 0)
        layer[right] = layer[left] + 1
    crossings = sum(
        layer[a] == layer[c] and (height[a] - height[c]) * (height[b] - height[d]) < 0
        for i, (a, b) in enumerate(edges)
        for c, d in edges[:i]
    )
    return crossings, sum(abs(height[left] - height[right]) for left, right in edges)
