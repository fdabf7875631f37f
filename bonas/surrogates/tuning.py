"""Hyperparameters of a surrogate that are tuned occasionally and kept in between."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jaxtyping import Float

from bonas.surrogates.transform import Floats, Transform
from spaces.encoding import Layout

if TYPE_CHECKING:
    from torch import Tensor

    from bonas.surrogates.surrogate import Surrogate


@dataclass
class Tuning:
    """Caches the surrogate tuned on the last round number of observations.

    The result depends on the arguments alone; the cache only saves time.
    """

    _cached: tuple[tuple[tuple[int, ...], bytes], Surrogate] | None = field(
        init=False, default=None, repr=False
    )

    def tuned(
        self,
        surrogate: Surrogate,
        trials: tuple[int, ...],
        inputs: Float[Tensor, "n d"],
        costs: Floats,
        transform: Transform,
        layout: Layout,
    ) -> Surrogate:
        """Return `surrogate` with hyperparameters tuned on a round number of first observations.

        They stay the same for a while, and depend on nothing but the history.

        Args:
            surrogate: returned as it is if it has no hyperparameters to tune.
            trials: the numbers of the observed trials, in the order in which they ended.
            inputs: their rows.
            costs: their costs; other costs of the same trials are tuned on again.
            transform: maps the first costs alone to targets, whatever came later.
            layout: of the columns of `inputs`.
        """
        import torch

        from bonas.surrogates.surrogate import Tunable

        if not isinstance(surrogate, Tunable):
            return surrogate
        n = round_size(len(trials))
        key = trials[:n], costs[:n].tobytes()
        if self._cached is None or self._cached[0] != key:
            targets = torch.from_numpy(transform(costs[:n]))[:, None]
            self._cached = (key, surrogate.tuned(inputs[:n], targets, layout))
        return self._cached[1]


def round_size(size: int) -> int:
    """Return `size` below 30, else rounded down to a twentieth of its magnitude, at least 5."""
    step = 1 if size < 30 else max(5, 2 ** int(math.log2(size / 20)))
    return size - size % step
