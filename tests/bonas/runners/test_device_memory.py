from __future__ import annotations

import sys

import pytest
import torch

from bonas.runners.device_memory import PROCESS_BYTES, Usage, fitting, start_measuring, usage
from bonas.runners.local_processes import LocalProcesses
from bonas.runners.worker import Worker
from fidelity.objective import Context
from tests.bonas.runners.fakes import taking, trial

GIB = 2**30


def used(peak: int, free: int) -> Usage:
    return Usage(peak * GIB, peak * GIB, free * GIB)


class TestRoom:
    @pytest.mark.parametrize(("free", "trials"), [(60, 16), (3, 1), (4, 2), (0, 1)])
    def test_is_what_is_free(self, free: int, trials: int) -> None:
        only = used(3, free)  # and 1 of its process
        assert PROCESS_BYTES == GIB
        assert fitting(only, [only], only.peak) == trials

    def test_is_kept_for_workers_that_have_not_reached_the_peak(self) -> None:
        latest = used(3, 20)
        assert fitting(latest, [latest, None, used(1, 0)], latest.peak) == 3 + (20 - 4 - 2) // 4

    def test_shrinks_when_a_larger_trial_comes(self) -> None:
        small, large = used(1, 0), used(7, 2)
        assert fitting(large, [small, small, large], large.peak) == 1

    def test_does_not_shrink_below_what_runs_within_its_memory(self) -> None:
        workers = [used(3, 0)] * 4
        assert fitting(used(3, 2), workers, 3 * GIB) == 4


class TestUsage:
    def test_is_that_of_a_gpu_that_computes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        values = {"is_initialized": lambda: True, "mem_get_info": lambda device: (5, 9)}
        values |= {"max_memory_reserved": lambda device: 3, "memory_reserved": lambda device: 2}
        reset: list[str] = []
        values |= {"reset_peak_memory_stats": reset.append}
        for name, value in values.items():
            monkeypatch.setattr(torch.cuda, name, value)
        start_measuring("cuda:0")
        assert usage("cuda:0") == Usage(peak=3, held=2, free=5)
        assert reset == ["cuda:0"]
        assert usage("cpu") is usage(None) is usage("cuda:0,cuda:1") is None

    def test_is_none_before_anything_computes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert usage("cuda:0") is None
        monkeypatch.delitem(sys.modules, "torch")
        assert usage("cuda:0") is None


class TestNumberOfWorkers:
    def test_follows_from_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The measurement is replaced: the device is a name, for that no GPU is needed."""
        reported = used(3, 9)  # room for two more
        reporting = property(lambda self: reported, lambda self, _: None)
        monkeypatch.setattr(Worker, "usage", reporting, raising=False)
        objective = taking(0.0)
        with LocalProcesses(devices=("cuda:0",), max_per_device=8) as runner:
            assert runner.workers == 1
            runner.submit(objective, trial(0), Context())
            assert runner.wait().cost == 0.0
            assert runner.workers == 3
            reported = used(9, 0)
            runner.submit(objective, trial(1), Context())
            runner.wait()
            assert runner.workers == 1

    def test_is_at_most_what_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reported = used(1, 100)
        reporting = property(lambda self: reported, lambda self, _: None)
        monkeypatch.setattr(Worker, "usage", reporting, raising=False)
        with LocalProcesses(devices=("cuda:0",), max_per_device=2) as runner:
            runner.submit(taking(0.0), trial(0), Context())
            runner.wait()
            assert runner.workers == 2

    def test_stays_where_nothing_is_measured(self) -> None:
        with LocalProcesses(devices=("cpu",), max_per_device=8) as runner:
            runner.submit(taking(0.0), trial(0), Context())
            runner.wait()
            assert runner.workers == 1

    @pytest.mark.parametrize(("workers", "most"), [(2, 2), (None, 0)])
    def test_is_given_in_one_way(self, workers: int | None, most: int) -> None:
        with pytest.raises(ValueError, match=f"max_per_device is {most} and workers {workers}"):
            LocalProcesses(workers, max_per_device=most)
