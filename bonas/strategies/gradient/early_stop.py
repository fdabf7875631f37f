"""Early stopping of a gradient-based search by rules that need no Hessian.

Zela et al. (2020), "Understanding and robustifying differentiable architecture search", stop by
the largest eigenvalue of the Hessian of the validation loss; these rules use what costs nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from bonas.strategies.gradient.search_trace import Trace


class StopRule(Protocol):
    """Decides after each epoch whether the search ends."""

    def __call__(self, trace: Trace) -> str | None:
        """Return why the search ends now; None if it continues."""
        ...


@dataclass(frozen=True)
class SkipConnections:
    """Ends when the discretised cell has too many skip connections.

    Liang et al. (2019), "DARTS+: improved differentiable architecture search with early
    stopping", criterion 1: two or more in a cell of eight edges.

    Attributes:
        most: the number of skip connections at which the search ends.
        after: the number of first epochs that do not count, because the parameters are still
            close to their initial values.
    """

    most: int = 2
    after: int = 0

    def __call__(self, trace: Trace) -> str | None:
        """See `StopRule`."""
        if trace.epochs <= self.after or trace.skips[-1] < self.most:
            return None
        return f"{trace.skips[-1]} of {trace.cell_edges} edges are skip connections"


@dataclass(frozen=True)
class StableCell:
    """Ends when the discretised cell has stayed the same.

    Liang et al. (2019), criterion 1*, which requires the whole ranking of operations to be stable.

    Attributes:
        epochs: for which it has stayed the same.
    """

    epochs: int = 10

    def __call__(self, trace: Trace) -> str | None:
        """See `StopRule`."""
        last = trace.configurations[1:][-self.epochs - 1 :]
        if len(last) <= self.epochs or len(set(last)) > 1:
            return None
        return f"the cell has been the same for {self.epochs} epochs"


@dataclass(frozen=True)
class ValidationLoss:
    """Ends when the loss on held-out images no longer falls.

    Attributes:
        patience: epochs without a new lowest loss.
    """

    patience: int = 10

    def __call__(self, trace: Trace) -> str | None:
        """See `StopRule`."""
        losses = [math.inf, *trace.validation_loss[1:]]
        since = len(losses) - 1 - losses.index(min(losses))
        if since < self.patience:
            return None
        return f"the held-out loss has not fallen for {self.patience} epochs"
