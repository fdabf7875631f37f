from __future__ import annotations

import dataclasses
import gc
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import torch

from fidelity.checkpoint import Checkpoint, CheckpointWarning
from fidelity.history.trial import Status, Trial
from fidelity.mixing import Mixup
from fidelity.objective import Context, Diverged, InvalidArchitecture, ProcessLost, evaluate
from fidelity.training.distributed import Distributed
from fidelity.training.distributed import distributed as module
from fidelity.training.distributed.distributed import devices_of
from fidelity.training.optimizers import AdamW
from fidelity.training.training import Training
from tests.bonas.runners.worker_objectives import eventually, gone
from tests.fidelity.trained import DATASET, TRAINING, saved
from tests.fidelity.training.distributed.spaces import Grouped, Saving, Struck

SPACE = Grouped(channels=8)
ONE = dataclasses.replace(TRAINING, space=SPACE, batch_size=31, mixing=Mixup(), clip_norm=1.0)
"""In one process; two share its batches unequally."""


@pytest.fixture(scope="module")
def two() -> Iterator[Distributed]:
    """The same in two processes, which start once."""
    made = Distributed(ONE, 2)
    yield made
    module._teams[made].end()


def numbers(result: dict[str, Any]) -> dict[str, Any]:
    return {name: pytest.approx(value, rel=1e-3, abs=1e-6) for name, value in result.items()}


class TestTwoProcesses:
    def test_have_the_losses_of_one_with_the_same_batch(self, two: Distributed) -> None:
        one, both = Context(), Context()
        result = two(SPACE.of("convolution"), 3, 5, both)
        assert result == numbers(ONE(SPACE.of("convolution"), 3, 5, one))
        assert [cost for _, cost in both.curve] == pytest.approx([cost for _, cost in one.curve])

    def test_leave_the_checkpoint_of_one(self, two: Distributed, tmp_path: Path) -> None:
        for objective, name in ((two, "both"), (ONE, "one")):
            context = Context(Checkpoint(target=tmp_path / name))
            objective(SPACE.of("convolution"), 3, 5, context)
        both, one = saved(tmp_path / "both"), saved(tmp_path / "one")
        for name, values in one["network"].items():
            torch.testing.assert_close(both["network"][name], values, rtol=1e-3, atol=1e-5)
        assert torch.equal(both["generator"], one["generator"])
        assert both["plan"] == one["plan"]

    def test_resume_and_are_resumed_by_one(self, two: Distributed, tmp_path: Path) -> None:
        whole = ONE(SPACE.of("convolution"), 6, 5)
        for first, second in ((two, two), (ONE, two), (two, ONE)):
            path = tmp_path / "trial-0.pt"
            first(SPACE.of("convolution"), 7 / 3, 5, Context(Checkpoint(target=path)))
            resumed = second(SPACE.of("convolution"), 6, 5, Context(Checkpoint(path)))
            assert resumed == numbers(whole | {"resumed_from": 7 / 3})

    def test_resume_exactly_with_dropout_of_their_own(
        self, two: Distributed, tmp_path: Path
    ) -> None:
        whole = two(SPACE.of("dropout"), 3, 5)
        two(SPACE.of("dropout"), 4 / 3, 5, Context(Checkpoint(target=tmp_path / "trial-0.pt")))
        resumed = two(SPACE.of("dropout"), 3, 5, Context(Checkpoint(tmp_path / "trial-0.pt")))
        assert resumed == whole | {"resumed_from": 4 / 3}
        states = saved(tmp_path / "trial-0.pt")
        assert not torch.equal(states["random"]["cpu"], states["random_of_others"][0]["cpu"])

    def test_hand_over_the_trained_network(self, two: Distributed) -> None:
        report, one = two.final(SPACE.of("convolution"), 5), ONE.final(SPACE.of("convolution"), 5)
        assert report.test_cost == pytest.approx(one.test_cost, abs=0.03)
        outputs = report.network(DATASET.test.inputs)
        torch.testing.assert_close(outputs, one.network(DATASET.test.inputs), rtol=0.1, atol=0.05)

    @pytest.mark.parametrize(
        ("operation", "error", "status"),
        [
            ("zero", InvalidArchitecture, Status.INVALID),
            ("frozen", InvalidArchitecture, Status.INVALID),
            ("collapse", InvalidArchitecture, Status.INVALID),
            ("diverge", Diverged, Status.DIVERGED),
        ],
    )
    def test_raise_what_one_raises(
        self, two: Distributed, operation: str, error: type[Exception], status: Status
    ) -> None:
        before = module._teams[two].pids if two in module._teams else None
        with pytest.raises(error) as raised:
            two(SPACE.of(operation), 3)
        assert "In rank 0:\nTraceback" in raised.value.__notes__[0]
        trial = Trial(0, SPACE.of(operation), "key", 3.0)
        assert evaluate(two, trial, Context()).status is status
        assert before is None or module._teams[two].pids == before  # they are not started again

    def test_pass_on_that_a_checkpoint_cannot_be_used(
        self, two: Distributed, tmp_path: Path
    ) -> None:
        context = Context(Checkpoint(tmp_path / "trial-0.pt"))
        with pytest.warns(CheckpointWarning, match="training starts from scratch"):
            two(SPACE.of("convolution"), 1, 0, context)
        assert context.checkpoint.refused
        assert len(context.checkpoint.notices) == 1


