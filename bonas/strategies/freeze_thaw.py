"""Freeze-thaw: at each step, continue any paused network or start a new one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.acquisition.candidates import Candidates, Pool
from bonas.acquisition.gittins import improvement, worth
from bonas.strategies.spending import Spending, budget_spent
from bonas.strategies.strategy import Again, Exhausted, Proposal
from bonas.surrogates.multi_fidelity import Joint, Memory, fit
from bonas.surrogates.observations import Observations, best_at_highest, noisy
from bonas.surrogates.transform import Transform, normal_scores
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.schedules.schedule import Promote, Start, check_budgets
from spaces.encoding import Encoder
from spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor

    from bonas.surrogates.surrogate import Surrogate
    from fidelity.botorch import Model


def _surrogate() -> Surrogate:
    from bonas.surrogates.gaussian_process import GaussianProcess

    return GaussianProcess()


@dataclass(frozen=True)
class FreezeThaw:
    """A strategy and a schedule in one: pass the same object as both.

    After Swersky, Snoek and Adams 2014, "Freeze-thaw Bayesian optimization": one surrogate over
    architecture and budget knows every network that was paused. What to do next is chosen as in
    Pandora's box (Weitzman 1979; for Bayesian optimization Xie et al. 2024, "Cost-aware Bayesian
    optimization via the Pandora's box Gittins index"): the going rate is the most that any
    training to the maximal budget promises per unit of spending, where what counts is by how much
    it would raise the posterior mean of the network to recommend; a contender may be trained there
    again, with another seed. An observation at a lower budget is worth what remains of that gain
    after it, less the rest of the training at the going rate, if that is positive, less what the
    observation itself spends at that rate. The step of the highest worth is made.

    At first the surrogate only knows the lowest budget: networks are chosen by their expected
    improvement there until their trainings are worth a few to the maximal budget (`first`), and
    the best of them is trained to it.

    Attributes:
        space: the space of the search.
        min_budget: at which networks start, unless they are trained to the end at once.
        max_budget: at which the improvement counts.
        eta: the factor between budgets.
        surrogate: of architecture and budget, and of spending.
        candidates: where to look for new networks.
        transform: what is learned instead of the costs.
        initial: how many random networks start at the lowest budget before the surrogate decides.
        repeats: a network is trained to the highest budget at most so many times; 1 forbids it.
        first: the lowest budget is given as much as this many trainings to the maximal budget
            take, before any network goes further.
        spending: what an evaluation spent; `seconds_spent` prefers fast networks, but measured
            seconds are not reproducible.

    Raises:
        ScheduleError: the budgets or eta make no sense.
        ValueError: `first` is negative or not finite.
    """

    space: Space
    min_budget: float
    max_budget: float
    eta: float = 3
    surrogate: Surrogate = field(default_factory=_surrogate)
    candidates: Candidates = field(default_factory=Candidates)
    transform: Transform = normal_scores
    initial: int = 5
    repeats: int = 8
    first: float = 3
    spending: Spending = budget_spent
    _memory: Memory = field(init=False, default_factory=Memory, repr=False, compare=False)
    _pools: list[Pool] = field(init=False, default_factory=list, repr=False, compare=False)
    _next: dict[tuple[int, int, int], Proposal] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        check_budgets(self.min_budget, self.max_budget, self.eta)
        if not 0 <= self.first < math.inf:
            raise ValueError(
                f"first is {self.first}: it counts trainings to the highest budget, 0 or more"
            )
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
        if history.networks < self.initial and not exhausted:
            return Start(lowest)
        if not any(trial.budget == self.max_budget for trial in history.trials):
            return self._first(history, paused, exhausted=exhausted)
        unseen = {} if exhausted else self._unseen(history, asked)
        points = [e.trial.configuration for e in paused] + list(unseen.values())
        if not points:
            return None
        finished = Observations(history.at(self.max_budget))
        again = {} if exhausted else noisy(history, finished, self.repeats)
        row, budget = self._most_worth(history, paused, points, again)
        if row < len(paused):
            return Promote(paused[row].trial, budget)
        proposals: list[Proposal] = [*points, *map(Again, again.values())]
        self._decide(history, proposals[row])
        return Start(budget)

    def _first(
        self, history: History, paused: Sequence[Evaluation], *, exhausted: bool
    ) -> Start | Promote | None:
        """Networks at the lowest budget, and the best of them once to the highest."""
        begun = sum(trial.budget for trial in history.trials)
        unseen = self._unseen(history, history.keys())
        if not exhausted and unseen and begun < self.first * self.max_budget:
            points = list(unseen.values())
            self._decide(history, points[self._most_improving(history, points)])
            return Start(self.budgets[0])
        if not paused:
            return None
        best = min(paused, key=lambda e: (-e.trial.budget, e.cost, e.trial.number))
        return Promote(best.trial, self.max_budget)

    def _decide(self, history: History, proposal: Proposal) -> None:
        """Remembers what the strategy is to propose."""
        self._next.clear()
        self._next[_moment(history)] = proposal

    def continuable(self, history: History) -> set[int]:
        """Every paused network."""
        return {evaluation.trial.number for evaluation in self._paused(history)}

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """The network of the step that `next` decided on.

        Raises:
            Exhausted: no network is left that was not asked for.
            ValueError: it is asked about another space.
        """
        if space != self.space:
            raise ValueError("FreezeThaw was made for another space than that of the search")
        asked = history.keys()
        if history.networks < self.initial:
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
            self.spending,
        )

    def _most_improving(self, history: History, points: Sequence[Configuration]) -> int:
        """The row of `points` that promises the most at the lowest budget."""
        import torch

        known = [e.trial.configuration for e in history.evaluations if e.succeeded]
        joint = self._fit(history, [*points, *known])
        m = len(points)
        with torch.no_grad():
            posterior: Any = joint.model.posterior(joint.at(self.budgets[0])[:, None])
            mean, variance = posterior.mean[:, 0, 0], posterior.variance[:, 0, 0]
            best = mean[m:].max() if known else mean.max()
            found = improvement(mean[:m] - best, variance[:m].clamp_min(0.0).sqrt())
        return int(found.argmax())

    def _most_worth(
        self,
        history: History,
        paused: Sequence[Evaluation],
        points: Sequence[Configuration],
        again: Mapping[str, Trial],
    ) -> tuple[int, float]:
        """The row of `points`, or beyond them of `again`, to train next, and to which budget."""
        import torch

        finished = {e.trial.key: e.trial for e in history.at(self.max_budget) if e.succeeded}
        order = [*again, *(key for key in finished if key not in again)]
        known = [finished[key].configuration for key in order]
        reached = [e.trial.budget for e in paused] + [0.0] * (len(points) - len(paused))
        joint = self._fit(history, [*points, *known])
        with torch.no_grad():
            steps = worth(joint, reached, [key in again for key in order], self.max_budget)
            lower = [steps.of(budget) for budget in self.budgets[:-1]]
            scores = torch.stack([*lower, steps.at_once()])
            repeats = steps.repeats()[: len(again)]
        if len(repeats) and repeats.max() > scores.max():
            return len(points) + int(repeats.argmax()), self.max_budget
        choice = int(scores.argmax())
        return choice % len(points), self.budgets[choice // len(points)]


def _mean(model: Model, rows: Float[Tensor, "m d"]) -> Float[Tensor, " m"]:
    import torch

    from bonas.surrogates.surrogate import mean

    with torch.no_grad():
        return mean(model, rows)[:, 0]


def _moment(history: History) -> tuple[int, int, int]:
    """Names the state of a history: nothing is ever taken back from it."""
    return len(history.trials), len(history), len(history.refused)
