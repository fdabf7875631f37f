from __future__ import annotations

import json
import math
from itertools import product

import numpy as np
import pytest
from ConfigSpace import Configuration

from fidelity.objective import Context
from fidelity.schedules import Hyperband
from fidelity.tables import MNIST1DCells
from fidelity.tables.mnist1d_cells import FILE
from fidelity.training.curves import Cosine
from fidelity.training.optimizers import SGD
from spaces.space import configuration

TABLE = MNIST1DCells()
CELL = TABLE.space.from_string(
    "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|"
)


def all_configurations() -> list[Configuration]:
    space = TABLE.space.configuration_space
    choices = product(TABLE.space.operations, repeat=len(space))
    return [configuration(space, dict(zip(space, chosen, strict=True))) for chosen in choices]


def test_every_configuration_has_a_value() -> None:
    costs: dict[str, set[float]] = {}
    for cell in all_configurations():
        key = TABLE.space.architecture(cell).key
        costs.setdefault(key, set()).add(TABLE(cell, 27)["cost"])
    assert len(costs) == 483
    assert all(len(found) == 1 for found in costs.values())
    assert all(0 < found.pop() < 1 for found in costs.values())


def test_a_call_returns_what_training_returns() -> None:
    result = TABLE(CELL, 9, seed=1)
    assert {"cost", "parameters", "epochs", "resumed_from"} < set(result)
    assert (result["epochs"], result["resumed_from"]) == (9, 0)
    assert result["seconds"] > 0
    assert "test_error" not in result
    assert 0 < TABLE(CELL, 27)["test_error"] < 1


def test_seeds_pick_one_of_two_trainings() -> None:
    assert TABLE(CELL, 5, seed=0) != TABLE(CELL, 5, seed=1)
    assert TABLE(CELL, 5, seed=12) == TABLE(CELL, 5, seed=0)
    assert TABLE(CELL, 5, seed=13) == TABLE(CELL, 5, seed=1)


def test_budgets_are_points_on_one_curve() -> None:
    context = Context()
    TABLE(CELL, 27, context=context)
    assert [step for step, _ in context.curve] == list(range(1, 28))
    for step, cost in context.curve:
        assert TABLE(CELL, step)["cost"] == cost


def test_resumed_epochs_cost_nothing_again() -> None:
    whole, first, context = TABLE(CELL, 27), TABLE(CELL, 9), Context(resumed=9)
    rest = TABLE(CELL, 27, context=context)
    assert rest["seconds"] + first["seconds"] == pytest.approx(whole["seconds"])
    assert (rest["cost"], rest["resumed_from"]) == (whole["cost"], 9)
    assert [step for step, _ in context.curve] == list(range(10, 28))
    assert TABLE(CELL, 9, context=Context(resumed=9))["seconds"] == 0
    assert TABLE(CELL, 9, context=Context(resumed=27)) == first  # it cannot go back: anew


@pytest.mark.parametrize("budget", [0, -1, 0.5, 2.5, 28, math.nan, math.inf])
def test_a_bad_budget_is_an_error(budget: float) -> None:
    with pytest.raises(ValueError, match="whole epochs from 1 to 27"):
        TABLE(CELL, budget)


def test_the_budgets_of_hyperband_are_in_the_table() -> None:
    budgets = {rung.budget for number in range(4) for rung in Hyperband(1, 27).bracket(number)}
    assert {TABLE(CELL, budget)["epochs"] for budget in budgets} == {1, 3, 9, 27}


def test_regret_is_distance_from_the_optimum() -> None:
    regrets = [
        TABLE.regret(TABLE.space.from_string(cell)) for cell in TABLE.frame()["cell"].unique()
    ]
    assert min(regrets) == 0
    mean = (TABLE(CELL, 27, 0)["cost"] + TABLE(CELL, 27, 1)["cost"]) / 2
    assert TABLE.regret(CELL) == pytest.approx(mean - TABLE.optimum)


def test_the_frame_has_a_row_for_each_network_seed_and_epoch() -> None:
    frame = TABLE.frame()
    assert len(frame) == 483 * 2 * 27
    assert not frame.duplicated(["cell", "seed", "epoch"]).any()
    assert not frame.isna().any().any()
    for row in frame.sample(20, random_state=0).itertuples():
        cell = TABLE.space.from_string(row.cell)
        result = TABLE(cell, row.epoch, row.seed, Context(resumed=row.epoch - 1))
        assert (result["cost"], result["seconds"]) == (row.validation_error, row.seconds)
        assert result["parameters"] == row.parameters
        assert result["multiply_adds"] == row.multiply_adds
        assert TABLE(cell, 27, row.seed)["test_error"] == row.test_error


def test_the_file_is_small_and_holds_no_pickle() -> None:
    assert FILE.stat().st_size < 3_000_000
    with np.load(FILE, allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "uf" for name in file)


def test_the_file_beside_it_tells_how_it_was_made() -> None:
    pytest.importorskip("mnist1d")
    told, training = (
        json.loads(FILE.with_suffix(".json").read_text(encoding="utf-8")),
        TABLE.training(),
    )
    recorded = told["training"]
    assert (recorded["max_epochs"], recorded["batch_size"], recorded["device"]) == (
        training.max_epochs,
        training.batch_size,
        training.device,
    )
    names = ("learning_rate", "momentum", "weight_decay")
    assert training.optimizer == SGD(**{name: recorded[name] for name in names})
    assert training.curve == Cosine(recorded["warm_up"])
    assert told["space"]["operations"] == list(TABLE.space.operations)
    assert {"first_network", "machine", "versions", "measured"} < set(told)


@pytest.mark.parametrize("seed", [0, 1])
def test_training_again_gives_the_recorded_curve(seed: int) -> None:
    """To 0.05: another processor or torch rounds differently, which training amplifies."""
    pytest.importorskip("mnist1d")
    told, again = Context(), Context()
    expected = TABLE(CELL, 3, seed, told)
    result = TABLE.training()(CELL, 3, seed, again)
    assert np.array(again.curve) == pytest.approx(np.array(told.curve), abs=0.05)
    assert result["parameters"] == expected["parameters"]
