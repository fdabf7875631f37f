"""The search: proposals by a strategy, budgets by a schedule, costs by an objective."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from ConfigSpace import Configuration, ConfigurationSpace

from bonas.callbacks.callback import Callback, Listeners
from bonas.roles import RUNNER, SCHEDULE, SPACE, STRATEGY, check_role
from bonas.runners.in_process import InProcess
from bonas.runners.local_processes import LocalProcesses
from bonas.runners.runner import Runner
from bonas.search.best import Best, NoResult
from bonas.search.checkpoint_store import CheckpointStore, check_cap
from bonas.search.clock import Clock
from bonas.search.dispatcher import Dispatcher
from bonas.search.display import search_html
from bonas.search.engine import Engine
from bonas.search.failures import FIRST_FAILURES, warn_if_infeasible
from bonas.search.loop import Loop
from bonas.search.manifest import manifest
from bonas.search.progress import Progress, Silent
from bonas.search.proposer import Proposer
from bonas.search.scorer import Scorer
from bonas.search.signals import Signals
from bonas.search.stop import Stop
from bonas.search.storage import Storage
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.multi_objective import MultiObjectiveBayesianOptimization
from bonas.strategies.strategy import Strategy, recommended, started
from fidelity.history.goal import COST, Constraint, Goal, Maximize, goal
from fidelity.history.history import History
from fidelity.history.ranking import ranked
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import (
    Objective,
    Result,
    WithGoal,
    accepted_arguments,
    deterministic,
    resumes,
    takes_seed,
)
from fidelity.schedules import schedule as schedules
from fidelity.schedules.full import FullFidelity
from fidelity.schedules.schedule import Schedule, ScheduleError, known
from spaces.hyperparameter_space import HyperparameterSpace
from spaces.keys import unlabelled
from spaces.space import Space, configuration, values


class Search:
    """A search for the configuration of lowest cost.

    Args:
        space: the architectures, or a ConfigurationSpace of hyperparameters alone.
        objective: a function of a configuration (and, if it names them, `budget`, `seed` and
            `context`) that returns a cost to be minimised, or a mapping with 'cost'. An attribute
            `resumes = False` says that it cannot continue from a checkpoint, and
            `deterministic = True` that a repetition returns the same.
        strategy: proposes configurations; Bayesian optimization by default.
        schedule: chooses budgets; by default everything at the objective's `max_budget`, or the
            strategy itself if it is a schedule, too.
        objectives: names of what is minimised, or `Maximize(name)`. With several, the result is
            `pareto_front`; the first one is the cost.
        constraints: on quantities that the objective returns, or that its attribute `computed`
            computes before training: a network that violates one of these is never trained.
        directory: of history and checkpoints; the same directory means resume. None keeps them
            only as long as the search lives.
        checkpoint_bytes: the bytes that checkpoints may take on the disk, see `CheckpointStore`;
            None is no cap.
        seed: of everything random. The same seed gives the same search.

    Raises:
        ObjectiveError: the objective cannot be called with what a search passes.
        ScheduleError: the schedule asks for more than the objective's `max_budget`.
        GoalError: objectives or constraints that no search can have.
        JournalError: the directory cannot be written, is in use, or holds another search.
        ValueError: the cap is not positive.
    """

    def __init__(
        self,
        space: Space | ConfigurationSpace,
        objective: Objective,
        *,
        strategy: Strategy | None = None,
        schedule: Schedule | None = None,
        objectives: Sequence[str | Maximize] | str | Maximize = (COST,),
        constraints: Sequence[Constraint] | Constraint = (),
        directory: str | Path | None = None,
        checkpoint_bytes: int | None = None,
        seed: int = 0,
    ) -> None:
        space = HyperparameterSpace(space) if isinstance(space, ConfigurationSpace) else space
        check_role("space", space, SPACE, "spaces.CellSpace.nasbench201()")
        accepted_arguments(objective)
        check_cap(checkpoint_bytes)
        unlabelled(space)  # probed now, so that a warning comes before the first evaluation
        self.space: Space = space
        self.objective = objective
        self.goal = goal(objective, objectives, constraints)
        highest: float | None = getattr(objective, "max_budget", None)
        self.strategy = _complete_strategy(strategy, self.goal, highest)
        self._strategy = started(self.strategy, self.space)
        # A strategy like freeze-thaw is a schedule, too, given once or as both.
        self._both = (schedule is None or id(schedule) == id(strategy)) and all(
            hasattr(self._strategy, member) for member in SCHEDULE
        )
        both = cast(Schedule, self.strategy)
        self.schedule = both if self._both else _complete_schedule(schedule, highest)
        _check_highest(self.schedule, highest)
        self.seed = operator.index(seed)  # integers of numpy too, and no others
        self.history = History(
            space.configuration_space,
            resumes=resumes(objective),
            goal=self.goal,
            deterministic=deterministic(objective),
            seeded=takes_seed(objective),
        )
        self._completed = WithGoal(objective, self.goal) if self.goal.named else objective
        self._best: tuple[int, Evaluation | None] | None = None  # by the length of the history
        self._storage = Storage(self.history, directory, lambda: self.manifest)
        try:
            self._engine = self._new_engine(checkpoint_bytes)
        except BaseException:
            self.close()
            raise

    def _new_engine(self, checkpoint_bytes: int | None) -> Engine:
        own = cast(Schedule, self._strategy)
        schedule = own if self._both else schedules.started(self.schedule)
        storage, clock = self._storage, Clock(self._storage.elapsed)
        scorer = Scorer(self.objective, self.space, storage, clock)
        return Engine(
            Proposer(self.space, self._strategy, storage, self.seed, scorer),
            schedule,
            storage,
            CheckpointStore(storage.checkpoints, self.history, schedule, checkpoint_bytes),
            clock,
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

    def tell(
        self, trial: Trial, result: Result | Evaluation | None = None, *, error: str | None = None
    ) -> Evaluation:
        """Record the result of a trial.

        Args:
            trial: as `ask` returned it.
            result: its cost, a mapping with 'cost', or an evaluation.
            error: why it failed, in place of a result.

        Raises:
            ValueError: the trial is not running, the evaluation is of another one, or there is not
                exactly one of `result` and `error`.
            ObjectiveError: the result is no cost, or lacks an objective or a constrained quantity.
        """
        if (result is None) == (error is None):
            raise ValueError(
                f"tell either a result or an error of trial {trial.number}: "
                "tell(trial, 0.25) or tell(trial, error='out of memory')"
            )
        if result is None:
            result = Evaluation(trial, status=Status.CRASHED, error=error)
        return self._engine.tell(trial, result)

    def enqueue(self, configuration: Configuration | Mapping[str, Any]) -> None:
        """Evaluate a configuration next, before the proposals of the strategy.

        The schedule chooses its budget. A search that resumes from its directory still has it.

        Args:
            configuration: of the space, or its active values by name.

        Raises:
            SpaceError: it is not a configuration of the space.
            NothingFeasible: it violates a constraint that is computable before training.
        """
        self._engine.proposer.enqueue(self._configuration(configuration))

    def add(
        self,
        configuration: Configuration | Mapping[str, Any],
        result: Result,
        *,
        budget: float | None = None,
    ) -> Evaluation:
        """Record a result that is known from elsewhere; no budget counts as spent.

        The strategy learns from it, and the network is not evaluated again at that budget. The
        schedule ignores it.

        Args:
            configuration: of the space, or its active values by name.
            result: the cost, or a mapping with 'cost'.
            budget: at which it was obtained; by default the highest of the schedule.

        Raises:
            SpaceError: it is not a configuration of the space.
            ObjectiveError: the result is no cost, or lacks an objective or a constrained quantity.
        """
        budget = self.schedule.max_budget if budget is None else budget
        return self._engine.add(self._configuration(configuration), result, known(budget))

    def _configuration(self, given: Configuration | Mapping[str, Any]) -> Configuration:
        given = values(given) if isinstance(given, Configuration) else given
        return configuration(self.space.configuration_space, given)

    # Run ------------------------------------------------------------------------------------

    def run(
        self,
        *,
        evaluations: int | None = None,
        seconds: float | None = None,
        epochs: float | None = None,
        workers: int | None = None,
        runner: Runner | None = None,
        progress: bool | Silent = True,
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
            workers: the number of processes of this machine that evaluate trials; by default they
                are evaluated one after another in this process.
            runner: evaluates the trials elsewhere, in place of `workers`.
            progress: whether to show a live table, or plain lines; or the display itself.
            callbacks: are notified of events; one that raises `StopRun` ends the run.
            first_failures: the number of failures without any success at which the run stops
                instead of spending its budget.

        Raises:
            ValueError: no total is given, one is not positive, or there are workers and a runner.
            NothingWorks: the first evaluations have all failed, or all of this run; with the
                traceback of the first.
            NothingFeasible: no network was found that meets the constraints.
            KeyboardInterrupt: after Ctrl-C or SIGTERM.
        """
        stop = Stop(evaluations=evaluations, seconds=seconds, epochs=epochs)
        runner = _runner(workers, runner)
        self._engine.clock.use(runner)
        with _display(progress) as display, Signals() as signals:
            Loop(
                self._engine,
                Dispatcher(runner, self._completed),
                stop,
                signals,
                display,
                Listeners(callbacks),
                first_failures,
            ).run()
        warn_if_infeasible(self.history)
        # A recommendation may take a fit of the surrogate: only readers of a directory need it now.
        if self._storage.durable and (best := self.incumbent) is not None:
            self._storage.recommend(best.trial.number)
        return self.history

    # Results --------------------------------------------------------------------------------

    @property
    def best(self) -> Best:
        """The recommended configuration, its cost, and its evaluation.

        Raises:
            NoResult: nothing has succeeded and met all constraints yet.
        """
        if (evaluation := self.incumbent) is None:
            raise NoResult(
                f"none of {len(self.history)} evaluations has succeeded and met all constraints: "
                "run the search for longer, or look at history.frame() for the errors"
            )
        return Best(evaluation)

    @property
    def incumbent(self) -> Evaluation | None:
        """The best evaluation, by the strategy's own judgement if it has one; None so far."""
        if self._best is None or self._best[0] != len(self.history):
            self._best = len(self.history), self._recommended()
        return self._best[1]

    def _recommended(self) -> Evaluation | None:
        if len(self.goal.objectives) > 1:
            return self.history.incumbent
        best = recommended(self._strategy, self.space, ranked(self.history))
        return best and self.history.evaluation(best.trial.number)

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


