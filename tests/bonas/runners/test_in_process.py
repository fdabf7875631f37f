from bonas.runners.in_process import InProcess
from bonas.runners.runner import Runner
from tests.bonas.runners.contract import RunnerContract
from tests.bonas.runners.fakes import made, run, taking


class TestInProcess(RunnerContract):
    def make(self) -> Runner:
        return InProcess()

    def test_seconds_are_real_ones(self) -> None:
        history = run(made(taking(1000.0)), self.make(), evaluations=3)
        assert all(e.seconds < 1000 for e in history.evaluations)
        started = [e.started for e in history.evaluations]
        assert started == sorted(started)

    def test_a_search_goes_on_on_the_clock_of_the_next_run(self) -> None:
        search = made(taking(1.0))
        run(search, self.make(), evaluations=2)
        history = run(search, self.make(), evaluations=4)
        started = [e.started for e in history.evaluations]
        assert started == sorted(started)
