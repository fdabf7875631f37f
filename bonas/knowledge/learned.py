"""Targets of some networks, learned over a space by a surrogate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ConfigSpace import Configuration

from bonas.knowledge.knowledge import standardised
from bonas.surrogates.transform import Floats
from spaces.encoding import Encoding

if TYPE_CHECKING:
    from bonas.surrogates.surrogate import Surrogate


@dataclass(frozen=True)
class Learned:
    """Posterior means of a surrogate, in units of those of random networks.

    Attributes:
        encode: configurations as rows of numbers.
        configurations: with known targets.
        targets: to be maximised, one per configuration.
        references: random configurations of the space.
        surrogate: learns the targets.
    """

    encode: Callable[[Sequence[Configuration]], Encoding]
    configurations: Sequence[Configuration]
    targets: Floats = field(repr=False)
    references: Sequence[Configuration] = field(repr=False)
    surrogate: Surrogate
    _tuned: list[Surrogate] = field(init=False, default_factory=list, repr=False)

    def __call__(self, configurations: Sequence[Configuration]) -> Floats:
        """Return one prediction per configuration, the higher the better."""
        import torch

        from bonas.surrogates.surrogate import marginal_mean, tuned

        n, m = len(self.configurations), len(self.references)
        encoding = self.encode([*self.configurations, *self.references, *configurations])
        rows, layout = torch.from_numpy(encoding.rows), encoding.layout
        learned = rows[:n], torch.from_numpy(self.targets)[:, None]
        if not self._tuned:
            self._tuned.append(tuned(self.surrogate, *learned, layout))
        with torch.no_grad():
            model = self._tuned[0].fit(*learned, layout)
            means = marginal_mean(model, rows[n:])[:, 0].numpy()
        return standardised(means[m:], means[:m])
