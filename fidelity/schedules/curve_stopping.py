"""Early stopping by learning curves: a trial ends when it will hardly beat the best.

Domhan, Springenberg and Hutter (2015), "Speeding up automatic hyperparameter optimization of deep
neural networks by extrapolation of learning curves", IJCAI.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.schedules.curve_extrapolation import extrapolate
from fidelity.schedules.replay import Promotions, Replaying
from fidelity.schedules.schedule import Promote, ScheduleError, Start, check_budgets, known


class Waiting:
    """The trials that wait for their next step.

    A stopped trial stays stopped: the incumbent's cost only falls, and the probability to beat it
    with it. So a schedule that has never seen the history decides the same.

    Attributes:
        evaluations: of the waiting trials, by number.
        compared: the incumbent's cost at the last decision on each of them.
    """

    def __init__(self, max_budget: float) -> None:
        self.evaluations: dict[int, Evaluation] = {}
        self.compared: dict[int, float] = {}
        self._max_budget = max_budget
        self._promotions = Promotions()
        self._successes: dict[int, Evaluation] = {}  # below the maximal budget

    def add_trial(self, trial: Trial) -> None:
        """Read a trial, which may be a promotion."""
        self._promotions.add_trial(trial)
        if trial.parent is not None:
            self.evaluations.pop(trial.parent, None)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Let a success below the maximal budget wait."""
        trial = evaluation.trial
        if evaluation.succeeded and trial.budget < self._max_budget:
            self._successes[trial.number] = evaluation
            self._wait(evaluation)
        elif self._promotions.add_evaluation(evaluation):  # lost with its worker
            self._wait(self._successes[trial.parent or 0])

    def _wait(self, evaluation: Evaluation) -> None:
        if evaluation.trial.number not in self._promotions:
            self.evaluations[evaluation.trial.number] = evaluation


@dataclass(frozen=True)
class CurveStopping(Replaying[Waiting]):
    """Promotion step by step while the probability of beating the incumbent is not small.

    A trial is stopped when the probability that its cost at the maximal budget will be below the
    lowest one there is less than `risk`. Until something has reached the maximal budget, all
    trials are promoted. Checkpoints make the steps cheap, so it suits objectives that resume.

    The risk is that of one decision, as far as curves behave like those of `curve_extrapolation`;
    `benchmarks/curve_stopping.py` measures how often a stopped trial would have been the best.

    Attributes:
        max_budget: of trials that are not stopped; None takes the objective's.
        step: the budget between two decisions.
        min_budget: of new configurations; by default one step.
        risk: the probability of beating the incumbent below which a trial is stopped, in [0, 1).
            At 0 no trial is stopped.

    Raises:
        ScheduleError: a budget or the risk is out of its range.
    """

    max_budget: float | None = None
    step: float = 1.0
    min_budget: float | None = None
    risk: float = 0.05

    def __post_init__(self) -> None:
        check_budgets(self._first, self.max_budget, eta=2)
        if not self.step > 0:
            raise ScheduleError(f"the step between two decisions is above 0, not {self.step}")
        if not 0 <= self.risk < 1:
            raise ScheduleError(
                f"the risk is a probability of at least 0 and below 1 (often 0.05), not {self.risk}"
            )

    @property
    def _first(self) -> float:
        step = self.step if self.max_budget is None else min(self.step, self.max_budget)
        return step if self.min_budget is None else self.min_budget

    def state(self) -> Waiting:
        """See `Settings`."""
        return Waiting(known(self.max_budget))

    def decide(
        self, state: Waiting, history: History, *, exhausted: bool
    ) -> Start | Promote | None:
        """See `Settings`: the next step of the waiting trial of lowest number, or a start."""
        if waiting := self.promotable(state, history):
            trial, most = state.evaluations[min(waiting)].trial, known(self.max_budget)
            following = trial.budget + self.step
            # Steps such as 0.1 do not add up to a whole number exactly.
            last = following > most - 1e-6 * self.step
            return Promote(trial, most if last else following)
        return None if exhausted else Start(self._first)

    def promotable(self, state: Waiting, history: History) -> Set[int]:
        """See `Settings`: the waiting trials, after those that are stopped now."""
        most, incumbent = known(self.max_budget), history.incumbent
        if incumbent is not None and incumbent.trial.budget >= most:
            cost = incumbent.cost
            for number, evaluation in list(state.evaluations.items()):
                if state.compared.get(number) != cost:
                    state.compared[number] = cost
                    if chance_below(cost, history, evaluation, most) < self.risk:
                        del state.evaluations[number]
        return set(state.evaluations)


def chance_below(cost: float, history: History, evaluation: Evaluation, max_budget: float) -> float:
    """Return the probability that a trial, promoted to `max_budget`, ends below `cost`.

    Args:
        cost: the threshold.
        history: with the trial's parents.
        evaluation: the last one of the trial.
        max_budget: the horizon of its learning curve.
    """
    return extrapolate(curve(history, evaluation), max_budget).probability_below(cost)


def curve(history: History, evaluation: Evaluation) -> list[tuple[float, float]]:
    """Return the learning curve of a trial up to its budget, its parents' budgets included.

    Args:
        history: with the trial's parents.
        evaluation: the last one of the trial.

    Returns:
        Pairs (step, cost) in ascending steps: the reported ones, and the cost at each budget.
    """
    chain = [evaluation]
    while (parent := chain[-1].trial.parent) is not None:
        before = history.evaluation(parent)
        assert before is not None  # only evaluated trials are promoted
        chain.append(before)
    points: dict[float, float] = {}
    for part in reversed(chain):
        points |= {step: cost for step, cost in part.curve if step <= part.trial.budget}
        points[part.trial.budget] = part.cost
    return sorted(points.items())
