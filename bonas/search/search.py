"""The search: proposals by a strategy, budgets by a schedule, costs by an objective."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bonas.callbacks.callback import Callback, Listeners
from bonas.reports.html import search_html
from bonas.roles import RUNNER, SCHEDULE, SPACE, STRATEGY, check_role
from bonas.runners.in_process import InProcess
from bonas.runners.runner import Runner
from bonas.search.checkpoint_store import CHECKPOINTS, CheckpointStore, check_cap
from bonas.search.clock import Clock
from bonas.search.dispatcher import Dispatcher
from bonas.search.engine import Engine
from bonas.search.failures import FIRST_FAILURES, warn_if_infeasible
from bonas.search.loop import Loop
from bonas.search.manifest import manifest
from bonas.search.progress import Progress, Silent
from bonas.search.proposer import Proposer
from bonas.search.signals import Signals
from bonas.search.stop import Stop
from bonas.search.storage import Storage
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.multi_objective import MultiObjectiveBayesianOptimization
from bonas.strategies.strategy import Recommender, Strategy
from fidelity.history.goal import COST, Constraint, Goal, WithGoal, goal
from fidelity.history.history import History
from fidelity.history.ranking import ranked
from fidelity.history.trial import Evaluation, Trial
from fidelity.objective import Objective, Result, accepted_arguments, resumes
from fidelity.schedules.full import FullFidelity
from fidelity.schedules.schedule import Schedule, ScheduleError
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
        unlabelled(space)  # probed now, so that a warning comes before the first evaluation
        self.space = space
        self.objective = objective
        self.goal = goal(objective, objectives, constraints)
        self.strategy = _default_strategy(self.goal) if strategy is None else strategy
        self.schedule = _schedule(objective, schedule)
        self.seed = operator.index(seed)  # integers of numpy too, and no others
        self.history = History(
            space.configuration_space, resumes=resumes(objective), goal=self.goal
        )
        plain = not self.goal.named
        self._completed = objective if plain else WithGoal(objective, self.goal)
        self._storage = Storage(self.history, directory, lambda: self.manifest)
        try:
            self._engine = self._new_engine(checkpoint_bytes)
        except BaseException:
            self.close()
            raise

    def _new_engine(self, checkpoint_bytes: int | None) -> Engine:
        files = self.directory / CHECKPOINTS
        return Engine(
            Proposer(self.space, self.strategy, self._storage, self.seed),
            self.schedule,
            self._storage,
            CheckpointStore(files, self.history, self.schedule, checkpoint_bytes),
            Clock(self._storage.elapsed),
        )

    @property
    def manifest(self) -> dict[str, Any]:
        """The first line of the journal: what this search is, as plain JSON values."""
        return manifest(
            self.space, self.objective, self.goal, self.strategy, self.schedule, self.seed
        )

    @property
    def directory(self) -> Path:
        """The directory of history and checkpoints; a temporary one if none was given."""
        return self._storage.directory

    # Ask and tell ---------------------------------------------------------------------------

    def ask(self) -> Trial | None:
        """Return the next trial to evaluate; pass its result to `tell`.

        A network that was evaluated before at the same budget and seed is not returned again: its
        known result is recorded.

        Returns:
            None if nothing can be done before a running trial ends.

        Raises:
            Exhausted: the space has nothing new left.
            NothingFeasible: no network was found that keeps the constraints.
        """
        return self._engine.next()

    def tell(self, trial: Trial, result: Result | Evaluation) -> Evaluation:
        """Record the result of a trial.

        Args:
            trial: as `ask` returned it.
            result: its cost, a mapping with 'cost', or an evaluation.

        Raises:
            ValueError: the trial is not running, or the evaluation is of another one.
            ObjectiveError: the result is no cost, or lacks an objective or a constrained quantity.
        """
        return self._engine.tell(trial, result)

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
        """Search until a total is reached or the space is exhausted.

        Totals are over all runs in the same directory. Nothing is started that would exceed
        `evaluations` or `epochs` when everything that runs has ended; what runs when `seconds` are
        over is finished. Ctrl-C or SIGTERM lets running trials finish; a second one stops at once.
        The same directory resumes from there. Where several workers would wait for slow proposals,
        these are prefetched, see `Loop`.

        Args:
            evaluations: the number of evaluations in the history, reused ones included.
            seconds: on the runner's clock, since the search began; pauses between runs left out.
            epochs: units of budget really spent; resumed and reused trials spend the rest.
            runner: evaluates the trials; by default one after another in this process.
            progress: the display; by default a live table, or plain lines.
            callbacks: are notified of events; what they raise is logged, and the run continues.
            first_failures: the number of failures without any success at which the run stops
                instead of spending its budget.

        Raises:
            ValueError: no total is given, or one is not positive.
            NothingWorks: the first evaluations have all failed, or all of this run; with the
                traceback of the first.
            NothingFeasible: no network was found that keeps the constraints.
            KeyboardInterrupt: after Ctrl-C or SIGTERM.
        """
        stop = Stop(evaluations=evaluations, seconds=seconds, epochs=epochs)
        runner = InProcess() if runner is None else runner
        check_role("runner", runner, RUNNER, "runners.LocalProcesses(4)")
        self._engine.clock.use(runner)
        with progress or Progress() as shown, Signals() as signals:
            Loop(
                self._engine,
                Dispatcher(runner, self._completed),
                stop,
                signals,
                shown,
                Listeners(callbacks),
                first_failures,
            ).run()
        warn_if_infeasible(self.history)
        return self.history

    # Results --------------------------------------------------------------------------------

    @property
    def incumbent(self) -> Evaluation | None:
        """The best evaluation, by the strategy's own judgement if it has one."""
        if isinstance(self.strategy, Recommender) and len(self.goal.objectives) == 1:
            recommended = self.strategy.recommend(self.space, ranked(self.history))
            return recommended and self.history.evaluation(recommended.trial.number)
        return self.history.incumbent

    @property
    def pareto_front(self) -> Sequence[Evaluation]:
        """See `History.pareto_front`."""
        return self.history.pareto_front

    def checkpoint(self, evaluation: Evaluation) -> Path | None:
        """Return the file with the trained weights of `evaluation`, if they are still stored."""
        return self._engine.checkpoints.of(evaluation.trial.number)

    def _repr_html_(self) -> str:
        return search_html(self)

    def close(self) -> None:
        """Release the directory lock."""
        self._storage.close()

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


def _default_strategy(goal: Goal) -> Strategy:
    several = len(goal.objectives) > 1
    return MultiObjectiveBayesianOptimization() if several else BayesianOptimization()
