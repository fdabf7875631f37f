"""The search: proposals by a strategy, budgets by a schedule, costs by an objective."""

from __future__ import annotations

import operator
import shutil
import tempfile
import time
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bonas.callbacks.callback import Callback, Listeners
from bonas.reports.html import search_html
from bonas.reports.report import report
from bonas.roles import RUNNER, SCHEDULE, SPACE, STRATEGY, check_role
from bonas.runners.in_process import InProcess
from bonas.runners.runner import Runner
from bonas.search.checkpoint_store import CHECKPOINTS, CheckpointStore, check_cap
from bonas.search.failures import FIRST_FAILURES, warn_if_infeasible
from bonas.search.loop import STALE_PROPOSALS, Run
from bonas.search.manifest import check_header, header
from bonas.search.progress import Progress, Silent
from bonas.search.proposer import Proposer, default_strategy
from bonas.search.signals import Signals
from bonas.search.stop import Stop
from bonas.search.trial_queue import TrialQueue
from bonas.strategies.strategy import Exhausted, Recommender, Strategy
from fidelity.history.budget_check import ignores_budget
from fidelity.history.goal import COST, Constraint, WithGoal, goal
from fidelity.history.history import History
from fidelity.history.journal import Journal
from fidelity.history.metrics import checked
from fidelity.history.ranking import ranked
from fidelity.history.records import evaluation_record, trial_record
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import (
    MISSING,
    Diverged,
    MissingValue,
    Objective,
    Result,
    accepted_arguments,
    interpret,
    resumes,
)
from fidelity.schedules.full import FullFidelity
from fidelity.schedules.schedule import Promote, Schedule, ScheduleError, Start
from spaces.keys import unlabelled
from spaces.space import Space


