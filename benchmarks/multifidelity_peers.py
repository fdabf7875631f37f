"""Peers of `multifidelity.py`: optimizers that choose architectures and epochs.

Each runs until the function that it evaluates raises an exception, and imports its library first.
"""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ConfigSpace import ConfigurationSpace
from peers.peer import EDGES, OPERATIONS, Choice

Evaluate = Callable[[Choice, float], float]
"""The validation error in percent of a choice after so many epochs."""


class Peer(Protocol):
    """An optimizer with fixed settings."""

    def run(self, seed: int, short: float, full: float, evaluate: Evaluate) -> None:
        """Goes on until `evaluate` raises an exception.

        Args:
            seed: of everything random.
            short: the lower budget.
            full: the highest budget.
            evaluate: trains anew.

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
            budget = min((short, full), key=lambda known: abs(known - job["fidelity"]))
            cost = evaluate({edge: str(job["config"][edge]) for edge in EDGES}, budget)
            optimizer.tell(job, {"fitness": cost, "cost": budget})


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
