"""The course of the architecture parameters during the training of a supernet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

if TYPE_CHECKING:
    import pandas

COLLAPSED_SHARE = 0.5
"""The share of skip connections among the edges above which a cell has collapsed."""


class CollapseWarning(UserWarning):
    """A gradient-based search has ended in a cell of skip connections, or one without weights."""


@dataclass(frozen=True, eq=False)
class Trace:
    """The course of a gradient-based search, one entry per epoch; the first is its start.

    Attributes:
        edges: their names.
        operations: their names.
        parameters: of the architecture, before the softmax.
        configurations: the discretised cell after each epoch.
        skips: the number of skip connections in that cell.
        weightless: the number of its edges without weights: skip connections, and pooling.
        cell_edges: the number of its edges.
        train_loss: the mean over each epoch, in nats; NaN at the start.
        validation_loss: the same of the held-out images, before each step.
        stopped: why the search ended before its last epoch; None if it did not.
    """

    edges: tuple[str, ...]
    operations: tuple[str, ...]
    parameters: Float[np.ndarray, "epochs edges operations"]
    configurations: tuple[Configuration, ...]
    skips: tuple[int, ...]
    weightless: tuple[int, ...]
    cell_edges: int
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    stopped: str | None = None

    @property
    def epochs(self) -> int:
        """The number of trained epochs."""
        return len(self.skips) - 1

    def probabilities(self) -> Float[np.ndarray, "epochs edges operations"]:
        """Return the softmax of the parameters over the operations of each edge."""
        exponentials = np.exp(self.parameters - self.parameters.max(-1, keepdims=True))
        normal: Float[np.ndarray, "epochs edges operations"]
        normal = exponentials / exponentials.sum(-1, keepdims=True)
        return normal

    @property
    def collapsed(self) -> int | None:
        """The first of the last epochs with a collapsed cell; None if the final cell has not."""
        most = COLLAPSED_SHARE * self.cell_edges
        few = [epoch for epoch, skips in enumerate(self.skips) if skips <= most]
        first = few[-1] + 1 if few else 0
        return first if first < len(self.skips) else None

    @property
    def failure(self) -> str | None:
        """The fault of the final cell; None if it has none."""
        if self.collapsed is not None:
            return (
                f"{self.skips[-1]} of {self.cell_edges} edges of its cell are skip connections, "
                f"most of them since epoch {self.collapsed}"
            )
        if self.weightless[-1] == self.cell_edges:
            return "no operation of its cell has weights"
        return None

    def until(self, epoch: int) -> Trace:
        """Return the course up to the end of this epoch, to which a stop rule can be applied."""
        size = epoch + 1
        return replace(
            self,
            parameters=self.parameters[:size],
            configurations=self.configurations[:size],
            skips=self.skips[:size],
            weightless=self.weightless[:size],
            train_loss=self.train_loss[:size],
            validation_loss=self.validation_loss[:size],
            stopped=None,
        )

    def frame(self) -> pandas.DataFrame:
        """Return one row per epoch, edge and operation: 'probability', 'parameter' and losses."""
        import pandas

        index = pandas.MultiIndex.from_product(
            [range(len(self.skips)), self.edges, self.operations],
            names=["epoch", "edge", "operation"],
        )
        repeats = len(self.edges) * len(self.operations)
        return pandas.DataFrame(
            {
                "probability": self.probabilities().ravel(),
                "parameter": self.parameters.ravel(),
                "skips": np.repeat(self.skips, repeats),
                "weightless": np.repeat(self.weightless, repeats),
                "train_loss": np.repeat(self.train_loss, repeats),
                "validation_loss": np.repeat(self.validation_loss, repeats),
            },
            index=index,
        ).reset_index()