class Search:
    """A search over `space` for the configuration of lowest cost.

    Args:
        space: the architectures.
        objective: a function of a configuration (and, if it names them, `budget`, `seed` and
            `context`) that returns a cost to be minimised, or a mapping with 'cost'. One that
            cannot continue from a checkpoint says so by an attribute `resumes = False`.
        strategy: proposes configurations; Bayesian optimization by default.
        schedule: chooses budgets; by default everything at the objective's `max_budget`.
        objectives: names of what is minimised. With several, `pareto_front` is what is looked
            for; the first one is the cost.
        constraints: limits on quantities that the objective returns, or that its attribute
            `computed` knows beforehand: a network beyond one of these is never trained.
        directory: where history and checkpoints are kept; the same directory means resume.
            None keeps them only as long as the search lives.
        checkpoint_bytes: that checkpoints may take on the disk, see `CheckpointStore`; None is
            no cap.
        seed: of everything random. The same seed gives the same search.

    Raises:
        TypeError: an argument is a class or a name where an object is expected.
        ObjectiveError: the objective cannot be called with what a search passes.
        ScheduleError: the schedule asks for more than the objective's `max_budget`.
        GoalError: objectives or constraints that no search can have.
        JournalError: the directory cannot be written, is in use, or holds another search.
        ValueError: the cap is not positive.
    """

    def __init__(
        self,
        space: Space,
        objective: Objective,
        *,
        strategy: Strategy | None = None,
        schedule: Schedule | None = None,
        objectives: Sequence[str] = (COST,),
        constraints: Sequence[Constraint] = (),
        directory: str | Path | None = None,
        checkpoint_bytes: int | None = None,
        seed: int = 0,
    ) -> None:
        check_role("space", space, SPACE, "spaces.CellSpace.nasbench201()")
        accepted_arguments(objective)
        if strategy is not None:
            check_role("strategy", strategy, STRATEGY, "strategies.RandomSearch()")
        if schedule is not None:
            check_role("schedule", schedule, SCHEDULE, "Hyperband(1, 9)")
        check_cap(checkpoint_bytes)
        self.space = space
        self.objective = objective
        unlabelled(space)  # probed now, so that a warning comes before the first evaluation
        self.goal = goal(objective, objectives, constraints)
        self.strategy = default_strategy(self.goal) if strategy is None else strategy
        self.schedule = _schedule(objective, schedule)
        self.seed = operator.index(seed)  # integers of numpy too, and no others
        self.history = History(
            space.configuration_space, resumes=resumes(objective), goal=self.goal
        )
        self._evaluated = WithGoal(objective, self.goal) if self.goal.named else objective
        self._in_flight = TrialQueue()
        self._proposals = Proposer(space, self.strategy, self.history, self.seed, self._append)
        self._runner: Runner | None = None  # whose clock counts
        self._before = 0.0  # seconds when that clock began
        self._journal: Journal | None = None
        self._remove: Callable[[], object] | None = None
        if directory is None:
            self.directory = Path(tempfile.mkdtemp(prefix="bonas-"))
            # Removed with the search, or when Python ends.
            self._remove = weakref.finalize(self, shutil.rmtree, self.directory, True)
        else:
            self.directory = Path(directory)
            self._journal = Journal(self.directory)
        try:
            if self._journal is not None:
                self._resume(self._journal)
            files = self.directory / CHECKPOINTS
            self._checkpoints = CheckpointStore(
                files, self.history, self.schedule, checkpoint_bytes
            )
        except BaseException:
            self.close()
            raise

    def _resume(self, journal: Journal) -> None:
        found, records = journal.records()
        mine = self.manifest()
        if found is not None and not check_header(found, records, mine, self.directory):
            journal.clear()
            shutil.rmtree(self.directory / CHECKPOINTS, ignore_errors=True)
            found, records = None, []
        if found is None:
            journal.append(mine, durable=True)
        self.history.replay(records, journal.path)
        self._in_flight.queue.extend(self.history.pending)
        ended = [e.started + e.seconds for e in self.history.evaluations]
        self._before = max(ended, default=0.0)

    def manifest(self) -> dict[str, Any]:
        """Return the first line of the journal: the settings of the search as plain JSON values."""
        return header(
            self.space, self.objective, self.goal, self.strategy, self.schedule, self.seed
        )

    # Ask and tell ---------------------------------------------------------------------------

    def ask(self) -> Trial | None:
        """The next trial to evaluate; tell what came of it.

        A network that was evaluated before at the same budget and seed is not handed out
        again: its known result is recorded.

        Returns:
            None if nothing can be done before something that is running is told.

        Raises:
            Exhausted: the space has nothing new left.
            NothingFeasible: no network was found that keeps the constraints.
        """
        for _ in range(STALE_PROPOSALS):
            trial = self._next()
            if trial is None or trial.number in self._in_flight.running:
                return trial
        raise Exhausted(f"the last {STALE_PROPOSALS} proposals were all known networks")

    def tell(self, trial: Trial, result: Result | Evaluation) -> Evaluation:
        """Records what came of a trial.

        Args:
            trial: as `ask` returned it.
            result: its cost, a mapping with 'cost', or a whole evaluation.

        Raises:
            ValueError: the trial is not running, or the evaluation is of another one.
            ObjectiveError: the result is no cost, or lacks what is minimised or constrained.
        """
        evaluation = result if isinstance(result, Evaluation) else self._interpreted(trial, result)
        if evaluation.trial.number != trial.number:
            raise ValueError(
                f"this is an evaluation of trial {evaluation.trial.number}, not of trial "
                f"{trial.number}: tell it with its own trial"
            )
        if trial.number not in self._in_flight.running:
            raise ValueError(f"trial {trial.number} is not running: ask for it first, tell it once")
        evaluation = checked(evaluation)
        self._check(evaluation)
        if trial.parent is not None and not self.history.resumes:
            evaluation = replace(evaluation, retrained=True)
        self._record(evaluation)
        self._in_flight.end(trial)
        return evaluation

    def _interpreted(self, trial: Trial, result: Result) -> Evaluation:
        try:
            return interpret(trial, self.goal.completed(trial.configuration, result))
        except Diverged as error:
            return Evaluation(trial, status=Status.DIVERGED, error=str(error))

    def _check(self, evaluation: Evaluation) -> None:
        """Refuse what lacks a value that the search needs, before anything has succeeded.

        The objective never returns it then; later, one trial has crashed.
        """
        self.goal.check(evaluation)
        error = evaluation.error or ""
        if error.startswith(MISSING) and not any(e.succeeded for e in self.history.evaluations):
            raise MissingValue(error.removeprefix(MISSING))

    def _next(self, stop: Callable[[], bool] = lambda: False) -> Trial | None:
        """Takes the next trial, which is then running, recorded as known, or waiting.

        Args:
            stop: ends a proposal that is refused again and again, by `Postponed`.
        """
        queue = self._in_flight.queue
        trial = queue.popleft() if queue else self._ask_schedule(stop)
        if trial is None:
            return None
        if known := self.history.known(trial):
            self._record(
                replace(
                    known,
                    trial=trial,
                    reused=known.trial.number,
                    retrained=False,
                    seconds=0.0,
                    started=self._clock(),
                )
            )
        else:
            self._in_flight.start(trial)
        return trial

    def _ask_schedule(self, stop: Callable[[], bool]) -> Trial | None:
        try:
            trial = self._trial(self.schedule.next(ranked(self.history)), stop)
        except Exhausted:
            trial = self._trial(self.schedule.next(ranked(self.history), exhausted=True), stop)
            if trial is None and not self.history.pending:
                raise
        if trial is not None:
            self.history.add_trial(trial)
            self._append({**trial_record(trial), "asked": time.time()})
        return trial

    def _append(self, record: Mapping[str, Any]) -> None:
        """Writes what could be asked for once more, if it were lost."""
        if self._journal is not None:
            self._journal.append(record, durable=False)

    def _trial(self, decision: Start | Promote | None, stop: Callable[[], bool]) -> Trial | None:
        number = len(self.history.trials)
        if decision is None:
            return None
        if isinstance(decision, Promote):
            parent = decision.trial
            return replace(parent, number=number, budget=decision.budget, parent=parent.number)
        configuration, key, seed = self._proposals.network(number, stop)
        return Trial(number, configuration, key, decision.budget, seed, bracket=decision.bracket)

    def _record(self, evaluation: Evaluation) -> None:
        if self._journal is not None:
            self._journal.append(evaluation_record(evaluation), durable=True)
        self.history.add_evaluation(evaluation)
        if evaluation.trial.parent is not None and ignores_budget(self.history):
            warnings.warn(
                "the objective seems to ignore its budget: the first networks that were promoted "
                "cost exactly the same at each budget. Let it use the argument 'budget', or "
                "search with FullFidelity",
                stacklevel=2,
            )
        self._checkpoints.tidy()

    # Run ------------------------------------------------------------------------------------

    def run(
        self,
        *,
        evaluations: int | None = None,
        seconds: float | None = None,
        epochs: float | None = None,
        runner: Runner | None = None,
        progress: Silent | None = None,
        callbacks: Sequence[Callback] = (),
        first_failures: int = FIRST_FAILURES,
    ) -> History:
        """Searches until a limit is reached or the space is exhausted.

        Stop are totals over all runs in the same directory. Nothing is started that would
        exceed `evaluations` or `epochs` when everything that runs has ended; what runs when
        `seconds` are over is finished. Ctrl-C or SIGTERM lets what runs finish; a second one
        stops at once. The same directory goes on from there. Where several workers would wait for
        slow proposals, these are made ahead, see `Run`.

        Args:
            evaluations: the number of evaluations in the history, reused ones included.
            seconds: on the runner's clock, since the search began; pauses between runs left out.
            epochs: units of budget really spent; continued and reused trials spend the rest.
            runner: evaluates the trials; by default one after another in this process.
            progress: what shows how it goes; by default a live table, or plain lines.
            callbacks: are told how it goes; what they raise is logged, and the run goes on.
            first_failures: when so many evaluations have failed and none has ever succeeded,
                the run stops instead of burning its budget.

        Raises:
            ValueError: no limit is given, or one is not positive.
            NothingWorks: the first evaluations have all failed, or all of this run; with the
                traceback of the first.
            NothingFeasible: no network was found that keeps the constraints.
            KeyboardInterrupt: after Ctrl-C or SIGTERM.
        """
        limits = Stop(evaluations=evaluations, seconds=seconds, epochs=epochs)
        runner = InProcess() if runner is None else runner
        check_role("runner", runner, RUNNER, "runners.LocalProcesses(4)")
        self._go_by(runner)
        with progress or Progress() as shown, Signals() as interrupts:
            listeners = Listeners(callbacks)
            Run(self, runner, limits, interrupts, shown, listeners, first_failures).go()
        warn_if_infeasible(self.history)
        return self.history

    def _clock(self) -> float:
        """Seconds since the search began; the first question starts the clock."""
        if self._runner is None:
            self._go_by(InProcess())
        assert self._runner is not None
        return self._before + self._runner.now()

    def _go_by(self, runner: Runner) -> None:
        """From now on the clock of `runner` counts."""
        before = self._before if self._runner is None else self._clock()
        self._runner, self._before = runner, before - runner.now()

    # Results --------------------------------------------------------------------------------

    @property
    def incumbent(self) -> Evaluation | None:
        """The best that was found, by the strategy's own judgement if it has one."""
        if isinstance(self.strategy, Recommender) and len(self.goal.objectives) == 1:
            found = self.strategy.recommend(self.space, ranked(self.history))
            return found and self.history.evaluation(found.trial.number)
        return self.history.incumbent

    @property
    def pareto_front(self) -> Sequence[Evaluation]:
        """See `History.pareto_front`."""
        return self.history.pareto_front

    def checkpoint(self, evaluation: Evaluation) -> Path | None:
        """The file with the trained weights of `evaluation`, if they are still kept."""
        return self._checkpoints.of(evaluation.trial.number)

    def report(self, path: str | Path) -> Path:
        """Writes a page about this search; see `bonas.report`."""
        return report(self, path)

    def _repr_html_(self) -> str:
        return search_html(self)

    def close(self) -> None:
        """Gives the directory free for another process."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        if self._remove is not None:
            self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _schedule(objective: Objective, schedule: Schedule | None) -> Schedule:
    most: float | None = getattr(objective, "max_budget", None)
    if schedule is None:
        return FullFidelity() if most is None else FullFidelity(most)
    if most is not None and schedule.max_budget > most:
        raise ScheduleError(
            f"the schedule goes to a budget of {schedule.max_budget}, but the objective's maximal "
            f"budget is {most}: make them equal"
        )
    return schedule
