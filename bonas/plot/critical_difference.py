"""The critical-difference diagram: mean ranks, and which differences are not significant.

Demšar 2006, "Statistical comparisons of classifiers over multiple data sets", figure 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any

from matplotlib.axes import Axes

from bonas.analysis.sources import Compared, Ranked, is_comparison, wrong
from bonas.plot.style import axes, words
from spaces.display.palette import INK

STEP = 0.3
"""Inches between lines of text."""


def cliques(ranks: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """Return the maximal groups of mean ranks without a significant difference.

    Args:
        ranks: ascending mean ranks.
        difference: the smallest significant difference.

    Returns:
        First and last index of each group of two or more.
    """
    groups: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = max(i for i in range(first, len(ranks)) if ranks[i] - ranks[first] < difference)
        if last > first and (not groups or last > groups[-1][1]):
            groups.append((first, last))
    return groups


def critical_difference(
    ranks: Mapping[str, float] | Ranked | Compared,
    difference: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw mean ranks on a line, the best on the left; bars join those that may be equal.

    Args:
        ranks: the mean rank of each name; or the tests of a comparison, or the comparison.
        difference: the smallest significant difference; by default that of the tests.
        ax: the axes; by default a new figure of fitting size.

    Returns:
        The axes, in which a rank is one unit wide.

    Raises:
        ValueError: there are fewer than two names, or mean ranks without a difference.
        TypeError: `ranks` has no mean ranks.
        ComparisonError: the comparison has too few results to test.
    """
    means, difference = _means(ranks, difference)
    if len(means) < 2:
        raise ValueError(
            f"the diagram compares two names or more, not {len(means)}: add mean ranks"
        )
    names = sorted(means, key=lambda name: means[name])
    ordered = [means[name] for name in names]
    groups = cliques(ordered, difference)
    left = ceil(len(names) / 2)
    depth = 0.5 + 0.35 * len(groups)  # of the first name
    ax = axes(ax, 6.4, 1.2 + STEP * (left + len(groups)))
    low, high = floor(min(ordered)), max(ceil(max(ordered)), floor(min(ordered)) + 1)
    _scale(ax, low, high, difference)
    for row, (first, last) in enumerate(groups):
        y = -0.35 - 0.35 * row
        ax.plot([ordered[first] - 0.02, ordered[last] + 0.02], [y, y], color="black", linewidth=4)
    margin = 0.04 * (high - low)
    for index, name in enumerate(names):
        on_left = index < left
        y = -depth - (index if on_left else len(names) - 1 - index)
        end = low - margin if on_left else high + margin
        ax.plot([ordered[index], ordered[index], end], [0, y, y], color=INK, linewidth=1)
        side = "right" if on_left else "left"
        rank, shown = f"{ordered[index]:.2f}", words(name)
        text = f"{shown}  {rank}" if on_left else f"{rank}  {shown}"
        x = end - margin / 2 if on_left else end + margin / 2
        ax.text(x, y, text, ha=side, va="center", fontsize=9)
    ax.set_ylim(-depth - left, 2.2)
    ax.axis("off")
    return ax


def _means(
    ranks: Mapping[str, float] | Ranked | Compared, difference: float | None
) -> tuple[Mapping[str, float], float]:
    tests = ranks.test() if is_comparison(ranks) else ranks
    if not isinstance(tests, Mapping):
        if isinstance(tests, type) or not hasattr(tests, "critical_difference"):
            raise wrong("mean ranks by name, the tests of a comparison or a comparison", tests)
        tested: Any = tests
        return tested.ranks, tested.critical_difference if difference is None else difference
    if difference is None:
        raise ValueError(
            "mean ranks alone do not say which differences are significant: give the critical "
            "difference, or `comparison.test()` in their place"
        )
    return tests, difference


def _scale(ax: Axes, low: int, high: int, difference: float) -> None:
    """Draw the scale of ranks, and above it the length of the critical difference."""
    ax.plot([low, high], [0, 0], color=INK, linewidth=1)
    for rank in range(low, high + 1):
        ax.plot([rank, rank], [0, 0.2], color=INK, linewidth=1)
        ax.text(rank, 0.3, f"{rank}", ha="center", va="bottom", fontsize=9)
    ax.text(high + 0.04 * (high - low), 0, "mean rank", ha="left", va="center", fontsize=9)
    ax.plot([low, low + difference], [1.3, 1.3], "|-", color=INK, linewidth=1, markersize=6)
    label = f"critical difference {difference:.2f}"
    ax.text(low, 1.55, label, ha="left", va="bottom", fontsize=9)
