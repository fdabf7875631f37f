"""SMAC3 as a strategy (Lindauer et al. 2022, "SMAC3: a versatile Bayesian optimization ...")."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import Candidates, Pool
from bonas.strategies.remembered import remembered
from bonas.surrogates.observations import Observations, observations
from bonas.surrogates.transform import tamed
from fidelity.history.history import History
from spaces.encoding import Encoder
from spaces.space import Space

if TYPE_CHECKING:
    from smac import BlackBoxFacade, HyperparameterOptimizationFacade
    from smac.acquisition.maximizer import AbstractAcquisitionMaximizer

    Facade = type[HyperparameterOptimizationFacade] | type[BlackBoxFacade]


def _facade() -> type[HyperparameterOptimizationFacade]:
    from smac import HyperparameterOptimizationFacade

    return HyperparameterOptimizationFacade


@dataclass(frozen=True)
class SMAC:
    """Asks a facade of SMAC3 that was told everything that was evaluated.

    A fresh facade is built for each proposal, so that nothing depends on what this object has
    seen; SMAC's own state is its run history. It learns from the largest budget that has enough
    evaluations: with the schedule `Hyperband` that is SMAC's multi-fidelity facade, whose model is
    the same. Networks that were asked for are not proposed again, under any name.

    Attributes:
        facade: a facade of SMAC3: its `HyperparameterOptimizationFacade` (a random forest) or
            `BlackBoxFacade` (a Gaussian process).
        initial: how many random networks come first.
        attempts: how often SMAC is asked for another one when it proposes a known network;
            then a random one is taken.
        challengers: how many random configurations SMAC's acquisition function ranks, from
            which its local search starts; SMAC's own 10,000 take seconds.
    """

    facade: Facade = field(default_factory=_facade)
    initial: int = 8
    attempts: int = 8
    challengers: int = 1000
    _pools: list[Pool] = field(init=False, default_factory=list, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`."""
        pool = self._remember(space)
        asked = history.keys()
        observed = observations(history, self.initial)
        fallback = pool.random(asked, rng)
        if history.networks < self.initial or not observed:
            return fallback
        from joblib import parallel_config  # type: ignore[import-untyped]

        # SMAC's forest starts a thread a core for trees that are fitted in less time than that.
        with (
            tempfile.TemporaryDirectory(prefix="bonas-smac-") as directory,
            parallel_config(backend="sequential"),
        ):
            facade = self._told(space, observed, int(rng.integers(2**31)), Path(directory))
            for _ in range(self.attempts):
                try:
                    proposed = facade.ask().config
                except StopIteration:  # SMAC knows no other configuration
                    break
                # SMAC's configurations remember where they came from; a new one does not.
                vector = np.asarray(proposed.get_array())
                found = Configuration(space.configuration_space, vector=vector)
                if pool.encoder.key(found) not in asked:
                    return found
        return fallback

    def _remember(self, space: Space) -> Pool:
        return remembered(
            self._pools, space, lambda: Pool(space, Candidates(), Encoder(space, 0, paths=False))
        )

    def _told(
        self, space: Space, observed: Observations, seed: int, directory: Path
    ) -> HyperparameterOptimizationFacade | BlackBoxFacade:
        """The facade, told what was observed."""
        from smac import Scenario
        from smac.runhistory.dataclasses import TrialInfo, TrialValue

        networks = observed.networks().values()
        chosen = [observed.evaluations[positions[0]].trial.configuration for positions in networks]
        scenario = Scenario(
            space.configuration_space,
            deterministic=True,
            n_trials=len(observed) + self.attempts + 1,
            output_directory=directory,
            seed=seed,
        )
        facade = self.facade(
            scenario,
            _never_called,
            # What was evaluated is the initial design, so SMAC goes straight to its model.
            initial_design=self.facade.get_initial_design(
                scenario, n_configs=0, additional_configs=chosen[:1]
            ),
            acquisition_maximizer=_ordered(
                self.facade.get_acquisition_maximizer(scenario, challengers=self.challengers)
            ),
            config_selector=self.facade.get_config_selector(scenario, retrain_after=self.attempts),
            intensifier=self.facade.get_intensifier(scenario, max_config_calls=1),
            logging_level=False,
            overwrite=True,
        )
        costs = tamed(observed.costs)
        for configuration, positions in zip(chosen, networks, strict=True):
            # One value a network: without seeds, SMAC's run history holds one.
            cost = float(np.mean(costs[positions]))
            facade.tell(TrialInfo(configuration, seed=0), TrialValue(cost), save=False)
        return facade


def _ordered(maximizer: AbstractAcquisitionMaximizer) -> AbstractAcquisitionMaximizer:
    """Make the local search of SMAC3 independent of PYTHONHASHSEED.

    It collects its starting points in a set of configurations, which are hashed by their text, so
    their order, and with it what is proposed, differs from process to process.
    """
    from smac.acquisition.maximizer import LocalSearch

    search = getattr(maximizer, "_local_search", maximizer)
    if isinstance(search, LocalSearch):
        unordered = search._get_init_points_from_previous_configs

        def ordered(*arguments: Any) -> list[Configuration]:
            return sorted(unordered(*arguments), key=lambda point: point.get_array().tobytes())

        setattr(search, unordered.__name__, ordered)
    return maximizer


def _never_called(config: Configuration, seed: int = 0) -> float:
    """The evaluation belongs to the search, but SMAC asks for a function of its own."""
    raise NotImplementedError
