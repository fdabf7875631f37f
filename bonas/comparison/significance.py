"""Significance tests of the differences between setups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bonas.comparison.statistics import (
    Blocks,
    Paired,
    critical_difference,
    friedman,
    holm,
    paired,
    ranks,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Significance:
    """The results of the tests of a comparison.

    Attributes:
        seeds: the number of seeds with which every name has a result.
        alpha: the significance level.
        friedman: the p-value of Friedman's test that all names are equal; 1 for two names.
        ranks: the mean rank of each name, the best first.
        critical_difference: mean ranks that differ by less may be equal, by Nemenyi's test.
        pairs: each pair of names, compared seed by seed.
        corrected: the p-values of the pairs with the correction of Holm (1979).
    """

    seeds: int
    alpha: float
    friedman: float
    ranks: Mapping[str, float]
    critical_difference: float
    pairs: Mapping[tuple[str, str], Paired]
    corrected: Mapping[tuple[str, str], float]

    @classmethod
    def of(cls, names: tuple[str, ...], blocks: Blocks, alpha: float) -> Significance:
        """Test the results of several names.

        Args:
            names: two or more.
            blocks: the result of each name (column) with each seed (row); lower is better.
            alpha: the significance level.
        """
        means = ranks(blocks).mean(axis=0)
        order = np.argsort(means, kind="stable")
        pairs = {
            (names[i], names[j]): paired(blocks[:, i], blocks[:, j])
            for i, j in combinations(range(len(names)), 2)
        }
        corrected = holm(np.array([pair.p for pair in pairs.values()]))
        return cls(
            seeds=len(blocks),
            alpha=alpha,
            friedman=friedman(blocks),
            ranks={names[i]: float(means[i]) for i in order},
            critical_difference=critical_difference(len(names), len(blocks), alpha),
            pairs=pairs,
            corrected=dict(zip(pairs, corrected.tolist(), strict=True)),
        )

    def frame(self) -> pd.DataFrame:
        """Return the median difference, wins and losses of the first, and p-values of each pair."""
        import pandas as pd

        rows = [
            {
                "difference": pair.difference,
                "wins": pair.wins,
                "losses": pair.losses,
                "p": pair.p,
                "p (Holm)": self.corrected[names],
                "significant": self.corrected[names] <= self.alpha,
            }
            for names, pair in self.pairs.items()
        ]
        index = pd.MultiIndex.from_tuples(list(self.pairs), names=["first", "second"])
        return pd.DataFrame(rows, index=index)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the critical-difference diagram: see `bonas.plot.critical_difference`."""
        from bonas import plot

        return plot.critical_difference(self, ax=ax)

    def _repr_html_(self) -> str:
        summary = f"Friedman's test over {self.seeds} seeds: p = {self.friedman:.2g}"
        return f"<p>{summary}</p>{self.frame().to_html()}"
