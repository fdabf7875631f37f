"""Early stopping by learning curves: a trial ends when it will hardly beat the best.

Domhan, Springenberg and Hutter (2015), "Speeding up automatic hyperparameter optimization of deep
neural networks by extrapolation of learning curves", IJCAI.
"""

from __future__ import annotations

from dataclasses import dataclass

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.schedules.curve_extrapolation import extrapolate
from fidelity.schedules.replay import Promotions, follow
from fidelity.schedules.schedule import Promote, ScheduleError, Start, check_budgets


@dataclass(frozen=True)
class CurveStopping:
    """Continues a trial step by step while the chance that it beats the incumbent is not small.

    A trial is stopped when the probability that its cost at the maximal budget will be below the
    lowest one seen there is less than `risk`. Until something has reached the maximal budget,
    everything goes on to it. Checkpoints make the steps cheap, so it suits objectives that
    resume.

    The risk is that of one decision, as far as curves behave like those of `curve_extrapolation`;
    `benchmarks/curve_stopping.py` measures how often a stopped trial would have been the best.

    Attributes:
        max_budget: at which trials end that are not stopped.
        step: the budget between two decisions.
        min_budget: at which trials start; by default one step.
        risk: the probability of beating the incumbent below which a trial is stopped, in [0, 1).
            At 0 nothing ever is.

    Raises:
        ScheduleError: a budget or the risk is out of its range.
    """

    max_budget: float
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
        return min(self.step, self.max_budget) if self.min_budget is None else self.min_budget

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """Continues the trial of lowest number that may go on, or starts a new one."""
        if waiting := self._open(history):
            trial = waiting[min(waiting)]
            following = trial.budget + self.step
            # Steps such as 0.1 do not add up to a whole number exactly.
            last = following > self.max_budget - 1e-6 * self.step
            return Promote(trial, self.max_budget if last else following)
        return None if exhausted else Start(self._first)

    def continuable(self, history: History) -> set[int]:
        """The trials that are to go on."""
        return set(self._open(history))

    def _open(self, history: History) -> dict[int, Trial]:
        """The trials that are to go on and were not yet promoted, by number."""
        state = follow(history, self, lambda: _State(self.max_budget))
        best = self._incumbent(history)
        for number, evaluation in list(state.waiting.items()):
            if best is None or state.judged.get(number) == best:
                continue
            state.judged[number] = best
            if chance_below(best, history, evaluation, self.max_budget) < self.risk:
                del state.waiting[number]
        return {number: evaluation.trial for number, evaluation in state.waiting.items()}

    def _incumbent(self, history: History) -> float | None:
        best = history.incumbent
        return None if best is None or best.trial.budget < self.max_budget else best.cost


class _State:
    """What a schedule knows of a history.

    A stopped trial stays stopped: the incumbent's cost only falls, and the chance to be below
    it with it. So a schedule that has never seen the history decides the same.

    Attributes:
        waiting: the evaluations of the trials that are to go on, by number.
        judged: against which cost each of them was compared last.
    """

    def __init__(self, max_budget: float) -> None:
        self.waiting: dict[int, Evaluation] = {}
        self.judged: dict[int, float] = {}
        self._max_budget = max_budget
        self._promotions = Promotions()
        self._successes: dict[int, Evaluation] = {}  # below the maximal budget

    def asked(self, trial: Trial) -> None:
        self._promotions.asked(trial)
        if trial.parent is not None:
            self.waiting.pop(trial.parent, None)

    def ended(self, evaluation: Evaluation) -> None:
        trial = evaluation.trial
        if evaluation.succeeded and trial.budget < self._max_budget:
            self._successes[trial.number] = evaluation
            self._wait(evaluation)
        elif self._promotions.ended(evaluation):  # lost with its worker
            self._wait(self._successes[trial.parent or 0])

    def _wait(self, evaluation: Evaluation) -> None:
        if evaluation.trial.number not in self._promotions:
            self.waiting[evaluation.trial.number] = evaluation


def chance_below(cost: float, history: History, evaluation: Evaluation, max_budget: float) -> float:
    """The probability that a trial, continued to `max_budget`, ends below `cost`."""
    return extrapolate(curve(history, evaluation), max_budget).probability_below(cost)


def curve(history: History, evaluation: Evaluation) -> list[tuple[float, float]]:
    """Everything that was seen of a trial up to its budget, its parents' budgets included.

    Returns:
        Pairs (step, cost) in ascending steps: what was reported, and the cost at each budget.
    """
    chain = [evaluation]
    while (parent := chain[-1].trial.parent) is not None:
        before = history.evaluation(parent)
        assert before is not None  # only what has ended is promoted
        chain.append(before)
    points: dict[float, float] = {}
    for part in reversed(chain):
        points |= {step: cost for step, cost in part.curve if step <= part.trial.budget}
        points[part.trial.budget] = part.cost
    return sorted(points.items())
