"""Freeze-thaw: at each step, continue any paused network or start a new one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.candidates import Candidates, Pool
from bonas.strategies.joint import Joint, Memory, fit
from bonas.strategies.observations import best_at_highest
from bonas.strategies.strategy import Exhausted
from bonas.surrogates.transform import Transform, normal_scores
from fidelity.history import History
from fidelity.schedules.schedule import Promote, Start, check_budgets
from fidelity.trial import Evaluation
from spaces.features import Encoder
from spaces.space import Space

if TYPE_CHECKING:
    from botorch.models.model import Model
    from torch import Tensor

    from bonas.surrogates.surrogate import Surrogate


def _surrogate() -> Surrogate:
    from bonas.surrogates.gaussian_process import GaussianProcess

    return GaussianProcess()


@dataclass(frozen=True)
class FreezeThaw:
    """A strategy and a schedule in one: pass the same object as both.

    After Swersky, Snoek and Adams 2014, "Freeze-thaw Bayesian optimization": one surrogate over
    architecture and budget knows every network that was paused. What to do next is chosen as in
    Pandora's box (Weitzman 1979; for Bayesian optimization Xie et al. 2024, "Cost-aware Bayesian
    optimization via the Pandora's box Gittins index"): the going rate is the most improvement at
    the maximal budget a second that any network promises if it is trained there at once. An
    observation at a lower budget is worth what remains of the improvement after it, less the
    rest of the training at the going rate, if that is positive, less its own seconds at that
    rate. The step of the highest worth is made.

    Attributes:
        space: the space of the search.
        min_budget: at which networks start, unless they are trained to the end at once.
        max_budget: at which the improvement counts.
        eta: the factor between budgets.
        surrogate: of architecture and budget, and of seconds.
        candidates: where to look for new networks.
        transform: what is learned instead of the costs.
        initial: how many random networks start at the lowest budget, the best two of which go
            to the highest, before the surrogate decides.
    """

    space: Space
    min_budget: float
    max_budget: float
    eta: float = 3
    surrogate: Surrogate = field(default_factory=_surrogate)
    candidates: Candidates = field(default_factory=Candidates)
    transform: Transform = normal_scores
    initial: int = 5
    _memory: Memory = field(default_factory=Memory, repr=False, compare=False)
    _pools: list[Pool] = field(default_factory=list, repr=False, compare=False)
    _next: dict[tuple[int, int], Configuration] = field(
        default_factory=dict, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        check_budgets(self.min_budget, self.max_budget, self.eta)
        encoder = Encoder(self.space, 1, paths=self.surrogate.reads_paths)
        self._pools.append(Pool(self.space, self.candidates, encoder))

    @property
    def budgets(self) -> tuple[float, ...]:
        """The budgets in use, ascending: powers of eta below the highest."""
        found = [self.max_budget]
        while found[-1] / self.eta >= self.min_budget * (1 - 1e-9):
            found.append(found[-1] / self.eta)
        return tuple(reversed(found))

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """The step of the highest worth; see `Schedule.next`."""
        paused = self._paused(history)
        asked = history.keys()
        lowest = self.budgets[0]
        if len(asked) < self.initial and not exhausted:
            return Start(lowest)
        if sum(t.budget == self.max_budget for t in history.trials) < 2:
            if paused:
                best = min(paused, key=lambda e: (-e.trial.budget, e.cost, e.trial.number))
                return Promote(best.trial, self.max_budget)
            return None if exhausted or history.pending else Start(lowest)
        unseen = {} if exhausted else self._unseen(history, asked)
        points = [e.trial.configuration for e in paused] + list(unseen.values())
        if not points:
            return None
        row, budget = self._most_worth(history, paused, points)
        if row < len(paused):
            return Promote(paused[row].trial, budget)
        self._next.clear()
        self._next[_moment(history)] = points[row]
        return Start(budget)

    def continuable(self, history: History) -> set[int]:
        """Every paused network."""
        return {evaluation.trial.number for evaluation in self._paused(history)}

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """The network of the step that `next` decided on.

        Raises:
            Exhausted: no network is left that was not asked for.
            ValueError: it is asked about another space.
        """
        if space != self.space:
            raise ValueError("FreezeThaw was made for another space than that of the search")
        asked = history.keys()
        if len(asked) < self.initial:
            return self._pools[0].random(asked, rng)
        if _moment(history) not in self._next:
            decision = self.next(history)
            if not isinstance(decision, Start) or _moment(history) not in self._next:
                return self._pools[0].random(asked, rng)
        return self._next[_moment(history)]

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """The network of the highest posterior mean among those trained to the highest budget."""
        incumbent = history.incumbent
        if incumbent is None or incumbent.trial.budget != self.max_budget:
            return incumbent
        finished = [e for e in history.at(self.max_budget) if e.succeeded]
        joint = self._fit(history, [e.trial.configuration for e in finished])
        return finished[int(_mean(joint.model, joint.at(self.max_budget)).argmax())]

    def _paused(self, history: History) -> list[Evaluation]:
        parents = {trial.parent for trial in history.trials}
        return [
            evaluation
            for evaluation in history.evaluations
            if evaluation.succeeded
            and evaluation.trial.budget < self.max_budget
            and evaluation.trial.number not in parents
        ]

    def _unseen(self, history: History, asked: set[str]) -> dict[str, Configuration]:
        best = best_at_highest(history)
        try:
            trials = len(history.trials)
            # A schedule is given no generator; the first trial tells the seed of the search.
            rng = np.random.default_rng([history.trials[0].seed, trials])
            return self._pools[0].unseen(asked, best, trials, rng)
        except Exhausted:
            return {}

    def _fit(self, history: History, points: Sequence[Configuration]) -> Joint:
        return fit(
            self.surrogate,
            self.transform,
            self._pools[0].encoder,
            history,
            points,
            (self.budgets[0], self.max_budget),
            self._memory,
        )

    def _most_worth(
        self, history: History, paused: Sequence[Evaluation], points: Sequence[Configuration]
    ) -> tuple[int, float]:
        """The row of `points` to train next, and the budget to train it to."""
        import torch

        finished = [e.trial.configuration for e in history.at(self.max_budget) if e.succeeded]
        joint = self._fit(history, [*points, *finished])
        m = len(points)
        rates = joint.log_rates()[:m].exp()
        reached = torch.zeros(m, dtype=rates.dtype)
        reached[: len(paused)] = torch.tensor([e.trial.budget for e in paused])
        top = joint.at(self.max_budget)
        with torch.no_grad():
            believed = _mean(joint.model, top)
            best = float((believed[m:] if finished else believed).max())
            worth = _Worth(joint, top[:m], rates, reached, best, self.max_budget)
            found = [worth.of(budget) for budget in self.budgets[:-1]]
            scores = torch.stack([*found, worth.at_once()])
        choice = int(scores.argmax())
        return choice % m, self.budgets[choice // m]


@dataclass(frozen=True)
class _Worth:
    """What steps are worth, in units of the targets.

    Attributes:
        joint: the surrogates; its first rows are the candidates.
        top: the candidates at the highest budget.
        rates: seconds a unit of budget, one a candidate.
        reached: the budget that each candidate was trained to.
        best: the target to improve on.
        max_budget: the highest budget.
    """

    joint: Joint
    top: Float[Tensor, "m d"]
    rates: Float[Tensor, " m"]
    reached: Float[Tensor, " m"]
    best: float
    max_budget: float

    def at_once(self) -> Float[Tensor, " m"]:
        """Of training to the highest budget: 0 for the network that sets the going rate."""
        return self._improvement() - self._going_rate() * self._seconds(self.max_budget)

    def of(self, budget: float) -> Float[Tensor, " m"]:
        """Of training to a lower `budget` and then deciding; never where it was reached."""
        import torch

        m = len(self.top)
        low = self.joint.at(budget)[:m]
        both: Any = self.joint.model.posterior(torch.stack([low, self.top], 1))
        noisy: Any = self.joint.model.posterior(low[:, None], observation_noise=True)
        covariance = both.distribution.covariance_matrix
        told = covariance[:, 0, 1] / noisy.variance[:, 0, 0].sqrt()
        variance = covariance[:, 1, 1]
        told = torch.minimum(told.abs(), variance.sqrt() * (1 - 1e-6))
        rest = (variance - told.square()).sqrt()
        nodes, weights = np.polynomial.hermite_e.hermegauss(16)
        after = both.mean[:, 1, :] + told[:, None] * torch.tensor(nodes)
        going = self._going_rate()
        owed = going * (self.max_budget - budget) * self.rates
        gain = (_improvement(after - self.best, rest[:, None]) - owed[:, None]).clamp_min(0.0)
        value = gain @ torch.tensor(weights / math.sqrt(2 * math.pi))
        value = value - going * self._seconds(budget)
        return value.masked_fill(self.reached >= budget, -math.inf)

    def _seconds(self, budget: float) -> Float[Tensor, " m"]:
        return (budget - self.reached) * self.rates

    def _improvement(self) -> Float[Tensor, " m"]:
        posterior: Any = self.joint.model.posterior(self.top[:, None])
        mean, variance = posterior.mean[:, 0, 0], posterior.variance[:, 0, 0]
        return _improvement(mean - self.best, variance.sqrt())

    def _going_rate(self) -> float:
        return float((self._improvement() / self._seconds(self.max_budget)).max())


def _improvement(gap: Float[Tensor, "*m"], deviation: Float[Tensor, "*m"]) -> Float[Tensor, "*m"]:
    """Expected improvement by a normal value `gap` above the best."""
    import torch

    z = gap / deviation.clamp_min(1e-12)
    density = torch.exp(-0.5 * z.square()) / math.sqrt(2 * math.pi)
    result: Tensor = gap * torch.special.ndtr(z) + deviation * density
    return result.clamp_min(0.0)


def _mean(model: Model, rows: Float[Tensor, "m d"]) -> Float[Tensor, " m"]:
    import torch

    from bonas.surrogates.surrogate import mean

    with torch.no_grad():
        return mean(model, rows)[:, 0]


def _moment(history: History) -> tuple[int, int]:
    """Names the state of a history: nothing is ever taken back from it."""
    return len(history.trials), len(history)