def _complete_strategy(strategy: Strategy | None, goal: Goal, highest: float | None) -> Strategy:
    """Return the strategy, or the default one; one that is a schedule gets its maximal budget."""
    if strategy is None:
        several = len(goal.objectives) > 1
        return MultiObjectiveBayesianOptimization() if several else BayesianOptimization()
    check_role("strategy", strategy, STRATEGY, "strategies.RandomSearch()")
    if is_dataclass(strategy) and getattr(strategy, "max_budget", 0) is None:
        return cast(Strategy, replace(strategy, max_budget=highest))
    return strategy


def _complete_schedule(schedule: Schedule | None, highest: float | None) -> Schedule:
    """Return the schedule, or the default one, with its maximal budget."""
    if schedule is None:
        return FullFidelity() if highest is None else FullFidelity(highest)
    check_role("schedule", schedule, SCHEDULE, "Hyperband(1, 9)")
    return schedules.complete(schedule, highest)


def _check_highest(schedule: Schedule, highest: float | None) -> None:
    if highest is not None and known(schedule.max_budget) > highest:
        raise ScheduleError(
            f"the schedule goes to a budget of {schedule.max_budget}, but the objective's maximal "
            f"budget is {highest}: make them equal"
        )


def _runner(workers: int | None, runner: Runner | None) -> Runner:
    if workers is not None and runner is not None:
        raise ValueError("give workers, or a runner that has its own, but not both")
    if runner is None:
        runner = LocalProcesses(workers) if workers is not None and workers != 1 else InProcess()
    check_role("runner", runner, RUNNER, "runners.LocalProcesses(4)")
    return runner


def _display(progress: bool | Silent) -> Silent:
    if isinstance(progress, bool):
        return Progress() if progress else Silent()
    return progress
