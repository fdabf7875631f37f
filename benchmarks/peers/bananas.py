"""BANANAS.

White, Neiswanger and Savani 2021, "BANANAS: Bayesian optimization with neural architectures for
neural architecture search", algorithm 1: an ensemble of five networks on the path encoding,
independent Thompson sampling over mutations of the best networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np

from peers.features import Features, Floats, features, places
from peers.peer import Choice, FlatSpace, Seen, draw, mutate


@dataclass(frozen=True)
class BANANAS:
    """The method with the settings of the paper, except for the ensemble.

    That is smaller and trained on squared errors: `bonas.surrogates.Ensemble` on paths alone.

    Attributes:
        initial: the number of random networks at the start.
        batch: the number of networks selected after each training of the ensemble.
        pool: the number of mutations that are drawn.
        parents: the number of best networks that are mutated.
        encoding: the input of the ensemble. The path of a chain identifies it but does not relate
            it to similar ones; one-hot choices do (White et al. 2020, "A study on encodings
            for neural architecture search").
    """

    initial: int = 10
    batch: int = 10
    pool: int = 100
    parents: int = 10
    encoding: Callable[[Features], Floats] = attrgetter("paths")

    def start(self, flat: FlatSpace, seed: int) -> BANANASSession:
        """See `Peer.start`."""
        return BANANASSession(self, flat, seed, np.random.default_rng([seed, 0]))


@dataclass
class BANANASSession:
    """See `Session`."""

    settings: BANANAS
    flat: FlatSpace
    seed: int
    rng: np.random.Generator
    seen: Seen = field(default_factory=Seen)
    waiting: list[Choice] = field(default_factory=list)

    def ask(self) -> Choice:
        """The next of the batch; a new batch when there is none."""
        if len(self.seen.costs) < self.settings.initial:
            return draw(self.flat, self.rng)
        if not self.waiting:
            self.waiting = self._batch()
        return self.waiting.pop(0)

    def tell(self, choice: Choice, cost: float) -> None:
        """One more observation."""
        self.seen.add(choice, cost)

    def _batch(self) -> list[Choice]:
        import torch

        from bonas.surrogates.ensemble import Ensemble
        from spaces.encoding import Layout

        best = self.seen.best_first(self.settings.parents)
        drawn = [
            mutate(self.flat, best[i % len(best)], self.rng) for i in range(self.settings.pool)
        ]
        pool = self.seen.unseen(drawn) or [draw(self.flat, self.rng)]
        rows = self.settings.encoding(features(self.flat))
        seen, new = places(self.flat, self.seen.choices), places(self.flat, pool)
        targets = torch.tensor(self.seen.costs)[:, None]
        layout = Layout((), (), slice(0, rows.shape[1]))
        inputs = torch.from_numpy(rows[seen]).float()
        model = Ensemble(seed=self.seed).fit(inputs, targets, layout)
        with torch.no_grad():
            members = model.predictions(torch.from_numpy(rows[new]).float()).numpy()
        sampled = self.rng.normal(members.mean(0), members.std(0))
        return [pool[i] for i in np.argsort(sampled)[: self.settings.batch]]
