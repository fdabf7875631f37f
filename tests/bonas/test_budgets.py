"""What schedules and trainings make of budgets together, in a search."""

from __future__ import annotations

from pathlib import Path

import pytest
from ConfigSpace import Configuration, ConfigurationSpace

from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.history.history import History
from fidelity.objective import Context
from fidelity.schedules import AsynchronousHalving, Hyperband
from fidelity.training.training import Training
from spaces.joint import JointSpace
from tests.bonas.spaces import cells
from tests.fidelity.trained import stripes


def test_hyperband_trains_what_resuming_leaves_of_it() -> None:
    trained: list[tuple[float, float]] = []

    def training(configuration: Configuration, budget: float, context: Context) -> float:
        state = context.checkpoint.load() or {"epochs": 0.0}
        trained.append((float(state["epochs"]), budget))
        context.checkpoint.save({"epochs": budget})
        return float(configuration["training:learning_rate"]) + 1 / budget

    # As in table 1 of Li et al. (2018), for R = 27 and eta = 3. A learning rate makes all
    # configurations different, so that nothing is saved in other ways.
    space = JointSpace(cells(2), ConfigurationSpace({"learning_rate": (0.01, 1.0)}))
    schedule = Hyperband(1, 27)
    rungs = [rung for number in range(4) for rung in schedule.bracket(number)]
    trials = sum(rung.trials for rung in rungs)
    with Search(space, training, strategy=RandomSearch(), schedule=schedule) as search:
        history = search.run(evaluations=trials, progress=Silent())
    assert not [e for e in history.evaluations if e.reused is not None]
    resumed = sum(budget - before for before, budget in trained)
    assert resumed == history.resource == 357
    assert sum(budget for _, budget in trained) == 423
    assert len(trained) == trials


@pytest.mark.parametrize("schedule", [Hyperband(1, 10), AsynchronousHalving(1, 10)])
def test_budgets_that_are_no_whole_epochs_stay_exact(
    tmp_path: Path, schedule: Hyperband | AsynchronousHalving
) -> None:
    # Rungs at 10/9, 10/3 and 10 epochs of 3 steps: 3, 10 and 30 steps.
    training = Training(cells(3), stripes(), max_epochs=10, batch_size=32, device="cpu")

    def search() -> Search:
        return Search(
            cells(3), training, strategy=RandomSearch(), schedule=schedule, directory=tmp_path
        )

    with search() as first:
        first.run(evaluations=6, progress=Silent())
    with search() as second:
        history = second.run(evaluations=16, progress=Silent())
    steps = {10 / 9: 3, 10 / 3: 10, 10.0: 30}
    assert {trial.budget for trial in history.trials} <= steps.keys()
    really = [e for e in history.evaluations if e.succeeded and e.reused is None]
    assert any(e.trial.parent is not None for e in really)
    for evaluation in really:
        parent = evaluation.trial.parent
        before = (
            0 if parent is None or evaluation.retrained else steps[history.trials[parent].budget]
        )
        assert evaluation.metrics["epochs"] * 3 == steps[evaluation.trial.budget]
        assert evaluation.metrics["resumed_from"] * 3 == pytest.approx(before)
    loaded = History.load(tmp_path)
    assert [t.budget for t in loaded.trials] == [t.budget for t in history.trials]
    assert loaded.resource == history.resource
    with search() as third:  # the directory is accepted, and the schedule knows its rungs again
        assert third.schedule.next(third.history) == schedule.next(history)