class TestDeath:
    """Of a rank by SIGKILL."""

    @staticmethod
    def struck(folder: Path, rank: int) -> Distributed:
        # In the fourth epoch of 3 steps; the child of rank 0 keeps its pipes open.
        augment = (Struck(folder, rank, calls=10, child=rank == 0),)
        training = dataclasses.replace(ONE, space=Saving(8), augment=augment, optimizer=AdamW())
        return Distributed(training, 2)

    @pytest.mark.parametrize("rank", [0, 1])
    def test_fails_the_trial_which_resumes_from_its_checkpoint(
        self, tmp_path: Path, rank: int
    ) -> None:
        objective = self.struck(tmp_path, rank)
        context = Context(Checkpoint(target=tmp_path / "trial-0.pt"))
        with pytest.raises(ProcessLost, match=f"rank {rank} of 2 was killed by signal 9, SIGKILL"):
            objective(SPACE.of("convolution"), 6, 0, context)
        assert not module._teams[objective].alive
        result = objective(SPACE.of("convolution"), 6, 0, context.again())
        training = dataclasses.replace(objective.training, augment=())
        assert result == numbers(training(SPACE.of("convolution"), 6) | {"resumed_from": 3})
        pids = module._teams[objective].pids
        del objective
        gc.collect()
        assert all(map(gone, pids))

    def test_of_the_trial_itself_ends_all_ranks(self, tmp_path: Path) -> None:
        """The trial's process is a program of its own here, so that it can be killed."""
        import subprocess
        import sys

        training = dataclasses.replace(ONE, augment=(Struck(tmp_path, 1, 3, number=0),))
        (tmp_path / "objective").write_bytes(cloudpickle.dumps(Distributed(training, 2)))
        program = (
            "import pickle, sys; objective = pickle.load(open(sys.argv[1], 'rb'));"
            "objective(objective.space.of('convolution'), 3)"
        )
        process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "objective")])
        eventually((tmp_path / "struck").exists, "a training")
        pid = int((tmp_path / "struck").read_text(encoding="utf-8"))
        process.kill()
        process.wait()
        eventually(lambda: gone(pid), "the end of the rank")


class TestSettings:
    def test_are_those_of_the_training(self) -> None:
        made = Distributed(ONE, 2)
        assert (made.space, made.dataset, made.max_budget) == (SPACE, DATASET, 9)
        assert made.measure == ONE.measure
        assert set(made.computed) == set(ONE.computed)
        assert repr(made).startswith("Distributed(training=Training(Grouped, stripes")

    def test_travel_without_the_processes(self, two: Distributed) -> None:
        two(SPACE.of("convolution"), 1)
        copy = pickle.loads(cloudpickle.dumps(two))
        assert copy.processes == 2
        assert copy not in module._teams

    @pytest.mark.parametrize("processes", [0, 32])
    def test_are_checked(self, processes: int) -> None:
        with pytest.raises(ValueError, match=f"processes is {processes}: expected 1 or more"):
            Distributed(ONE, processes)
        wrong: Any = Training
        with pytest.raises(TypeError, match="expected a Training"):
            Distributed(wrong)


class TestDevices:
    def test_are_the_first_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert devices_of(2, None) == ("cpu", "cpu")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
        assert devices_of(2, None) == devices_of(2, "cuda") == ("cuda:0", "cuda:1")
        assert devices_of(2, "cuda:2,cuda:3") == ("cuda:2", "cuda:3")

    @pytest.mark.parametrize("names", ["cuda:0", "cuda:0,cuda:0", "cuda:0,cuda:1,cuda:2", "cuda"])
    def test_are_as_many_as_the_processes(
        self, names: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        with pytest.raises(ValueError, match=r"2 processes need as many .*'cuda:0,cuda:1'"):
            devices_of(2, names)
