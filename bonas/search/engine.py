"""The decisions of a search: which trial comes next, and what a result means for it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ConfigSpace import Configuration

from bonas.search.checkpoint_store import CheckpointStore
from bonas.search.clock import Clock
from bonas.search.proposer import Proposer
from bonas.search.storage import Storage
from bonas.search.trial_queue import TrialQueue
from bonas.strategies.strategy import Exhausted
from fidelity.history.budget_check import ignores_budget
from fidelity.history.history import History
from fidelity.history.metrics import checked
from fidelity.history.trial import UNSCHEDULED, Evaluation, Status, Trial
from fidelity.objective import MISSING, Context, Diverged, MissingValue, Result, interpret
from fidelity.schedules.schedule import Promote, Schedule, Start

STALE_PROPOSALS = 1000
"""Known networks proposed in a row after which the space counts as exhausted: a strategy that
draws with replacement would never end."""


@dataclass
class Engine:
    """Decides what is evaluated next and records what came of it; it runs nothing itself.

    Attributes:
        proposer: the strategy, within the constraints that are computable before training.
        schedule: of the budgets.
        storage: of the history.
        checkpoints: of the trials.
        clock: of the search.
        queue: of the trials that are running, and of those to be run before any new one.
    """

    proposer: Proposer
    schedule: Schedule
    storage: Storage
    checkpoints: CheckpointStore
    clock: Clock
    queue: TrialQueue = field(init=False)

    def __post_init__(self) -> None:
        self.queue = TrialQueue(self.history.pending)

    @property
    def history(self) -> History:
        """The history of the search."""
        return self.storage.history

    def next(
        self,
        *,
        stop: Callable[[], bool] = lambda: False,
        refused: Callable[[], bool] = lambda: False,
        reused: Callable[[Evaluation], object] = lambda evaluation: None,
    ) -> Trial | None:
        """Return the next trial to evaluate, which counts as running from here on.

        A network that was evaluated before at the same budget and seed is not returned again: its
        known result is recorded, or it waits for a running trial of the same network.

        Args:
            stop: whether to return None instead of taking another trial.
            refused: is called after each proposal that violates a constraint; returns whether to
                give up.
            reused: receives each known result that is recorded.

        Returns:
            None if nothing can be done before a running trial ends, or if `stop` said so.

        Raises:
            Exhausted: the space has nothing new left.
            NothingFeasible: no network was found that keeps the constraints.
            Postponed: `refused` said so.
        """
        for _ in range(STALE_PROPOSALS):
            if stop():
                return None
            trial = self.queue.pop() or self._request(refused)
            if trial is None:
                return None
            if known := self.history.known(trial):
                reused(self._reuse(trial, known))
            elif self.queue.start(trial):
                return trial
        raise Exhausted(f"the last {STALE_PROPOSALS} proposals were all known networks")

    def put_back(self, trial: Trial) -> None:
        """Take back a running trial: it is the next one."""
        self.queue.put_back(trial)

    def context(self, trial: Trial) -> Context:
        """Return what a trial starts from and may use while it runs."""
        return self.checkpoints.context(trial)

    def tell(
        self, trial: Trial, result: Result | Evaluation, context: Context | None = None
    ) -> Evaluation:
        """Record the result of a running trial.

        Args:
            trial: as `next` returned it.
            result: its cost, a mapping with 'cost', or an evaluation.
            context: with which it ran, if it ran with one.

        Raises:
            ValueError: the trial is not running, or the evaluation is of another one.
            ObjectiveError: the result is no cost, or lacks an objective or a constrained quantity.
            JournalError: the evaluation could not be written.
        """
        evaluation = result if isinstance(result, Evaluation) else self._interpreted(trial, result)
        if evaluation.trial.number != trial.number:
            raise ValueError(
                f"this is an evaluation of trial {evaluation.trial.number}, not of trial "
                f"{trial.number}: tell it with its own trial"
            )
        if trial.number not in self.queue.running:
            raise ValueError(f"trial {trial.number} is not running: ask for it first, tell it once")
        evaluation = checked(evaluation)
        self._verify_complete(evaluation)
        if trial.parent is not None:
            resumed = self.history.resumes and (context is None or context.resumed > 0)
            evaluation = replace(evaluation, retrained=evaluation.retrained or not resumed)
        self._record(evaluation)
        self.queue.end(trial)
        return evaluation

    def add(self, configuration: Configuration, result: Result, budget: float) -> Evaluation:
        """Record a result that is known from elsewhere.

        Args:
            configuration: of the space.
            result: its cost, or a mapping with 'cost'.
            budget: at which it was obtained.

        Raises:
            ObjectiveError: the result is no cost, or lacks an objective or a constrained quantity.
        """
        key, seed = self.proposer.key(configuration), self.proposer.seed
        number = len(self.history.trials)
        trial = Trial(number, configuration, key, budget, seed, bracket=UNSCHEDULED)
        evaluation = checked(self._interpreted(trial, result))
        self.history.goal.check(evaluation)
        self.storage.add_trial(trial)
        self._record(replace(evaluation, started=self.clock.now()))
        return evaluation

    def _request(self, refused: Callable[[], bool]) -> Trial | None:
        """Request a trial from the schedule and the strategy, and append it."""
        try:
            trial = self._decide(refused, exhausted=False)
        except Exhausted:
            trial = self._decide(refused, exhausted=True)
            if trial is None and not self.history.pending:
                raise
        if trial is not None:
            self.storage.add_trial(trial)
        return trial

    def _decide(self, refused: Callable[[], bool], *, exhausted: bool) -> Trial | None:
        number = len(self.history.trials)
        match self.schedule.next(self.proposer.seen(refused), exhausted=exhausted):
            case Promote(parent, budget):
                return replace(parent, number=number, budget=budget, parent=parent.number)
            case Start(budget, bracket):
                configuration, key, seed = self.proposer.network(number, refused)
                return Trial(number, configuration, key, budget, seed, bracket=bracket)
        return None

    def _reuse(self, trial: Trial, known: Evaluation) -> Evaluation:
        evaluation = replace(
            known,
            trial=trial,
            reused=known.trial.number,
            retrained=False,
            seconds=0.0,
            started=self.clock.now(),
        )
        self._record(evaluation)
        return evaluation

    def _interpreted(self, trial: Trial, result: Result) -> Evaluation:
        try:
            return interpret(trial, self.history.goal.completed(trial.configuration, result))
        except Diverged as error:
            return Evaluation(trial, status=Status.DIVERGED, error=str(error))

    def _verify_complete(self, evaluation: Evaluation) -> None:
        """Raise if a value is missing that the search needs and that never came before.

        The objective never returns it then; after a success, one trial has crashed.
        """
        self.history.goal.check(evaluation)
        error = evaluation.error or ""
        if error.startswith(MISSING) and not any(e.succeeded for e in self.history.evaluations):
            raise MissingValue(error.removeprefix(MISSING))

    def _record(self, evaluation: Evaluation) -> None:
        self.storage.add_evaluation(evaluation)
        if evaluation.trial.parent is not None and ignores_budget(self.history):
            warnings.warn(
                "the objective seems to ignore its budget: the first networks that were promoted "
                "cost exactly the same at each budget. Let it use the argument 'budget', or "
                "search with FullFidelity",
                stacklevel=2,
            )
        self.checkpoints.tidy()
