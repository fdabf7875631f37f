"""Zero-cost scores: the record of the networks that a search scores before it trains any."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ConfigSpace import Configuration


@dataclass(frozen=True)
class Scored:
    """A network with its zero-cost scores.

    Attributes:
        configuration: the point of the space.
        key: of the network.
        scores: by the names of the proxies, the higher the better; NaN where there is none.
        seconds: the duration of the scoring on a monotonic clock.
        started: seconds since the search began, over all its runs.
    """

    configuration: Configuration
    key: str
    scores: Mapping[str, float]
    seconds: float = 0.0
    started: float = 0.0

    def __post_init__(self) -> None:
        """Replace infinite scores by NaN: no average survives them."""
        finite = {n: s if math.isfinite(s) else math.nan for n, s in self.scores.items()}
        object.__setattr__(self, "scores", finite)


@dataclass
class Scores:
    """The scored networks of a search, in the order in which they were scored.

    Attributes:
        training_images: the number of images that one training to the highest budget reads, with
            which the cost of scoring is compared; 0 where proxies cannot score the networks.
    """

    training_images: float = 0.0
    _networks: dict[str, Scored] = field(init=False, default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self._networks)

    def __iter__(self) -> Iterator[Scored]:
        return iter(self._networks.values())

    def __contains__(self, key: str) -> bool:
        return key in self._networks

    @property
    def seconds(self) -> float:
        """The seconds spent."""
        return sum(scored.seconds for scored in self)

    @property
    def summary(self) -> str:
        """The number of networks and the seconds, as a phrase; empty if nothing was scored."""
        networks = "1 network" if len(self) == 1 else f"{len(self)} networks"
        return f"{networks} scored in {self.seconds:.1f} s" if len(self) else ""

    def add(self, scored: Scored) -> None:
        """Append a network.

        Raises:
            ValueError: it was scored before.
        """
        if scored.key in self._networks:
            raise ValueError(f"the network {scored.key} is scored twice")
        self._networks[scored.key] = scored
