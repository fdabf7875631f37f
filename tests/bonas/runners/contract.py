"""What holds for every runner; a test class for each inherits it whole."""

from __future__ import annotations

import errno
import math
import os
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas.runners.runner import Pollable, Runner
from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.checkpoint import Checkpoint, CheckpointWarning
from fidelity.history.caps import MAX_CURVE_POINTS, MAX_ERROR_CHARACTERS
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.objective import Context, MissingValue
from fidelity.schedules import AsynchronousHalving, Hyperband
from tests.bonas.runners.fakes import made, run, taking, trial
from tests.bonas.runners.worker_objectives import eventually
from tests.bonas.search.test_search import told
from tests.bonas.spaces import cells, cost

BLOCKED = Path(os.devnull) / "trial.pt"  # which no user can write


def timed(configuration: Configuration, budget: float) -> dict[str, float]:
    return {"cost": cost(configuration, budget), "seconds": budget}


def circular(context: Context) -> dict[Any, Any]:
    found: dict[Any, Any] = {"cost": 1.0, "seconds": 1.0}
    found["itself"] = found
    return found


def speechless(context: Context) -> dict[Any, Any]:
    class Speechless:
        def __repr__(self) -> str:
            raise ValueError("no words")

    return {"cost": 1.0, "seconds": 1.0, "what": Speechless()}


def no_pair(context: Context) -> dict[Any, Any]:
    context.curve.append(3)  # type: ignore[arg-type]
    return {"cost": 1.0, "seconds": 1.0}


def two_of_one_name(context: Context) -> dict[Any, Any]:
    return {"cost": 1.0, "seconds": 1.0, 1: 2, "1": 3}


UNRECORDABLE: list[Callable[[Context], dict[Any, Any]]] = [
    circular,
    speechless,
    no_pair,
    two_of_one_name,
]


def evaluated(runner: Runner, objective: Any, context: Context) -> Evaluation:
    runner.submit(objective, trial(0), context)
    return runner.wait()


