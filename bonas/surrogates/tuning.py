"""Hyperparameters of a surrogate that are chosen now and then, and kept in between."""

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
    """Remembers the tuned surrogate of the newest round number of observations.

    What it returns depends on its arguments alone; remembering only saves time.
    """

    _known: tuple[tuple[tuple[int, ...], bytes], Surrogate] | None = field(
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
        """`surrogate` with hyperparameters from the first observations, a round number of them.

        So they stay the same for a while, and depend on nothing but the history.

        Args:
            surrogate: is returned as it is if it has no hyperparameters to choose.
            trials: the numbers of the observed trials, in the order in which they ended.
            inputs: their rows.
            costs: their costs; other costs of the same trials are learned from anew.
            transform: what is learned instead of these first costs, whatever came later.
            layout: what the columns of `inputs` are.
        """
        import torch

        from bonas.surrogates.surrogate import Tunable

        if not isinstance(surrogate, Tunable):
            return surrogate
        n = round_size(len(trials))
        name = trials[:n], costs[:n].tobytes()
        if self._known is None or self._known[0] != name:
            targets = torch.from_numpy(transform(costs[:n]))[:, None]
            self._known = (name, surrogate.tuned(inputs[:n], targets, layout))
        return self._known[1]


def round_size(size: int) -> int:
    """`size` itself below 30, then rounded down to a twentieth of its magnitude, at least 5."""
    step = 1 if size < 30 else max(5, 2 ** int(math.log2(size / 20)))
    return size - size % step
