import json
import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import Configuration, ConfigurationSpace

from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Again, Exhausted, Proposal, Strategy
from fidelity.history.history import History
from fidelity.history.journal import JournalError
from fidelity.history.trial import Evaluation, Status
from fidelity.objective import Context, InvalidArchitecture, ObjectiveError
from fidelity.schedules import AsynchronousHalving, FullFidelity, Hyperband, Schedule, ScheduleError
from spaces.joint import JointSpace
from spaces.space import Space
from tests.bonas.spaces import cells, cost


def search(
    directory: Path | None = None,
    objective: object = cost,
    strategy: Strategy | None = None,
    schedule: Schedule | None = None,
    seed: int = 0,
    nodes: int = 4,
) -> Search:
    return Search(
        cells(nodes),
        objective,  # type: ignore[arg-type]
        strategy=strategy or RandomSearch(),
        schedule=schedule or FullFidelity(),
        directory=directory,
        seed=seed,
    )


def run(made: Search, evaluations: int | None = None, epochs: float | None = None) -> History:
    with made:
        return made.run(evaluations=evaluations, epochs=epochs, progress=Silent())


def told(history: History) -> list[tuple[object, ...]]:
    """Everything but the clock."""
    return [
        (dict(e.trial.configuration), e.trial.key, e.trial.budget, e.trial.seed, e.trial.parent,
         e.trial.bracket, e.cost, e.status, e.reused)
        for e in history.evaluations
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_search() -> None:
    schedule = Hyperband(1, 9)
    one, same, other = (
        told(run(search(schedule=schedule, seed=seed), evaluations=40)) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize("stops", [[5, 12, 13, 40], [1, 39, 40]])
def test_resuming_gives_the_history_of_an_uninterrupted_run(
    tmp_path: Path, stops: list[int]
) -> None:
    whole = run(search(schedule=Hyperband(1, 9)), evaluations=40)
    for stop in stops:
        history = run(search(tmp_path, schedule=Hyperband(1, 9)), evaluations=stop)
        assert len(history) == stop
    assert told(history) == told(whole)
    assert told(History.load(tmp_path)) == told(whole)


def test_limits_are_totals(tmp_path: Path) -> None:
    run(search(tmp_path), evaluations=5)
    assert len(run(search(tmp_path), evaluations=5)) == 5
    history = run(search(schedule=Hyperband(1, 9)), epochs=30)
    assert 21 < history.resource <= 30
    with pytest.raises(ValueError, match="needs a limit"):
        run(search())
    with pytest.raises(ValueError, match="evaluations is a positive total"):
        run(search(), evaluations=0)


def test_one_network_is_evaluated_once_at_each_budget() -> None:
    calls: list[tuple[str, float]] = []

    def counted(configuration: Configuration, budget: float) -> float:
        calls.append((cells(3).architecture(configuration).key, budget))
        return cost_of_three(configuration) + 1 / budget

    def cost_of_three(configuration: Configuration) -> float:
        return float(len(cells(3).architecture(configuration).canonical().nodes))

    history = run(search(objective=counted, schedule=Hyperband(1, 9), nodes=3), evaluations=200)
    assert len(calls) == len(set(calls)) < 200
    for evaluation in history.evaluations:
        if evaluation.reused is not None:
            source = history.evaluation(evaluation.reused)
            assert source is not None
            assert source.reused is None
            assert source.trial.key == evaluation.trial.key
            assert source.trial.budget == evaluation.trial.budget
            assert source.cost == evaluation.cost
            assert evaluation.seconds == 0


def test_a_space_that_is_exhausted_stops_the_run() -> None:
    history = run(search(objective=lambda configuration: 1.0, nodes=2), epochs=10_000)
    assert {e.trial.key for e in history.evaluations} <= {t.key for t in history.trials}
    assert len({e.trial.key for e in history.evaluations}) == 5


class Twice:
    """Proposes one network, then the same again with other seeds."""

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
        if not history.trials:
            return space.configuration_space.get_default_configuration()
        return Again(history.trials[0])


def test_again_takes_another_seed() -> None:
    seeds: list[int] = []

    def noisy(configuration: Configuration, seed: int) -> float:
        seeds.append(seed)
        return 1.0 + seed

    history = run(search(objective=noisy, strategy=Twice(), seed=7), evaluations=3)
    assert seeds == [7, 8, 9]
    assert [e.reused for e in history.evaluations] == [None] * 3


# Ask and tell


def test_ask_and_tell_is_run_by_hand() -> None:
    whole = run(search(schedule=Hyperband(1, 9)), evaluations=30)
    with search(schedule=Hyperband(1, 9)) as by_hand:
        while len(by_hand.history) < 30:
            trial = by_hand.ask()
            assert trial is not None
            by_hand.tell(trial, {"cost": cost(trial.configuration, trial.budget), "note": 1})
        assert told(by_hand.history)[:30] == told(whole)
        assert by_hand.incumbent == by_hand.history.incumbent


def test_a_network_that_is_running_is_not_handed_out_twice() -> None:
    with search(nodes=2) as made:
        trials = [trial for _ in range(5) if (trial := made.ask())]
        assert len({trial.key for trial in trials}) == 5
        waiting = len(made.history.pending) - 5
        assert waiting >= 0
        for trial in trials:
            made.tell(trial, 1.0)
        with pytest.raises(Exhausted, match="known networks"):
            made.ask()
        assert sum(e.reused is not None for e in made.history.evaluations) >= waiting


def test_telling_what_was_not_asked_is_refused() -> None:
    with search() as made:
        trial = made.ask()
        assert trial is not None
        made.tell(trial, 1.0)
        with pytest.raises(ValueError, match="is not running"):
            made.tell(trial, 1.0)
        other = made.ask()
        assert other is not None
        with pytest.raises(ObjectiveError, match="a number to be minimised"):
            made.tell(other, "good")  # type: ignore[arg-type]
        assert made.tell(other, Evaluation(other, status=Status.TIMEOUT)).cost == math.inf


def test_what_was_asked_and_not_told_is_asked_again_after_a_crash(tmp_path: Path) -> None:
    with search(tmp_path) as made:
        first, second = made.ask(), made.ask()
        assert first is not None
        assert second is not None
        made.tell(second, 1.0)
    with search(tmp_path) as again:
        assert again.ask() == first


# Checkpoints


def test_a_promotion_finds_the_checkpoint_and_only_needed_ones_are_kept(tmp_path: Path) -> None:
    found: list[tuple[float, float]] = []

    def training(configuration: Configuration, budget: float, context: Context) -> float:
        state = context.checkpoint.load() or {"budget": 0.0, "gain": cost(configuration)}
        found.append((float(state["budget"]), budget))
        assert state["gain"] == cost(configuration)
        context.checkpoint.save({"budget": budget, "gain": cost(configuration)})
        context.report(budget, 1.0)
        return cost(configuration, budget)

    schedule = Hyperband(1, 9)
    with search(tmp_path, objective=training, schedule=schedule) as made:
        history = made.run(evaluations=60, progress=Silent())
        assert set(found) == {(0.0, 1.0), (1.0, 3.0), (3.0, 9.0), (0.0, 3.0), (0.0, 9.0)}
        kept = {path.name for path in (tmp_path / "checkpoints").iterdir()}
        assert len(kept) <= 1 + len(schedule.continuable(history))
        assert made.incumbent is not None
        assert made.checkpoint(made.incumbent) is not None


# Faults


def test_whatever_an_objective_does_is_recorded_and_the_search_goes_on() -> None:
    outcomes = iter(
        [0.75, ValueError("broken"), math.nan, math.inf, MemoryError(),
         InvalidArchitecture("no path"), RuntimeError("DefaultCPUAllocator: can't allocate memory"),
         "text", {"loss": 1.0}, None, SystemExit(3)]
    )  # fmt: skip

    def faulty(configuration: Configuration) -> object:
        outcome = next(outcomes, 0.5)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    history = run(search(objective=faulty), evaluations=40)
    fresh = [e for e in history.evaluations if e.reused is None]
    assert [e.status for e in fresh[:11]] == [
        "success", "crashed", "diverged", "diverged", "memory", "invalid", "memory", "crashed",
        "crashed", "crashed", "crashed",
    ]  # fmt: skip
    assert all(e.cost == math.inf and e.error for e in fresh[1:11])
    assert "broken" in str(fresh[1].error)
    assert history.incumbent is not None
    assert history.incumbent.cost == 0.5


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (3, "an objective is a function"),
        (lambda: 1.0, "takes no configuration"),
        (lambda configuration, data: 1.0, "needs an argument 'data'"),
    ],
)
def test_what_is_no_objective_is_refused_at_once(objective: object, message: str) -> None:
    with pytest.raises(ObjectiveError, match=message):
        search(objective=objective)


