"""SMAC3 as a strategy (Lindauer et al. 2022, "SMAC3: a versatile Bayesian optimization ...")."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import Candidates, Pool
from bonas.strategies.strategy import Startable, Strategy
from bonas.surrogates.observations import Observations, observations
from bonas.surrogates.transform import tamed
from fidelity.history.history import History
from spaces.keys import Keys
from spaces.space import Space

if TYPE_CHECKING:
    from smac import BlackBoxFacade, HyperparameterOptimizationFacade
    from smac.acquisition.maximizer import AbstractAcquisitionMaximizer

    Facade = type[HyperparameterOptimizationFacade] | type[BlackBoxFacade]


def _facade() -> type[HyperparameterOptimizationFacade]:
    from smac import HyperparameterOptimizationFacade

    return HyperparameterOptimizationFacade


@dataclass(frozen=True)
class SMAC(Startable):
    """Asks a facade of SMAC3 that has received all evaluations.

    A fresh facade is built for each proposal, so proposals depend on the history alone; SMAC's own
    state is its run history. It is fitted to the largest budget with enough evaluations: with
    the schedule `Hyperband` that is SMAC's multi-fidelity facade, which has the same model.
    Networks that were proposed before are not proposed again, whatever their configuration.

    Attributes:
        facade: a facade of SMAC3: its `HyperparameterOptimizationFacade` (a random forest) or
            `BlackBoxFacade` (a Gaussian process).
        initial: the number of random networks at the beginning.
        attempts: the number of proposals of SMAC that may be known networks, or networks beyond a
            constraint, before a random network is taken.
        challengers: the number of random configurations that SMAC's acquisition function ranks
            as starting points of its local search; SMAC's own 10,000 take seconds.
    """

    facade: Facade = field(default_factory=_facade)
    initial: int = 8
    attempts: int = 8
    challengers: int = 1000

    def start(self, space: Space) -> Strategy:
        """See `Startable.start`."""
        return _SMAC(self, Pool(space, Candidates(), Keys(space)))


@dataclass(frozen=True)
class _SMAC:
    settings: SMAC
    pool: Pool = field(repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        asked, initial = history.keys(), self.settings.initial
        observed = observations(history, initial)
        fallback = self.pool.random(asked, rng)
        if history.networks < initial or not observed:
            return fallback
        from joblib import parallel_config  # type: ignore[import-untyped]

        # SMAC's forest starts one thread per core for trees that fit faster than threads start.
        with (
            tempfile.TemporaryDirectory(prefix="bonas-smac-") as directory,
            parallel_config(backend="sequential"),
        ):
            facade = self._facade(space, observed, int(rng.integers(2**31)), Path(directory))
            for _ in range(self.settings.attempts):
                try:
                    proposed = facade.ask().config
                except StopIteration:  # SMAC knows no other configuration
                    break
                # SMAC's configurations remember their origin; a new one does not.
                vector = np.asarray(proposed.get_array())
                configuration = Configuration(space.configuration_space, vector=vector)
                new = self.pool.keys.key(configuration) not in asked
                if new and history.goal.admits(configuration):
                    return configuration
        return fallback

    def _facade(
        self, space: Space, observed: Observations, seed: int, directory: Path
    ) -> HyperparameterOptimizationFacade | BlackBoxFacade:
        """Return a facade that has received the observations."""
        from smac import Scenario
        from smac.runhistory.dataclasses import TrialInfo, TrialValue

        settings, networks = self.settings, observed.networks().values()
        configurations = [observed.evaluations[rows[0]].trial.configuration for rows in networks]
        scenario = Scenario(
            space.configuration_space,
            deterministic=True,
            n_trials=len(observed) + settings.attempts + 1,
            output_directory=directory,
            seed=seed,
        )
        make = settings.facade
        facade = make(
            scenario,
            _never_called,
            # The evaluations are the initial design, so SMAC starts with its model.
            initial_design=make.get_initial_design(
                scenario, n_configs=0, additional_configs=configurations[:1]
            ),
            acquisition_maximizer=_ordered(
                make.get_acquisition_maximizer(scenario, challengers=settings.challengers)
            ),
            config_selector=make.get_config_selector(scenario, retrain_after=settings.attempts),
            intensifier=make.get_intensifier(scenario, max_config_calls=1),
            logging_level=False,
            overwrite=True,
        )
        costs = tamed(observed.costs)
        for configuration, rows in zip(configurations, networks, strict=True):
            # One value per network: without seeds, SMAC's run history holds one.
            cost = float(np.mean(costs[rows]))
            facade.tell(TrialInfo(configuration, seed=0), TrialValue(cost), save=False)
        return facade


def _ordered(maximizer: AbstractAcquisitionMaximizer) -> AbstractAcquisitionMaximizer:
    """Make the local search of SMAC3 independent of PYTHONHASHSEED.

    It collects its starting points in a set of configurations, which are hashed by their text, so
    their order, and with it the proposal, would differ from process to process.
    """
    from smac.acquisition.maximizer import LocalSearch

    search = getattr(maximizer, "_local_search", maximizer)
    if isinstance(search, LocalSearch):
        method = "_get_init_points_from_previous_configs"
        unordered = getattr(search, method)

        def ordered(*arguments: Any) -> list[Configuration]:
            return sorted(unordered(*arguments), key=lambda point: point.get_array().tobytes())

        setattr(search, method, ordered)
    return maximizer


def _never_called(config: Configuration, seed: int = 0) -> float:
    """Stand in for the target function that SMAC requires; the search evaluates."""
    raise NotImplementedError
