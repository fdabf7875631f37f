"""Freeze-thaw: at each step, resume any paused network or start a new one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import Candidates, Exhausted, Pool
from bonas.acquisition.ensemble_sampling import new_network
from bonas.acquisition.feasibility import highest_admitted
from bonas.acquisition.gittins import gittins_index
from bonas.acquisition.prior import Belief
from bonas.knowledge.zero_cost import ZeroCost
from bonas.strategies.defaults import default_surrogate
from bonas.strategies.prior_knowledge import Earlier, PriorKnowledge, prior_knowledge
from bonas.strategies.spending import Spending, budget_spent
from bonas.strategies.strategy import Again, Proposal, Startable
from bonas.surrogates.multi_fidelity import Joint, JointTuning, fit
from bonas.surrogates.observations import Observations, best_at_highest, repeatable_at_budget
from bonas.surrogates.transform import Transform, normal_scores
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.schedules.schedule import Promote, ScheduleError, Start, check_budgets
from spaces.encoding import Encoder
from spaces.space import Space

if TYPE_CHECKING:
    from bonas.surrogates.budget_grid import GridPosterior
    from bonas.surrogates.surrogate import Surrogate


@dataclass(frozen=True)
class FreezeThaw(Startable):
    """A strategy that is its own schedule.

    After Swersky, Snoek and Adams 2014, "Freeze-thaw Bayesian optimization": one surrogate over
    architecture and budget models every paused network. The next step is chosen as in
    Pandora's box (Weitzman 1979; for Bayesian optimization Xie et al. 2024, "Cost-aware Bayesian
    optimization via the Pandora's box Gittins index"). The going rate is the highest expected gain
    per unit of spending of any training to the maximal budget, where the gain is the rise of the
    posterior mean of the recommended network; a contender may be trained there again, with another
    seed. An observation at a lower budget is worth the gain that remains after it minus the
    rest of the training at the going rate, if positive, minus its own spending at
    that rate. The step of the highest value is taken.

    The best of the first networks is trained to the maximal budget at once, so that there is
    something to recommend, and something that tells how well low budgets predict it. The going
    rate leaves out what a network teaches about others. To explore, the lowest budget therefore
    receives a share of what the highest one has spent: the squared correlation of the two, which is
    the share of the variance at the highest budget that the lowest one explains, as the surrogate
    has learned it. It starts the network of the highest expected gain at the maximal budget.

    Where training resumes, the learning curves of long training runs are observations at the lower
    budgets too.

    Attributes:
        min_budget: at which networks start, unless they are trained to the end at once.
        max_budget: at which the improvement counts; None is the `max_budget` of the objective.
        eta: the factor between budgets.
        surrogate: of architecture and budget, and of spending.
        candidates: the new networks that are considered.
        transform: maps the costs to the surrogate's targets.
        initial: the number of random networks at the lowest budget at the beginning.
        repeats: the maximal number of full training runs of one network; 1 forbids repeats.
        first: the number of full training runs whose share the lowest budget receives to explore;
            0 leaves all to the going rate.
        spending: what an evaluation spent; `seconds_spent` prefers fast networks, but measured
            seconds are not reproducible.
        belief: the user's prior over the best configuration; the initial networks are drawn from
            the mixture of `Ensemble`.
        zero_cost: scores a few networks before the first proposals that need them, as in
            `BayesianOptimization`; None scores none.
        earlier: searches from which this one learns, as in `BayesianOptimization`.

    Raises:
        ScheduleError: the budgets or eta make no sense.
        ValueError: `first` is negative or not finite.
    """

    min_budget: float
    max_budget: float | None = None
    eta: float = 3
    surrogate: Surrogate = field(default_factory=default_surrogate)
    candidates: Candidates = field(default_factory=Candidates)
    transform: Transform = normal_scores
    initial: int = 5
    repeats: int = 8
    first: float = 3
    spending: Spending = budget_spent
    belief: Belief | None = None
    zero_cost: ZeroCost | None = field(default_factory=ZeroCost)
    earlier: Earlier = ()

    def __post_init__(self) -> None:
        highest = self.min_budget if self.max_budget is None else self.max_budget
        check_budgets(self.min_budget, highest, self.eta)
        if not 0 <= self.first < math.inf:
            raise ValueError(
                f"first is {self.first}: it is a number of training runs to the highest budget, 0 "
                "or more"
            )

    def start(self, space: Space) -> FreezeThawSearch:
        """Return the strategy and schedule of one search; see `Startable.start`.

        Raises:
            ScheduleError: `max_budget` is None.
        """
        if self.max_budget is None:
            raise ScheduleError(
                "max_budget is None: give FreezeThaw the highest budget, or search with an "
                "objective that has the attribute max_budget"
            )
        encoder = Encoder(space, 1, paths=self.surrogate.reads_paths)
        pool = Pool(space, self.candidates, encoder)
        prior = prior_knowledge(self.zero_cost, self.earlier, space, encoder, pool, self.surrogate)
        return FreezeThawSearch(self, space, self.max_budget, encoder, pool, prior)

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """Return the network of the highest posterior mean among those at the highest budget.

        Args:
            space: the search space.
            history: of the search.
        """
        return self.start(space).recommend(space, history)


@dataclass
class FreezeThawSearch:
    """The strategy and the schedule of one search.

    Attributes:
        settings: of the search.
        space: the search space.
        max_budget: at which the improvement counts.
        encoder: of the space.
        pool: of new networks.
        prior: what is known before the first training.
    """

    settings: FreezeThaw
    space: Space
    max_budget: float
    encoder: Encoder = field(repr=False, compare=False)
    pool: Pool = field(repr=False, compare=False)
    prior: PriorKnowledge = field(repr=False, compare=False)
    _tuning: JointTuning = field(init=False, default_factory=JointTuning, repr=False, compare=False)
    _decision: tuple[tuple[int, int, int], Proposal] | None = field(
        init=False, default=None, repr=False, compare=False
    )

    @property
    def budgets(self) -> tuple[float, ...]:
        """The budgets in use, ascending: powers of eta below the highest."""
        budgets, eta = [self.max_budget], self.settings.eta
        while budgets[-1] / eta >= self.settings.min_budget * (1 - 1e-9):
            budgets.append(budgets[-1] / eta)
        return tuple(reversed(budgets))

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """See `Schedule.next`: the step of the highest value."""
        paused = self._paused(history)
        asked = history.keys()
        lowest = self.budgets[0]
        if history.networks < self.settings.initial and not exhausted:
            return Start(lowest)
        if all(trial.budget < self.max_budget for trial in history.trials):
            return self._first(history, paused, exhausted=exhausted)
        unseen = {} if exhausted else self._unseen(history, asked)
        points = [e.trial.configuration for e in paused] + list(unseen.values())
        if not points:
            return None
        repeatable = {}
        if not exhausted:
            finished = Observations(history.at(self.max_budget))
            repeatable = repeatable_at_budget(history, finished, self.settings.repeats)
        row, budget = self._best_step(history, paused, points, repeatable)
        if row < len(paused):
            return Promote(paused[row].trial, budget)
        proposals: list[Proposal] = [*points, *map(Again, repeatable.values())]
        self._decision = _moment(history), proposals[row]
        return Start(budget)

    def _first(
        self, history: History, paused: Sequence[Evaluation], *, exhausted: bool
    ) -> Start | Promote | None:
        """Promote the best network to the highest budget; until one ends, start others."""
        if paused:
            best = min(paused, key=lambda e: (-e.trial.budget, e.cost, e.trial.number))
            return Promote(best.trial, self.max_budget)
        begun = sum(trial.budget for trial in history.trials)
        if exhausted or begun >= self.settings.first * self.max_budget:
            return None
        unseen = self._unseen(history, history.keys())
        if not unseen:
            return None
        points = list(unseen.values())
        self._decision = _moment(history), points[self._most_improving(history, points)]
        return Start(self.budgets[0])

    def continuable(self, history: History) -> set[int]:
        """See `Schedule.continuable`: every paused network."""
        return {evaluation.trial.number for evaluation in self._paused(history)}

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        """Return the network of the step that `next` decided on.

        Args:
            space: the space of the search.
            history: of the search.
            rng: draws the initial networks.

        Raises:
            Exhausted: every network has been proposed.
            ValueError: `space` is another space.
        """
        if space is not self.space and space != self.space:
            raise ValueError("FreezeThaw was started for another space than that of the search")
        if history.networks < self.settings.initial:
            known = self.prior.first(history, rng)
            return known or new_network(self.pool, self.settings.belief, history, rng)
        moment = _moment(history)
        if self._decision is None or self._decision[0] != moment:
            self.next(history)
        if self._decision is None or self._decision[0] != moment:
            return self.pool.random(history.keys(), rng)
        return self._decision[1]

    def recommend(self, space: Space, history: History) -> Evaluation | None:
        """See `FreezeThaw.recommend`."""
        incumbent = history.incumbent
        if incumbent is None or incumbent.trial.budget != self.max_budget:
            return incumbent
        import torch

        from bonas.surrogates.surrogate import marginal_mean

        finished = [e for e in history.at(self.max_budget) if e.succeeded]
        joint = self._fit(history, [e.trial.configuration for e in finished])
        with torch.no_grad():
            means = marginal_mean(joint.model, joint.at(self.max_budget))[:, 0]
        return finished[int(means.argmax())]

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
            # A schedule receives no generator; the first trial holds the seed of the search.
            rng = np.random.default_rng([history.trials[0].seed, trials])
            return self.pool.unseen(asked, best, trials, rng)
        except Exhausted:
            return {}

    def _fit(self, history: History, points: Sequence[Configuration]) -> Joint:
        return fit(
            self.settings.surrogate,
            self.settings.transform,
            self.encoder,
            history,
            points,
            self.budgets,
            self._tuning,
            self.settings.spending,
            self.prior.extended,
        )

    def _most_improving(self, history: History, points: Sequence[Configuration]) -> int:
        """Return the row of `points` with the highest expected improvement at the lowest budget.

        Of those that satisfy the computable constraints, as everywhere that a network starts.
        """
        import torch

        from bonas.acquisition.expected_gain import log_improvement

        observed = [e.trial.configuration for e in history.evaluations if e.succeeded]
        joint = self._fit(history, [*points, *observed])
        m = len(points)
        with torch.no_grad():
            posterior: Any = joint.model.posterior(joint.at(self.budgets[0])[:, None])
            mean, variance = posterior.mean[:, 0, 0], posterior.variance[:, 0, 0]
            best = mean[m:].max() if observed else mean.max()
            improvement = log_improvement(mean[:m] - best, variance[:m].clamp_min(0.0).sqrt())
        return highest_admitted(improvement, points, history.goal)

    def _best_step(
        self,
        history: History,
        paused: Sequence[Evaluation],
        points: Sequence[Configuration],
        repeatable: Mapping[str, Trial],
    ) -> tuple[int, float]:
        """Return the row of `points`, or beyond them of `repeatable`, to train, and the budget."""
        import torch

        finished = {e.trial.key: e.trial for e in history.at(self.max_budget) if e.succeeded}
        order = [*repeatable, *(key for key in finished if key not in repeatable)]
        configurations = [finished[key].configuration for key in order]
        reached = [e.trial.budget for e in paused] + [0.0] * (len(points) - len(paused))
        joint = self._fit(history, [*points, *configurations])
        new, goal = slice(len(paused), len(points)), history.goal
        with torch.no_grad():
            allowed = [key in repeatable for key in order]
            highest = partial(highest_admitted, configurations=points, goal=goal)
            index = gittins_index(joint, reached, allowed, self.budgets, highest)
            if len(paused) < len(points) and self._explores(history, index.posterior[new]):
                first = highest_admitted(index.gains[new], points[new], goal)
                return len(paused) + first, self.budgets[0]
            lower = [index.at(budget) for budget in self.budgets[:-1]]
            values = torch.cat([*lower, index.at_once()])
            repeats = index.repeats()[: len(repeatable)]
        best = highest_admitted(values, [*points] * len(self.budgets), goal)
        if len(repeats) and repeats.max() > values[best]:
            return len(points) + int(repeats.argmax()), self.max_budget
        return best % len(points), self.budgets[best // len(points)]

    def _explores(self, history: History, new: GridPosterior) -> bool:
        """Return whether the lowest budget has received less than its share for exploration.

        Args:
            history: of the search.
            new: the posterior of the networks that have not been started.
        """
        trials = [trial.budget for trial in history.trials]
        explained = float(new.correlation(0, -1).median()) ** 2
        runs = min(trials.count(self.max_budget), self.settings.first)
        spent = self.budgets[0] * trials.count(self.budgets[0])
        return spent < explained * runs * self.max_budget


def _moment(history: History) -> tuple[int, int, int]:
    """Return what identifies the state of a history, which only ever grows."""
    return len(history.trials), len(history), len(history.refused)