def test_smac_targets_run_unchanged() -> None:
    def train(config: Configuration, seed: int = 0, budget: float = 3) -> float:
        assert budget == 9
        return cost(config)

    assert run(search(objective=train, schedule=FullFidelity(9)), evaluations=3).incumbent


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed was 0 and is now 1"),
        ({"nodes": 3}, "nodes was 4 and is now 3"),
        ({"schedule": FullFidelity(3.0)}, "max_budget was 1.0 and is now 3.0"),
    ],
)
def test_another_search_in_the_directory_is_refused_and_unharmed(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    run(search(tmp_path), evaluations=3)
    before = (tmp_path / "history.jsonl").read_bytes()
    with pytest.raises(JournalError, match=message):
        search(tmp_path, **change)  # type: ignore[arg-type]
    assert (tmp_path / "history.jsonl").read_bytes() == before
    assert len(run(search(tmp_path), evaluations=4)) == 4


def test_a_schedule_beyond_the_objective_is_refused() -> None:
    class Limited:
        max_budget = 9.0

        def __call__(self, configuration: Configuration, budget: float) -> float:
            return 1.0

    with pytest.raises(ScheduleError, match="objective's maximal budget is 9"):
        search(objective=Limited(), schedule=Hyperband(1, 27))
    assert Search(cells(), Limited(), strategy=RandomSearch()).schedule == FullFidelity(9.0)


def test_a_torn_history_goes_on(tmp_path: Path) -> None:
    whole = told(run(search(tmp_path / "whole"), evaluations=10))
    run(search(tmp_path / "torn"), evaluations=10)
    path = tmp_path / "torn" / "history.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = run(search(tmp_path / "torn"), evaluations=10)
    assert "torn last line" in str(caught[0].message)
    assert told(history) == whole


def test_the_header_says_what_the_search_was(tmp_path: Path) -> None:
    run(search(tmp_path, schedule=Hyperband(1, 9)), evaluations=1)
    header = json.loads((tmp_path / "history.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert header["seed"] == 0
    assert header["schedule"] == {"class": "Hyperband", "min_budget": 1, "max_budget": 9, "eta": 3}
    assert header["strategy"] == {"class": "RandomSearch", "belief": None}
    assert header["space"]["class"] == "CellSpace"
    assert {"python", "torch", "bonas"} <= set(header["versions"])


def test_another_objective_in_the_directory_is_refused(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Scaled:
        scale: float

        def __call__(self, configuration: Configuration) -> float:
            return self.scale * cost(configuration)

    run(search(tmp_path, objective=Scaled(1.0)), evaluations=3)
    with pytest.raises(JournalError, match=r"scale was 1\.0 and is now 2\.0"):
        search(tmp_path, objective=Scaled(2.0))


def test_a_lost_checkpoint_is_trained_anew_and_counted_in_full(tmp_path: Path) -> None:
    starts: list[tuple[float, float]] = []

    def training(configuration: Configuration, budget: float, context: Context) -> float:
        state = context.checkpoint.load() or {"budget": 0.0}
        starts.append((float(state["budget"]), budget))
        context.checkpoint.save({"budget": budget})
        return len(cells(2).architecture(configuration).canonical().nodes) + 1 / budget

    # Five networks under Hyperband: those that lost a rung come again, and are known by then.
    made = search(tmp_path, objective=training, schedule=Hyperband(1, 9), nodes=2)
    history = run(made, evaluations=60)
    trained = sum(budget - start for start, budget in starts)
    assert history.resource == trained
    assert all(e.succeeded for e in history.evaluations)
    anew = [e for e in history.evaluations if e.retrained]
    assert all(e.trial.parent is not None and e.reused is None for e in anew)


def test_a_truncated_checkpoint_is_trained_anew_and_counted_in_full(tmp_path: Path) -> None:
    starts: list[tuple[float, float]] = []

    def training(configuration: Configuration, budget: float, context: Context) -> float:
        state = context.checkpoint.load() or {"budget": 0.0}
        starts.append((float(state["budget"]), budget))
        context.checkpoint.save({"budget": budget})
        assert context.checkpoint.target is not None
        if budget == 1:
            content = context.checkpoint.target.read_bytes()
            context.checkpoint.target.write_bytes(content[: len(content) // 2])
        return cost(configuration, budget)

    made = search(tmp_path, objective=training, schedule=AsynchronousHalving(1, 9))
    with pytest.warns(UserWarning, match="cannot be read .* training starts from scratch"):
        history = run(made, evaluations=30)
    assert history.resource == sum(budget - start for start, budget in starts)
    for evaluation in history.evaluations:
        if evaluation.reused is None:
            assert evaluation.retrained == (evaluation.trial.budget == 3)
    assert {e.trial.budget for e in history.evaluations} == {1, 3, 9}
    assert History.load(tmp_path).resource == history.resource


def test_an_objective_that_ignores_the_budget_is_warned_of_once(tmp_path: Path) -> None:
    made = search(tmp_path, objective=lambda configuration: cost(configuration),
                  schedule=AsynchronousHalving(1, 9))  # fmt: skip
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(made, evaluations=60)
    assert [w for w in caught if "ignore its budget" in str(w.message)] == caught
    assert len(caught) == 1


def test_joint_spaces_tell_trainings_apart() -> None:
    joint = JointSpace(cells(2), ConfigurationSpace({"learning_rate": (0.01, 1.0)}))

    def rate(configuration: Configuration) -> float:
        return float(configuration["training:learning_rate"])

    with Search(joint, rate, strategy=RandomSearch()) as made:
        history = made.run(evaluations=30, progress=Silent())
    assert not [e for e in history.evaluations if e.reused is not None]
    assert len(history.keys()) == 30
