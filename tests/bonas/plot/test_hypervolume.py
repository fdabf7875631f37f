from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bonas.plot import hypervolume
from bonas.plot.hypervolume import trajectory
from fidelity.history import pareto
from tests.bonas.plot.pictures import check, named, paper
from tests.bonas.plot.searches import two_objectives
from tests.bonas.plot.test_pareto import HISTORY, TWO, searched

REFERENCE = (4.0, 5.0)


def test_it_grows_with_the_front() -> None:
    times, volumes = trajectory(HISTORY, REFERENCE, "evaluations")
    # The third crashed and the fifth is dominated.
    assert times.tolist() == [1, 2, 4, 6]
    assert volumes.tolist() == [4.0, 7.0, 8.0, 9.0]
    costs = np.array([TWO.costs(e) for e in HISTORY.pareto_front])
    assert volumes[-1] == pareto.hypervolume(costs, REFERENCE)


@pytest.mark.parametrize(("best", "name"), [(None, ""), (97_000.0, "_lacking")])
def test_the_picture_of_real_searches(best: float | None, name: str) -> None:
    runs = {"random search": [two_objectives(seed) for seed in range(4)], "one": two_objectives(5)}
    ax = hypervolume(runs, (0.9, 130_000), paper(), clock="evaluations", best=best)
    assert named(ax)
    check(ax, f"hypervolume{name}")


def test_it_ends_where_the_history_ends() -> None:
    times, volumes = trajectory(searched((1.0, 1.0), (2.0, 2.0)), REFERENCE)
    assert times.tolist() == [1, 2]
    assert volumes.tolist() == [12.0, 12.0]


@pytest.mark.parametrize("costs", [[], [None]])
def test_without_a_success_there_is_no_volume(costs: list[None]) -> None:
    assert trajectory(searched(*costs), REFERENCE)[1].tolist() == [0.0] * len(costs)


def test_several_runs_are_a_median_in_a_band() -> None:
    _, axes = plt.subplots()
    runs = [searched((3.0, 1.0)), searched((2.0, 1.0)), searched((1.0, 1.0))]
    ax = hypervolume({"ours": runs, "one": HISTORY, "none": []}, REFERENCE, axes)
    assert ax is axes
    assert [line.get_ydata()[-1] for line in ax.lines] == [8.0, 9.0]  # type: ignore[index]
    assert len(ax.collections) == 1
    assert ax.get_ylabel() == "hypervolume (cost × latency)"


def test_what_is_lacking_of_the_true_front() -> None:
    ax = hypervolume({"ours": HISTORY}, REFERENCE, clock="evaluations", best=10.0)
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([60.0, 30.0, 20.0, 10.0])  # type: ignore[union-attr]
    assert ax.get_yscale() == "log"
    ax.figure.canvas.draw()


def test_a_reference_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="the reference has 3 values"):
        hypervolume({"ours": HISTORY}, (1.0, 2.0, 3.0))
