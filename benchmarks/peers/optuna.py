"""Optuna's samplers (Akiba et al. 2019, "Optuna").

Its tree-structured Parzen estimator (Bergstra et al. 2011; Watanabe 2023) and its Gaussian process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peers.peer import Choice, FlatSpace


@dataclass(frozen=True)
class TPE:
    """`optuna.samplers.TPESampler`.

    Attributes:
        multivariate: models the hyperparameters together; Optuna's default is one by one.
    """

    multivariate: bool = False

    def start(self, flat: FlatSpace, seed: int) -> OptunaSession:
        """See `Peer.start`."""
        import warnings

        import optuna

        with warnings.catch_warnings():
            # "multivariate" is an experimental option.
            warnings.simplefilter("ignore")
            sampler = optuna.samplers.TPESampler(seed=seed, multivariate=self.multivariate)
        return OptunaSession(flat, sampler)


@dataclass(frozen=True)
class OptunaGP:
    """`optuna.samplers.GPSampler`.

    Attributes:
        deterministic: whether it takes the objective to be without noise; not its default.
    """

    deterministic: bool = False

    def start(self, flat: FlatSpace, seed: int) -> OptunaSession:
        """See `Peer.start`."""
        import optuna

        sampler = optuna.samplers.GPSampler(seed=seed, deterministic_objective=self.deterministic)
        return OptunaSession(flat, sampler)


class OptunaSession:
    """See `Session`.

    Args:
        flat: the space to search.
        sampler: of Optuna.
    """

    def __init__(self, flat: FlatSpace, sampler: Any) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.flat = flat
        self.study = optuna.create_study(sampler=sampler)
        self.trial: Any = None

    def ask(self) -> Choice:
        """The next trial of the study."""
        self.trial = self.study.ask()
        return {
            name: self.trial.suggest_categorical(name, values)
            for name, values in self.flat.values.items()
        }

    def tell(self, choice: Choice, cost: float) -> None:
        """Ends the trial."""
        self.study.tell(self.trial, cost)
