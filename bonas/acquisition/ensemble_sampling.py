"""Ensemble sampling: a random network from the space, a belief, or around the incumbent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from jaxtyping import Float
from scipy.special import expit, logsumexp

from bonas.acquisition.candidates import ATTEMPTS, Pool
from bonas.acquisition.prior import Belief, draw_believed, log_densities
from fidelity.history.history import History
from fidelity.history.trial import UNSCHEDULED, Evaluation
from spaces.configurations.perturbation import log_closeness, perturb
from spaces.space import draw

BEST_SHARE = 3
"""One in three evaluations at a budget counts as good: 1/eta of the usual schedules."""

MIN_EVALUATIONS = 2 * BEST_SHARE
"""Evaluations at one budget, without those of the incumbent, before its neighbourhood counts."""


@dataclass(frozen=True)
class Ensemble:
    """A mixture of three distributions of configurations: the ensemble sampling of PriorBand.

    Mallik et al. 2023, "PriorBand: practical hyperparameter optimization in the age of deep
    learning", section 5. With probability

        p_uniform = 1 / (1 + b / b_min)

    a configuration is drawn from the space, where b is the budget at which new networks start and
    b_min the lowest such budget; on the rung r of a schedule b / b_min is eta^r, so this is the
    paper's 1 / (1 + eta^r). The rest is divided between the belief and the neighbourhood of the
    incumbent in the ratio of their scores,

        S(q) = sum_i w_i q(x_i) / sum_j q(x_j),

    for a density q over the evaluated networks x_j at the highest budget with enough of them. The
    first sum runs over the best third, and the weights w_i fall linearly from the best to 1. So
    a belief that does not single out the networks that turned out to be good is replaced by the
    incumbent's neighbourhood, and never excludes the space.

    Three things differ from the paper. Its scores are the sums of densities without the
    denominators; a belief is known up to a constant here, and a ratio within the evaluated networks
    has none. The incumbent itself does not count in the scores, because its own neighbourhood would
    always explain it best. And the neighbourhood takes part as soon as there are enough
    evaluations, where the paper waits for the first full training run: the strategy does not
    know the highest budget.

    Attributes:
        belief: of the user.
        uniform: the probability that a configuration is drawn from the space.
        prior: the probability that it is drawn from the belief; the rest is the incumbent's.
        incumbent: the centre of the neighbourhood; None if there is no incumbent yet.
    """

    belief: Belief
    uniform: float = 0.5
    prior: float = 0.5
    incumbent: Configuration | None = None

    def draw(self, space: ConfigurationSpace, rng: np.random.Generator) -> Configuration:
        """Draw a configuration.

        Args:
            space: of the search.
            rng: the only source of randomness.
        """
        position = rng.random()
        if position < self.uniform:
            return draw(space, rng)
        if position < self.uniform + self.prior or self.incumbent is None:
            return draw_believed(self.belief, space, rng)
        return perturb(self.incumbent, rng)


def ensemble(belief: Belief, history: History) -> Ensemble:
    """Return the mixture from which the next new network is drawn.

    A strategy is not told the budget of the trial that it proposes for, since it is a function of
    the history. The budget of the latest new network stands for it: only the first network of
    each bracket of Hyperband is drawn by the probabilities of the bracket before.

    Args:
        belief: of the user.
        history: of the search.
    """
    budgets = [t.budget for t in history.trials if t.parent is None and t.bracket != UNSCHEDULED]
    uniform = 1.0 / (1.0 + budgets[-1] / min(budgets)) if budgets else 0.5
    incumbent = history.incumbent
    observed = _observed(history, incumbent) if incumbent else []
    if incumbent is None or not observed:
        return Ensemble(belief, uniform, 1.0 - uniform)
    centre = incumbent.trial.configuration
    configurations = [evaluation.trial.configuration for evaluation in observed]
    closeness = np.array([log_closeness(one, centre) for one in configurations])
    advantage = _log_score(log_densities(belief, configurations)) - _log_score(closeness)
    prior = (1.0 - uniform) * float(expit(advantage))
    return Ensemble(belief, uniform, prior, centre)


def new_network(
    pool: Pool, belief: Belief | None, history: History, rng: np.random.Generator
) -> Configuration:
    """Return a new network: random, or with a belief drawn from the mixture of `Ensemble`.

    In an initial design the networks from the space are a hedge against a wrong belief. They also
    show how well it ranks, because their densities differ more than those of networks drawn from
    the belief.

    Args:
        pool: of the space.
        belief: of the user.
        history: of the search; its networks are left out.
        rng: the only source of randomness.

    Raises:
        Exhausted: there is no such network, or none was found.
    """
    asked = history.keys()
    if belief is not None:
        mixture = ensemble(belief, history)
        for _ in range(ATTEMPTS):
            configuration = mixture.draw(pool.space.configuration_space, rng)
            if pool.keys.key(configuration) not in asked:
                return configuration
    return pool.random(asked, rng)


def _observed(history: History, incumbent: Evaluation) -> list[Evaluation]:
    """Return the successes other than the incumbent's, the best first; none if there are few.

    They are those at the highest budget with enough of them.
    """
    for budget in reversed(history.budgets):
        others = [
            evaluation
            for evaluation in history.at(budget)
            if evaluation.succeeded and evaluation.trial.key != incumbent.trial.key
        ]
        if len(others) >= MIN_EVALUATIONS:
            return sorted(others, key=lambda evaluation: evaluation.cost)
    return []


def _log_score(log_density: Float[np.ndarray, " n"]) -> float:
    """Return log S of `Ensemble`; the best networks are the first ones."""
    top = len(log_density) // BEST_SHARE
    weights = np.arange(top, 0, -1)
    return float(logsumexp(log_density[:top], b=weights) - logsumexp(log_density))
