"""Single-path one-shot search: evolution by inherited weights, then real training of the best."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration

from bonas.roles import STRATEGY, check_role
from bonas.strategies.evolution import RegularizedEvolution
from bonas.strategies.strategy import Exhausted, Startable, Strategy, started
from fidelity.history.history import History
from fidelity.history.trial import Trial
from fidelity.objective import Context, evaluate
from spaces.keys import Keys
from spaces.space import Space

if TYPE_CHECKING:
    from fidelity.one_shot.one_shot import OneShot


@dataclass(frozen=True)
class SinglePathOneShot(Startable):
    """Proposes the networks that a supernet's inherited weights estimate to be the best.

    Guo et al. (2020), "Single path one-shot neural architecture search with uniform sampling",
    ECCV: a supernet is trained on random paths, then evolution searches it, with the validation
    cost of inherited weights in place of training. `strategy=RandomSearch()` makes it random search
    with weight sharing (Li and Talwalkar 2020).

    A historical baseline: among random networks the best of three proposals ended at a median rank
    of 0.16 on MNIST-1D cells, but of 0.50 on digits (0 is the best; five seeds each), see
    benchmarks/results/gradient_search.md. Use `DrNAS`.

    The supernet is trained and searched for the first proposal; a resumed search does so again,
    unless `one_shot.file` holds the supernet. The first proposal is the network with the lowest
    estimate, the next ones follow in that order.

    Attributes:
        one_shot: the supernet; its space is that of the search, and its seed that of the estimates.
        strategy: proposes the networks that are estimated.
        estimates: the number of networks that are estimated, as many as can be proposed.

    Raises:
        ValueError: `estimates` is below 1.
    """

    one_shot: OneShot
    strategy: Strategy = field(default_factory=lambda: RegularizedEvolution(50, 10))
    estimates: int = 200

    def __post_init__(self) -> None:
        check_role("strategy", self.strategy, STRATEGY, "strategies.RegularizedEvolution()")
        if self.estimates < 1:
            raise ValueError(f"estimates is {self.estimates}: a proposal needs one or more")

    def start(self, space: Space) -> EstimatedNetworks:
        """See `Startable.start`."""
        return EstimatedNetworks(self, space)


@dataclass(frozen=True)
class EstimatedNetworks:
    """A single-path strategy for one search, with its supernet and its estimates.

    Attributes:
        settings: of the strategy.
        space: the search space.
    """

    settings: SinglePathOneShot
    space: Space

    @cached_property
    def _keys(self) -> Keys:
        return Keys(self.space)

    @cached_property
    def ranked(self) -> list[Configuration]:
        """One configuration of each estimated network, the lowest estimate first."""
        one_shot = self.settings.one_shot
        one_shot.supernet()  # a fault of the supernet ends the search, one of a network does not
        strategy = started(self.settings.strategy, self.space)
        history = History(self.space.configuration_space)
        for number in range(self.settings.estimates):
            rng = np.random.default_rng([one_shot.seed, number])
            try:
                proposal = strategy.propose(self.space, history, rng)
            except Exhausted:
                break
            if not isinstance(proposal, Configuration):
                raise TypeError(
                    f"{type(self.settings.strategy).__name__} proposed {proposal!r}: the strategy "
                    "of SinglePathOneShot proposes configurations, such as RegularizedEvolution()"
                )
            trial = Trial(number, proposal, self._keys.key(proposal), 1.0)
            history.add_trial(trial)
            history.add_evaluation(evaluate(self._estimate, trial, Context()))
        successes = [e for e in history.evaluations if e.succeeded]
        best: dict[str, Configuration] = {}
        for evaluation in sorted(successes, key=lambda e: e.cost):
            best.setdefault(evaluation.trial.key, evaluation.trial.configuration)
        return list(best.values())

    def _estimate(self, configuration: Configuration) -> float:
        """Return the loss, which tells networks apart whose errors on few images are the same."""
        loss: float = self.settings.one_shot(configuration)["validation_loss"]
        return loss

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """Return the network with the lowest estimate that has not been proposed.

        Args:
            space: the search space.
            history: of the search.
            rng: unused.

        Raises:
            Exhausted: every estimated network has been proposed.
            SpaceError: the space has no weight sharing.
            Diverged: the loss of the supernet is not a finite number.
        """
        asked = history.keys()
        for configuration in self.ranked:
            if self._keys.key(configuration) not in asked:
                return configuration
        raise Exhausted(
            f"all {len(self.ranked)} networks with an estimate have been asked for: raise estimates"
        )