class RunnerContract:
    def make(self) -> Runner:
        """A fresh runner with one worker."""
        raise NotImplementedError

    def searched(self, runner: Runner | None, seed: int) -> History:
        search = Search(
            cells(), timed, strategy=RandomSearch(), schedule=Hyperband(1, 9), seed=seed
        )
        return search.run(evaluations=40, runner=runner, progress=Silent())

    @pytest.mark.parametrize("seed", [0, 1])
    def test_one_worker_gives_the_history_of_any_other_runner(self, seed: int) -> None:
        assert told(self.searched(self.make(), seed)) == told(self.searched(None, seed))

    def test_an_evaluation_is_that_of_the_trial_on_the_clock_of_the_runner(self) -> None:
        runner = self.make()
        before = runner.now()
        runner.submit(taking(0.0, 2.0), trial(1), Context())
        evaluation = runner.wait()
        assert evaluation.trial == trial(1)
        assert evaluation.cost == 1.0
        assert before <= evaluation.started
        assert evaluation.seconds >= 0
        assert evaluation.started + evaluation.seconds <= runner.now()

    def test_a_busy_worker_takes_nothing_else(self) -> None:
        runner = self.make()
        runner.submit(taking(1.0), trial(0), Context())
        with pytest.raises(RuntimeError, match="wait before the next trial"):
            runner.submit(taking(1.0), trial(1), Context())

    def test_waiting_for_nothing_is_refused(self) -> None:
        with pytest.raises(RuntimeError, match="nothing is running"):
            self.make().wait()

    def test_what_is_cancelled_never_ends(self) -> None:
        runner = self.make()
        runner.submit(taking(1.0), trial(0), Context())
        runner.cancel()
        runner.submit(taking(1.0), trial(1), Context())
        assert runner.wait().trial.number == 1
        with pytest.raises(RuntimeError, match="nothing is running"):
            runner.wait()

    def test_a_failure_is_recorded_and_the_search_goes_on(self) -> None:
        def faulty(configuration: Configuration) -> dict[str, float]:
            if int(configuration["number"]) == 1:
                raise ValueError("broken")
            return {"cost": 1.0, "seconds": 1.0}

        history = run(made(faulty), self.make(), evaluations=3)
        assert [e.status for e in history.evaluations] == ["success", "crashed", "success"]

    def test_a_traceback_is_kept(self) -> None:
        def faulty(configuration: Configuration) -> float:
            raise ValueError("broken")

        runner = self.make()
        runner.submit(faulty, trial(0), Context())
        error = runner.wait().error
        assert error is not None
        assert 'raise ValueError("broken")' in error
        assert error.rstrip().endswith("ValueError: broken")

    @pytest.mark.parametrize("base", [BaseException, GeneratorExit, SystemExit])
    def test_an_exception_outside_the_usual_hierarchy_is_a_failure(
        self, base: type[BaseException]
    ) -> None:
        class Own(base):  # type: ignore[misc, valid-type]
            pass

        def faulty(configuration: Configuration) -> dict[str, float]:
            if int(configuration["number"]) == 1:
                raise Own("broken")
            return {"cost": 1.0, "seconds": 1.0}

        history = run(made(faulty), self.make(), evaluations=3)
        assert [e.status for e in history.evaluations] == ["success", "crashed", "success"]
        assert str(history.evaluations[1].error).rstrip().endswith("Own: broken")

    def test_a_huge_error_keeps_its_two_ends(self) -> None:
        def talkative(configuration: Configuration) -> float:
            raise ValueError("begins " + "x" * 50_000_000 + " ends")

        runner = self.make()
        runner.submit(talkative, trial(0), Context())
        error = str(runner.wait().error)
        assert len(error) <= MAX_ERROR_CHARACTERS
        assert error.startswith("Traceback")
        assert "ValueError: begins x" in error
        assert "characters are left out here" in error
        assert error.rstrip().endswith("x ends")

    def test_a_flood_of_reports_is_thinned_to_its_shape(self) -> None:
        def reporting(configuration: Configuration, context: Context) -> dict[str, float]:
            for step in range(100_001):
                context.report(step, -step)
            return {"cost": 0.0, "seconds": 1.0}

        runner = self.make()
        runner.submit(reporting, trial(0), Context())
        curve = runner.wait().curve
        assert len(curve) == MAX_CURVE_POINTS
        assert (curve[0], curve[-1]) == ((0.0, 0.0), (100_000.0, -100_000.0))
        gaps = {round(later - earlier) for (earlier, _), (later, _) in pairwise(curve)}
        assert gaps <= {100, 101}

    @pytest.mark.parametrize(
        ("returned", "status"),
        [(math.nan, "diverged"), ("good", "crashed"), (None, "crashed"), ({}, "crashed")],
    )
    def test_what_is_no_cost_is_a_failure(self, returned: Any, status: str) -> None:
        runner = self.make()
        runner.submit(lambda configuration: returned, trial(0), Context())
        evaluation = runner.wait()
        assert evaluation.status == status
        assert evaluation.error

    def test_an_objective_that_changes_its_configuration_changes_nothing_else(self) -> None:
        def changing(configuration: Configuration) -> dict[str, float]:
            configuration["number"] = 99
            return {"cost": float(configuration["number"]), "seconds": 1.0}

        history = run(made(changing), self.make(), evaluations=2)
        assert [e.trial.configuration["number"] for e in history.evaluations] == [0, 1]
        assert [e.cost for e in history.evaluations] == [99, 99]

    def test_metrics_and_the_curve_come_along(self) -> None:
        def reporting(configuration: Configuration, context: Context) -> dict[str, Any]:
            context.report(1, 0.5)
            context.report(2, 0.25)
            return {"cost": 0.25, "seconds": 1.0, "accuracy": np.float32(0.75), "note": "fine"}

        runner = self.make()
        runner.submit(reporting, trial(0), Context())
        evaluation = runner.wait()
        assert evaluation.curve == ((1.0, 0.5), (2.0, 0.25))
        assert (evaluation.metrics["accuracy"], evaluation.metrics["note"]) == (0.75, "fine")

    @pytest.mark.parametrize("fault", UNRECORDABLE)
    def test_what_cannot_be_recorded_is_a_crash_and_the_search_goes_on(
        self, fault: Callable[[Context], dict[Any, Any]], tmp_path: Path
    ) -> None:
        def objective(configuration: Configuration, context: Context) -> dict[Any, Any]:
            number = int(configuration["number"])
            return fault(context) if number == 1 else {"cost": float(number), "seconds": 1.0}

        with made(objective, directory=tmp_path) as search:
            history = run(search, self.make(), evaluations=3)
        assert sorted(str(e.status) for e in history.evaluations) == [
            "crashed",
            "success",
            "success",
        ]
        (failed,) = (e for e in history.evaluations if not e.succeeded)
        assert "cannot be recorded" in str(failed.error)
        assert list(History.load(tmp_path).evaluations) == list(history.evaluations)

    def test_other_keys_than_texts_become_texts(self, tmp_path: Path) -> None:
        def objective(configuration: Configuration) -> dict[Any, Any]:
            return {"cost": 0.5, "seconds": 1.0, 1: 2, (3, 3): {4: (np.int64(5),)}}

        with made(objective, directory=tmp_path) as search:
            history = run(search, self.make(), evaluations=1)
        metrics = {"seconds": 1.0, "1": 2, "(3, 3)": {"4": [5]}}
        assert history.evaluations[0].metrics == metrics
        assert History.load(tmp_path).evaluations[0].metrics == metrics

    def test_a_missing_named_objective_ends_the_run_at_once(self) -> None:
        search = made(lambda configuration: {"cost": 1.0, "seconds": 1.0}, objectives=("accuracy",))
        with pytest.raises(MissingValue, match="the objective returned no 'accuracy'"):
            run(search, self.make(), evaluations=9)
        assert len(search.history) == 0
        assert search.history.pending

    def test_a_checkpoint_that_cannot_be_written_is_a_warning_and_the_cost_counts(self) -> None:
        def saving(configuration: Configuration, context: Context) -> dict[str, float]:
            context.checkpoint.save({"step": 1})
            return {"cost": 0.25, "seconds": 1.0}

        context = Context(Checkpoint(target=BLOCKED))
        with pytest.warns(CheckpointWarning, match="cannot be written .*without it") as said:
            evaluation = evaluated(self.make(), saving, context)
        assert len(said) == 1
        assert (evaluation.status, evaluation.cost) == ("success", 0.25)
        assert evaluation.unsaved == os.strerror(errno.EEXIST)

    def test_a_checkpoint_that_cannot_be_read_is_a_warning_and_a_restart(
        self, tmp_path: Path
    ) -> None:
        def loading(configuration: Configuration, context: Context) -> dict[str, float]:
            return {"cost": float(context.checkpoint.load() is None), "seconds": 1.0}

        context = Context(Checkpoint(source=tmp_path / "trial-7.pt"), resumed=1.0)
        with pytest.warns(
            CheckpointWarning, match="cannot be read .*training starts from scratch"
        ) as said:
            evaluation = evaluated(self.make(), loading, context)
        assert len(said) == 1
        assert (evaluation.cost, evaluation.retrained) == (1.0, True)

    def test_a_promotion_of_what_left_no_checkpoint_trains_anew_and_says_so(self) -> None:
        def saving(configuration: Configuration, budget: float, context: Context) -> Any:
            assert context.resumed == 0
            assert context.checkpoint.load() is None
            context.checkpoint.target = BLOCKED
            context.checkpoint.save({"budget": budget})
            return {"cost": cost(configuration, budget), "seconds": budget}

        schedule = AsynchronousHalving(1, 9)
        search = Search(cells(), saving, strategy=RandomSearch(), schedule=schedule)
        with pytest.warns(CheckpointWarning) as said:
            history = run(search, self.make(), evaluations=12)
        assert all(e.succeeded for e in history.evaluations)
        evaluated = [e for e in history.evaluations if e.reused is None]
        promoted = [e.trial for e in evaluated if e.trial.parent is not None]
        assert promoted
        assert [e.retrained for e in evaluated] == [e.trial in promoted for e in evaluated]
        assert history.resource == sum(e.trial.budget for e in evaluated)
        texts = [str(warning.message) for warning in said]
        begun = [text for text in texts if "trains from the beginning" in text]
        assert len(begun) == len(promoted)
        assert all(
            f"trial {t.number} trains" in text for t, text in zip(promoted, begun, strict=True)
        )

    def test_an_interrupt_goes_through_and_what_ran_is_asked_again(self, tmp_path: Path) -> None:
        def interrupted(configuration: Configuration) -> dict[str, float]:
            number, once = int(configuration["number"]), tmp_path / "once"
            if number == 1 and not once.exists():
                once.touch()
                raise KeyboardInterrupt
            return {"cost": float(number), "seconds": 1.0}

        runner, search = self.make(), made(interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(search, runner, evaluations=3)
        assert [e.trial.number for e in search.history.evaluations] == [0]
        history = run(search, runner, evaluations=3)
        assert [e.trial.number for e in history.evaluations] == [0, 1, 2]


class PollableContract(RunnerContract):
    """What holds beyond that for runners whose workers go on in real time."""

    def pollable(self) -> Pollable:
        runner = self.make()
        assert isinstance(runner, Pollable)
        return runner

    def test_a_look_ends_when_nothing_else_does(self, tmp_path: Path) -> None:
        def held(configuration: Configuration) -> float:
            eventually((tmp_path / "free").exists, "the end of the first look")
            return 1.0

        runner = self.pollable()
        runner.submit(held, trial(0), Context())
        assert runner.poll(0.1) is None
        assert runner.poll(0.0) is None
        (tmp_path / "free").touch()
        found = [runner.poll(120.0)]
        assert [evaluation and evaluation.cost for evaluation in found] == [1.0]

    def test_another_thread_may_look_and_submit(self) -> None:
        runner = self.pollable()
        found: list[float] = []

        def attend() -> None:
            for number in (1, 2):
                evaluation = runner.poll(120.0)
                assert evaluation is not None
                found.append(evaluation.cost)
                runner.submit(taking(1.0), trial(number), Context())

        runner.submit(taking(1.0), trial(0), Context())
        thread = threading.Thread(target=attend)
        thread.start()
        thread.join()
        assert [*found, runner.wait().cost] == [0.0, 1.0, 2.0]

    def test_a_look_at_nothing_is_refused(self) -> None:
        with pytest.raises(RuntimeError, match="nothing is running"):
            self.pollable().poll(1.0)
