"""Zero-cost scores of a few networks, learned over the space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from ConfigSpace import Configuration

from bonas.knowledge.knowledge import Memo
from bonas.knowledge.learned import Learned
from bonas.surrogates.transform import Floats, normal_scores
from fidelity.history.history import History
from fidelity.history.scores import Scored
from spaces.encoding import Encoder

if TYPE_CHECKING:
    from bonas.surrogates.surrogate import Surrogate
    from fidelity.proxies.proxy import Proxy

CEILING = 1.3
"""Predictions above this, those of the best tenth of random networks, count as equal: proxies tell
bad networks from good ones, and hardly one good network from another (on CIFAR-10, Spearman's
correlation is about 0.8 over NAS-Bench-201 and about 0 within its best tenth)."""

MIN_NETWORKS = 16
"""Fewer scores teach too little about a space."""


def default_proxies() -> tuple[Proxy, ...]:
    """Return the default proxies; their import takes a second."""
    from fidelity.proxies import NASWOT, Parameters, Synflow

    return Synflow(), NASWOT(), Parameters()


@dataclass(frozen=True)
class ZeroCost:
    """Scores random networks by zero-cost proxies before the first proposals that need them.

    A surrogate learns the mean normal score of the proxies over the space, so only a few networks
    are scored (the idea of Abdelfattah et al. 2021, "Zero-cost proxies for lightweight NAS",
    section 5, without scoring every candidate). The objective must have the attributes `space` and
    `dataset`, as `fidelity.Training` has.

    What scoring costs is counted in images, so that it does not depend on the speed of a machine: a
    proxy reads one batch, and must read less than `share` of what `trainings` training runs
    to the highest budget read. Where that leaves fewer than 16 networks, none is scored.

    Attributes:
        proxies: score the networks; one that fails is left out, with a message.
        networks: the maximal number of networks that are scored.
        images: the size of the batch.
        share: of the search's expected work that scoring may take.
        trainings: to the highest budget, the expected work of the search.
    """

    proxies: tuple[Proxy, ...] = field(default_factory=default_proxies)
    networks: int = 64
    images: int = 64
    share: float = 0.02
    trainings: int = 50

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: there is no proxy, or a number is not positive.
        """
        if not self.proxies:
            raise ValueError(
                "there is no proxy: give one or more, or zero_cost=None to the strategy"
            )
        for name in ("networks", "images", "share", "trainings"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be above 0")

    def count(self, training_images: float) -> int:
        """Return the number of networks to score, given the images that a training run reads."""
        affordable = self.share * self.trainings * training_images
        count = min(float(self.networks), affordable / (self.images * len(self.proxies)))
        return int(count) if count >= min(MIN_NETWORKS, self.networks) else 0


@dataclass(frozen=True)
class ZeroCostSource:
    """A `Source`: the scores in the history, learned over the space.

    Attributes:
        encoder: of the space.
        surrogate: learns the scores.
    """

    agreement: ClassVar[float] = 0.5

    encoder: Encoder
    surrogate: Surrogate
    _memos: dict[int, Memo | None] = field(init=False, default_factory=dict, repr=False)

    def known(self, history: History) -> bool:
        """See `Source.known`."""
        return len(history.scores) > 0

    def predictions(
        self, history: History, configurations: Sequence[Configuration]
    ) -> Floats | None:
        """See `Source.predictions`."""
        n = len(history.scores)
        if n not in self._memos:
            self._memos[n] = self._learned(list(history.scores))
        memo = self._memos[n]
        return None if memo is None else np.minimum(memo(configurations), CEILING)

    def _learned(self, scored: Sequence[Scored]) -> Memo | None:
        """Return the predictions of a surrogate of the scores; None if these say nothing."""
        targets = mean_scores([list(each.scores.values()) for each in scored])
        if targets is None:
            return None
        evaluated = [each.configuration for each in scored]
        return Memo(Learned(self.encoder.encode, evaluated, targets, evaluated, self.surrogate))


def mean_scores(scores: Sequence[Sequence[float]]) -> Floats | None:
    """Return the mean normal score of each network over the proxies.

    A proxy without a score for more than half of the networks is left out. A network without any
    score, such as a disconnected one, gets the lowest.

    Args:
        scores: by network and proxy, the higher the better; NaN where there is none.

    Returns:
        One number per network; None if no proxy is left, or all networks score the same.
    """
    if not scores:
        return None
    array = np.array(scores, dtype=np.float64)
    known = ~np.isnan(array)
    usable = [column for column in range(array.shape[1]) if 2 * known[:, column].sum() > len(array)]
    normal = np.full((len(array), len(usable)), math.nan)
    for place, column in enumerate(usable):
        rows = known[:, column]
        normal[rows, place] = normal_scores(-array[rows, column])
    if not (~np.isnan(normal)).any():
        return None
    counts = (~np.isnan(normal)).sum(1)
    means = np.nansum(normal, 1) / np.maximum(counts, 1)
    means[counts == 0] = means[counts > 0].min()
    return means if np.ptp(means) > 0 else None
