"""What holds for every runner; a test class for each inherits it whole."""

from __future__ import annotations

import pytest
from ConfigSpace import Configuration

from bonas.progress import Silent
from bonas.runners.runner import Runner
from bonas.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.history import History
from fidelity.objective import Context
from fidelity.schedules import Hyperband
from tests.bonas.runners.fakes import made, run, taking, trial
from tests.bonas.spaces import cells, cost
from tests.bonas.test_search import told


def timed(configuration: Configuration, budget: float) -> dict[str, float]:
    return {"cost": cost(configuration, budget), "seconds": budget}


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

    def test_an_interrupt_goes_through_and_what_ran_is_asked_again(self) -> None:
        interrupts = iter([False, True, False, False])

        def interrupted(configuration: Configuration) -> dict[str, float]:
            if next(interrupts, False):
                raise KeyboardInterrupt
            return {"cost": float(configuration["number"]), "seconds": 1.0}

        runner, search = self.make(), made(interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(search, runner, evaluations=3)
        assert [e.trial.number for e in search.history.evaluations] == [0]
        history = run(search, runner, evaluations=3)
        assert [e.trial.number for e in history.evaluations] == [0, 1, 2]
