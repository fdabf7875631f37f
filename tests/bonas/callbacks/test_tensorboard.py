from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ConfigSpace import Configuration

from bonas.search.progress import Silent
from fidelity.objective import Context
from tests.faults.searches import searching

pytest.importorskip("tensorboard")


def curved(configuration: Configuration, context: Context) -> float:
    number = int(configuration["number"])
    if number == 1:
        raise ValueError("broken")
    context.report(1, 10.0 - number)
    return 5.0 - number


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_costs_and_curves_are_written(tmp_path: Path) -> None:
    from bonas.callbacks import TensorBoard

    with searching(tmp_path / "search", curved) as made:
        made.run(evaluations=3, progress=Silent(), callbacks=[TensorBoard(tmp_path / "board")])
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(tmp_path / "board"))
    read.Reload()
    found = {
        tag: [(event.step, event.value) for event in read.Scalars(tag)]
        for tag in read.Tags()["scalars"]
    }
    assert found["cost"] == [(1, 5.0), (3, 3.0)]
    assert found["best"] == [(1, 5.0), (2, 5.0), (3, 3.0)]
    assert found["budget"] == [(1, 1.0), (2, 1.0), (3, 1.0)]
    assert found["curve/trial-2"] == [(1, 8.0)]
    assert len(found["seconds"]) == 3


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bonas.callbacks import TensorBoard

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        TensorBoard(tmp_path)
