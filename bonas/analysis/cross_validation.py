"""Cross-validation of surrogates."""

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
    """Predicted and observed costs of evaluations.

    Attributes:
        mean: the predicted cost.
        deviation: the predicted standard deviation of an observation.
        observed: the observed cost.
    """

    mean: Values
    deviation: Values
    observed: Values

    def __repr__(self) -> str:
        return f"Predictions({len(self.observed)} evaluations)"

    @property
    def levels(self) -> Values:
        """The probability of the smallest central interval that contains each observation.

        The levels of a calibrated surrogate are distributed uniformly over [0, 1].
        """
        away = np.abs(self.observed - self.mean) / self.deviation
        levels: Values = 2 * ndtr(away) - 1
        return levels


def folds(
    groups: Sequence[str], count: int, rng: np.random.Generator
) -> Iterator[Bool[np.ndarray, " n"]]:
    """Divide observations into parts of about equal size, each group within one part.

    Args:
        groups: the group of each observation.
        count: the number of parts.
        rng: assigns groups to parts.

    Yields:
        For each part, a mask of its observations.
    """
    names, members = np.unique(np.array(groups), return_inverse=True)
    numbers = rng.permutation(np.arange(len(names)) % count)[members]
    for number in range(count):
        yield numbers == number


def cross_validated(
    surrogate: Surrogate, space: Space, history: Source, rng: np.random.Generator, *, parts: int = 5
) -> Predictions:
    """Predict each evaluation with a surrogate fitted to evaluations of other networks.

    As in Bayesian optimization, the evaluations are those at the highest budget that has enough
    of them, and failures count as the worst observed cost.

    Args:
        surrogate: the model.
        space: of the architectures.
        history: of a search; or the search, or its directory.
        rng: divides the networks.
        parts: the number of fits, each of which leaves out one part of the networks.

    Raises:
        ValueError: there are fewer networks than parts, or fewer than 2 parts.
        TypeError: `space` is no space, or `history` has no history.
        JournalError: the directory holds no history, or the history cannot be read.
    """
    import torch

    space = space_of(space)
    seen = observations(history_of(history), 2 * parts)
    groups = [evaluation.trial.key for evaluation in seen.evaluations]
    if parts < 2 or len({*groups}) < parts:
        raise ValueError(
            f"{parts} parts of {len({*groups})} networks: expected 2 parts or more, each with 1 "
            "network or more; evaluate more networks, or choose fewer parts"
        )
    encoding = Encoder(space, 1, None, surrogate.reads_paths).encode(seen.configurations)
    rows = torch.from_numpy(encoding.rows)
    targets = torch.from_numpy(negative(seen.costs))[:, None]
    mean, deviation = np.empty(len(seen)), np.empty(len(seen))
    for part in folds(groups, parts, rng):
        held_out = torch.from_numpy(part)
        with torch.no_grad():
            model = surrogate.fit(rows[~held_out], targets[~held_out], encoding.layout)
            posterior = model.posterior(rows[held_out][:, None, :], observation_noise=True)
            mean[part] = -posterior.mean[:, 0, 0].numpy()  # type: ignore[attr-defined]
            variance = posterior.variance[:, 0, 0].clamp_min(1e-18)  # type: ignore[attr-defined]
            deviation[part] = variance.sqrt().numpy()
    return Predictions(mean, deviation, seen.costs)
