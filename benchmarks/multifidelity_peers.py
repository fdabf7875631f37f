"""Peers of `multifidelity.py`: optimizers that choose architectures and epochs.

Each runs until the function that it evaluates raises an exception, and imports its library first.
"""

from __future__ import annotations

import itertools
import logging
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from ConfigSpace import ConfigurationSpace
from peers.peer import EDGES, OPERATIONS, Choice

Evaluate = Callable[[Choice, float], float]
"""The validation error in percent of a choice after a number of epochs."""


class Peer(Protocol):
    """An optimizer with fixed settings."""

    def run(self, seed: int, short: float, full: float, evaluate: Evaluate) -> None:
        """Search until `evaluate` raises an exception.

        Args:
            seed: of everything random.
            short: the lower budget.
            full: the highest budget.
            evaluate: trains from scratch.

        Raises:
            ImportError: its library is not installed.
        """
        ...


@dataclass(frozen=True)
class DEHB:
    """`dehb.DEHB` with its defaults, and with eta the ratio of the two budgets (2021)."""

    def run(self, seed: int, short: float, full: float, evaluate: Evaluate) -> None:
        """See `Peer.run`."""
        from dehb import DEHB as Optimizer
        from loguru import logger

        logger.remove()
        optimizer = Optimizer(
            cs=ConfigurationSpace({edge: list(OPERATIONS) for edge in EDGES}, seed=seed),
            # A little lower, or rounding leaves one rung; the rungs are full / eta and full.
            min_fidelity=short * 0.999,
            max_fidelity=full,
            eta=full / short,
            n_workers=1,
            seed=seed,
            output_path=tempfile.mkdtemp(prefix="dehb-"),
            log_level="ERROR",
            save_freq="end",
        )
        while True:
            job = optimizer.ask()
            budget = _known(job["fidelity"], short, full)
            cost = evaluate({edge: str(job["config"][edge]) for edge in EDGES}, budget)
            optimizer.tell(job, {"fitness": cost, "cost": budget})


@dataclass(frozen=True)
class SMAC:
    """`smac.MultiFidelityFacade` with its defaults, its Hyperband, and eta the ratio of budgets.

    Attributes:
        trials: the announced number of trials; the first quarter of them are random.
    """

    trials: int = 100

    def run(self, seed: int, short: float, full: float, evaluate: Evaluate) -> None:
        """See `Peer.run`."""
        from smac import MultiFidelityFacade, Scenario
        from smac.runhistory.dataclasses import TrialValue

        # In a space this small it repeatedly warns that it falls back on random ones.
        logging.getLogger("smac").setLevel(logging.ERROR)
        scenario = Scenario(
            ConfigurationSpace({edge: list(OPERATIONS) for edge in EDGES}, seed=seed),
            # A little lower, or rounding leaves one rung; the rungs are full / eta and full.
            min_budget=short * 0.999,
            max_budget=full,
            n_trials=self.trials,
            output_directory=Path(tempfile.mkdtemp(prefix="smac-")),
            seed=seed,
        )
        # It is typed as a whole number, and computed with as any.
        intensifier = MultiFidelityFacade.get_intensifier(scenario, eta=full / short)
        facade = MultiFidelityFacade(
            scenario, _never_called, intensifier=intensifier, overwrite=True, logging_level=False
        )
        while True:
            trial = facade.ask()
            choice = {edge: str(trial.config[edge]) for edge in EDGES}
            cost = evaluate(choice, _known(trial.budget, short, full))
            facade.tell(trial, TrialValue(cost), save=False)


def _never_called(config: Any, seed: int = 0, budget: float = 0.0) -> float:
    """Stand in for the function that SMAC requires, but never calls in ask-and-tell."""
    raise NotImplementedError


@dataclass(frozen=True)
class SyneTune:
    """An asynchronous halving of `syne_tune.optimizer.baselines` with a model, and its defaults.

    Attributes:
        bore: `ASHABORE` (gradient-boosted trees), else `BOHB` (kernel densities).
    """

    bore: bool

    def run(self, seed: int, short: float, full: float, evaluate: Evaluate) -> None:
        """See `Peer.run`."""
        logging.getLogger("syne_tune").setLevel(logging.ERROR)
        from syne_tune.backend.trial_status import Trial
        from syne_tune.config_space import choice as choice_of
        from syne_tune.optimizer.baselines import ASHABORE, BOHB
        from syne_tune.optimizer.scheduler import SchedulerDecision

        # Its random configurations come from numpy's global generator, whatever the seed.
        np.random.seed(seed)  # noqa: NPY002
        scheduler = (ASHABORE if self.bore else BOHB)(
            {edge: choice_of(list(OPERATIONS)) for edge in EDGES},
            metric="cost",
            time_attr="epochs",
            max_t=int(full),
            random_seed=seed,
            grace_period=int(short),
            reduction_factor=full / short,
        )
        for number in itertools.count():
            trial = Trial(number, scheduler.suggest().config, datetime.now())
            scheduler.on_trial_add(trial)
            choice = {edge: str(trial.config[edge]) for edge in EDGES}
            result = {"cost": evaluate(choice, short), "epochs": int(short)}
            if scheduler.on_trial_result(trial, result) != SchedulerDecision.CONTINUE:
                continue
            result = {"cost": evaluate(choice, full), "epochs": int(full)}
            scheduler.on_trial_result(trial, result)
            scheduler.on_trial_complete(trial, result)


@dataclass(frozen=True)
class Optuna:
    """Optuna's multivariate TPE, which is its stronger one here, with a pruner.

    Attributes:
        hyperband: its Hyperband, else its successive halving; both with the whole factor next
            below the ratio of the budgets.
    """

    hyperband: bool

    def run(self, seed: int, short: float, full: float, evaluate: Evaluate) -> None:
        """See `Peer.run`."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(
            sampler=_tpe(seed), pruner=self._pruner(int(short), int(full)), study_name=f"s{seed}"
        )
        for _ in itertools.count():
            trial = study.ask()
            choice = {edge: trial.suggest_categorical(edge, OPERATIONS) for edge in EDGES}
            trial.report(evaluate(choice, short), int(short))
            if trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                continue
            cost = evaluate(choice, full)
            trial.report(cost, int(full))
            study.tell(trial, cost)

    def _pruner(self, short: int, full: int) -> Any:
        from optuna.pruners import HyperbandPruner, SuccessiveHalvingPruner

        factor = full // short
        if self.hyperband:
            return HyperbandPruner(min_resource=short, max_resource=full, reduction_factor=factor)
        return SuccessiveHalvingPruner(min_resource=short, reduction_factor=factor)


def _tpe(seed: int) -> Any:
    import optuna

    with warnings.catch_warnings():
        # "multivariate" is an experimental option.
        warnings.simplefilter("ignore")
        return optuna.samplers.TPESampler(seed=seed, multivariate=True)


def _known(budget: float, short: float, full: float) -> float:
    """The closer of the two budgets, because the rungs of a peer are rounded."""
    return min((short, full), key=lambda known: abs(known - budget))
