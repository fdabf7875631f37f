"""How well a surrogate predicts what it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr

from bonas.analysis.sources import Source, history_of, space_of
from bonas.surrogates.observations import observations
from bonas.surrogates.transform import negative
from spaces.encoding import Encoder
from spaces.space import Space

if TYPE_CHECKING:
    from bonas.surrogates.surrogate import Surrogate

Values = Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Predictions:
    """What was predicted of evaluations, and what came of them.

    Attributes:
        mean: the cost that was predicted.
        deviation: the standard deviation of an observation around it.
        observed: the cost.
    """

    mean: Values
    deviation: Values
    observed: Values

    @property
    def levels(self) -> Values:
        """For each observation the smallest central interval around the mean that holds it.

        As its probability; the levels of a calibrated surrogate are spread evenly over [0, 1].
        """
        away = np.abs(self.observed - self.mean) / self.deviation
        levels: Values = 2 * ndtr(away) - 1
        return levels


def folds(
    groups: Sequence[str], count: int, rng: np.random.Generator
) -> Iterator[Bool[np.ndarray, " n"]]:
    """Parts of about the same size, none of which shares a group with another one.

    Yields:
        For each part, what belongs to it.
    """
    names, members = np.unique(np.array(groups), return_inverse=True)
    numbers = rng.permutation(np.arange(len(names)) % count)[members]
    for number in range(count):
        yield numbers == number


def cross_validated(
    surrogate: Surrogate,
    space: Space,
    history: Source,
    rng: np.random.Generator,
    *,
    parts: int = 5,
) -> Predictions:
    """Predicts each evaluation by the surrogate fitted to those of other networks.

    At the largest budget with enough evaluations, as Bayesian optimization learns from it;
    failures count as the worst cost seen.

    Args:
        surrogate: what predicts.
        space: of the architectures.
        history: of a search; or the search, or its directory.
        rng: divides the networks.
        parts: how many times it is fitted, each time without one part of the networks.

    Raises:
        ValueError: there are fewer networks than parts, or parts than 2.
        TypeError: no space was given, or nothing that stands for a history.
        JournalError: the directory has no history, or it cannot be read.
    """
    import torch

    space = space_of(space)
    seen = observations(history_of(history), 2 * parts)
    groups = [evaluation.trial.key for evaluation in seen.evaluations]
    if parts < 2 or len({*groups}) < parts:
        raise ValueError(
            f"{parts} parts of {len({*groups})} networks: 2 parts or more are needed, and a "
            "network or more in each; evaluate more, or choose fewer parts"
        )
    encoding = Encoder(space, 1, None, surrogate.reads_paths).encode(seen.configurations)
    rows = torch.from_numpy(encoding.rows)
    targets = torch.from_numpy(negative(seen.costs))[:, None]
    mean, deviation = np.empty(len(seen)), np.empty(len(seen))
    for part in folds(groups, parts, rng):
        here = torch.from_numpy(part)
        with torch.no_grad():
            model = surrogate.fit(rows[~here], targets[~here], encoding.layout)
            posterior = model.posterior(rows[here][:, None, :], observation_noise=True)
            mean[part] = -posterior.mean[:, 0, 0].numpy()  # type: ignore[attr-defined]
            variance = posterior.variance[:, 0, 0].clamp_min(1e-18)  # type: ignore[attr-defined]
            deviation[part] = variance.sqrt().numpy()
    return Predictions(mean, deviation, seen.costs)
