"""Optuna's samplers (Akiba et al. 2019, "Optuna") with several objectives.

NSGA-II (Deb et al. 2002), the tree-structured Parzen estimator (Ozaki et al. 2022, "Multiobjective
tree-structured Parzen estimator") and the Gaussian process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from peers.peer import Choice
from peers.several import options
from spaces.space import Space


def nsga2(seed: int) -> Any:
    """With its default population of 50."""
    from optuna.samplers import NSGAIISampler

    return NSGAIISampler(seed=seed)


def small_nsga2(seed: int) -> Any:
    """With a population of 20, which suits 200 evaluations better."""
    from optuna.samplers import NSGAIISampler

    return NSGAIISampler(population_size=20, seed=seed)


def tpe(seed: int) -> Any:
    """Multivariate, as in the benchmark with one objective."""
    import warnings

    from optuna.samplers import TPESampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "multivariate" is an experimental option
        return TPESampler(seed=seed, multivariate=True)


def gp(seed: int) -> Any:
    """With its defaults."""
    from optuna.samplers import GPSampler

    return GPSampler(seed=seed)


@dataclass(frozen=True)
class OptunaFront:
    """A sampler of Optuna.

    Attributes:
        sampler: makes it, given a seed.
    """

    sampler: Callable[[int], Any]

    def start(self, space: Space, seed: int, evaluations: int) -> OptunaFrontSession:
        """See `FrontPeer.start`."""
        return OptunaFrontSession(options(space), self.sampler(seed))


class OptunaFrontSession:
    """See `FrontSession`.

    Args:
        choices: the values of each hyperparameter.
        sampler: of Optuna.
    """

    def __init__(self, choices: dict[str, tuple[str, ...]], sampler: Any) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.choices = choices
        self.study = optuna.create_study(sampler=sampler, directions=["minimize", "minimize"])
        self.trial: Any = None

    def ask(self) -> Choice:
        """The next trial of the study."""
        self.trial = self.study.ask()
        return {
            name: self.trial.suggest_categorical(name, values)
            for name, values in self.choices.items()
        }

    def tell(self, choice: Choice, costs: Sequence[float]) -> None:
        """Ends the trial."""
        self.study.tell(self.trial, list(costs))
