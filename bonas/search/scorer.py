"""Zero-cost scores of the networks that a strategy wants to know about."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ConfigSpace import Configuration

from bonas.search.clock import Clock
from bonas.search.storage import Storage
from bonas.strategies.strategy import ScoreNetworks
from fidelity.datasets.dataset import Dataset
from fidelity.history.scores import Scored
from fidelity.objective import Objective
from spaces.space import NETWORK_METHODS, Space, provides

if TYPE_CHECKING:
    from fidelity.proxies.features import ProxyFeatures

log = logging.getLogger(__name__)


class Scorer:
    """Scores networks of the objective in this process, and records the scores.

    Args:
        objective: its attributes `space` and `dataset`, where it has them, make the networks.
        space: of the search; the objective's space must have the same configurations.
        storage: of the history; told how many images a training reads.
        clock: of the search, on which scoring counts.
    """

    def __init__(self, objective: Objective, space: Space, storage: Storage, clock: Clock) -> None:
        self._objective = objective
        self._storage = storage
        self._clock = clock
        storage.history.scores.training_images = _training_images(objective, space)

    def score(
        self,
        request: ScoreNetworks,
        key: Callable[[Configuration], str],
        give_up: Callable[[], bool],
    ) -> bool:
        """Score networks in order; return whether all of them are scored.

        Args:
            request: the networks and the proxies.
            key: returns that of a configuration in the history.
            give_up: is called after each network; returns whether to leave out the rest for now.
        """
        from fidelity.proxies.features import ProxyFeatures
        from fidelity.proxies.proxy import ProxyError

        features = ProxyFeatures(
            self._objective.space,  # type: ignore[attr-defined]
            self._objective.dataset,  # type: ignore[attr-defined]
            request.proxies,
            images=request.images,
            device=getattr(self._objective, "device", None),
        )
        names = _names(features)
        failed: dict[str, list[Exception]] = {}
        for number, configuration in enumerate(request.configurations, start=1):
            started, begun = self._clock.now(), time.monotonic()
            outcomes = _outcomes(features, configuration)
            scores = {}
            for name, outcome in zip(names, outcomes, strict=True):
                if isinstance(outcome, Exception):
                    failed.setdefault(name, []).append(outcome)
                scores[name] = math.nan if isinstance(outcome, Exception) else outcome
            seconds = time.monotonic() - begun
            self._storage.add_scored(
                Scored(configuration, key(configuration), scores, seconds, started)
            )
            if give_up() and number < len(request.configurations):
                return False
        for name, errors in failed.items():
            # That a proxy is not made for a network is normal; the scores record it as NaN.
            normal = all(isinstance(error, ProxyError) for error in errors)
            log.log(
                logging.INFO if normal else logging.WARNING,
                f"the zero-cost proxy {name} could not score {len(errors)} of "
                f"{len(request.configurations)} networks; the search uses the scores of the other "
                f"proxies. The first reason: {errors[0]!r}",
            )
        return True


def _training_images(objective: Objective, space: Space) -> float:
    """Return the images that a training to the highest budget reads; 0 if proxies cannot score."""
    own, dataset = getattr(objective, "space", None), getattr(objective, "dataset", None)
    if not isinstance(dataset, Dataset):
        return 0.0
    if not all(provides(own, method) for method in NETWORK_METHODS):
        return 0.0
    if own is not space and own.configuration_space != space.configuration_space:  # type: ignore[union-attr]
        return 0.0
    return len(dataset.train) * float(getattr(objective, "max_budget", None) or 1.0)


def _names(features: ProxyFeatures) -> list[str]:
    """Return a name for each proxy, numbered where two are of one class."""
    classes = [type(proxy).__name__ for proxy in features.proxies]
    return [
        name if classes.count(name) == 1 else f"{name} {place}"
        for place, name in enumerate(classes)
    ]


def _outcomes(
    features: ProxyFeatures, configuration: Configuration
) -> tuple[float | Exception, ...]:
    try:
        return features.outcomes(configuration)
    except Exception as error:  # the network cannot be built
        return (error,) * len(features.proxies)
