from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.nsga2 import NSGA2
from bonas.strategies.random_search import RandomSearch
from fidelity.history.goal import Constraint
from fidelity.tables.hw_gpt import DEPTHS, LENGTH, VOCABULARY, HWGPTBench, Scale
from fidelity.tables.table import TableError
from spaces.resources.resources import count_resources
from spaces.space import configuration, sample
from tests.spaces.contract import SpaceContract

TABLE = Path(__file__).parents[4] / "shared" / "data" / "hw_gpt_bench_perplexity.npz"
SCALES: tuple[Scale, ...] = ("s", "m", "l")
RANGES = {"s": (22.0, 41.8), "m": (21.3, 35.6), "l": (18.6, 29.4)}


def real(scale: Scale) -> HWGPTBench:
    if not TABLE.exists():
        pytest.skip("no surrogates of HW-GPT-Bench beside the checkout, in ../shared/data")
    return HWGPTBench(TABLE, scale)


class TestSpace(SpaceContract):
    """The space needs no file."""

    input_shape = (LENGTH,)
    outputs = VOCABULARY
    builds = 3

    @staticmethod
    def make_space() -> object:  # type: ignore[override]
        return HWGPTBench("no file").space

    def test_networks_compute_finite_logits_and_gradients(self) -> None:  # type: ignore[override]
        pytest.skip("a batch of logits of 50,257 tokens takes 400 MB")

    def test_a_seed_gives_one_network(self) -> None:  # type: ignore[override]
        pytest.skip("two networks of 100 million parameters")

    def inputs(self, batch: int) -> torch.Tensor:
        return torch.randint(VOCABULARY, (batch, LENGTH))

    def logits_shape(self, batch: int) -> tuple[int, ...]:
        return (batch, VOCABULARY, LENGTH)


@pytest.mark.parametrize("scale", SCALES)
def test_perplexities_are_in_the_published_range(scale: Scale) -> None:
    table = real(scale)
    drawn = sample(table.space.configuration_space, 500, np.random.default_rng(0))
    found = [table(one)["cost"] for one in drawn]
    low, high = RANGES[scale]
    assert low - 1 < min(found) < low + 4
    assert high - 6 < max(found) < high + 1


@pytest.mark.parametrize("scale", SCALES)
def test_resources_are_those_of_the_networks(scale: Scale) -> None:
    table = HWGPTBench("no file", scale)
    for drawn in sample(table.space.configuration_space, 2, np.random.default_rng(0)):
        with torch.device("meta"):
            network = table.space.build(drawn, (LENGTH,), VOCABULARY)
        counted = count_resources(network, (LENGTH,))
        assert table.computed["parameters"](drawn) == counted.parameters
        assert table.computed["multiply_adds"](drawn) == counted.multiply_adds


def small(tmp_path: Path) -> HWGPTBench:
    """A surrogate that returns the sum of its positive inputs, weighted by their position."""
    inputs = 8 + 6 * DEPTHS["s"][-1]
    weights = [np.arange(inputs)[None], *[np.ones((1, 1))] * 4]
    arrays = {f"s_weight_{n}": w for n, w in enumerate(weights, start=1)}
    arrays |= {f"s_bias_{n}": np.zeros(1) for n in range(1, 6)}
    np.savez(tmp_path / "small.npz", **arrays)  # type: ignore[arg-type]
    return HWGPTBench(tmp_path / "small.npz")


def test_the_input_is_one_hot_in_the_published_order(tmp_path: Path) -> None:
    table = small(tmp_path)
    values: dict[str, object] = {"width": 384, "depth": 10, "bias": False}
    for number in range(1, 11):
        values |= {f"layer{number}:ratio": 2, f"layer{number}:heads": 12}
    drawn = configuration(table.space.configuration_space, values)
    ratios = [6 + 3 * layer for layer in range(10)]
    heads = [6 + 36 + 3 * layer + 2 for layer in range(10)]
    assert table(drawn)["cost"] == 1 + 3 + sum(ratios) + sum(heads) + 79


def test_it_can_be_searched_with_two_objectives_and_a_constraint(tmp_path: Path) -> None:
    table = small(tmp_path)
    with Search(
        table.space, table, strategy=NSGA2(), objectives=("cost", "parameters"), seed=0
    ) as search:
        history = search.run(evaluations=15, progress=Silent())
    assert len(history) == 15
    limit = Constraint("parameters", at_most=30e6)
    with Search(table.space, table, strategy=RandomSearch(), constraints=[limit]) as search:
        history = search.run(evaluations=5, progress=Silent())
    assert all(table.parameters(e.trial.configuration) <= 30e6 for e in history.evaluations)


def test_the_scale_is_one_of_three() -> None:
    with pytest.raises(TableError, match="choose one of s, m, l"):
        HWGPTBench("no file", "xl")  # type: ignore[arg-type]


def test_a_file_that_is_missing_or_not_right_is_named(tmp_path: Path) -> None:
    drawn = HWGPTBench("no file").space.configuration_space.get_default_configuration()
    with pytest.raises(TableError, match=r"missing\.npz cannot be read"):
        HWGPTBench(tmp_path / "missing.npz")(drawn)
    (tmp_path / "text.npz").write_text("no array", encoding="utf-8")
    with pytest.raises(TableError, match=r"text\.npz cannot be read"):
        HWGPTBench(tmp_path / "text.npz")(drawn)
    table = small(tmp_path)
    other = HWGPTBench(table.path, "m")
    with pytest.raises(TableError, match=r"not the file .* scale m.*lacks m_weight_1"):
        other(other.space.configuration_space.get_default_configuration())
    with pytest.raises(TableError, match="choose a schedule with"):
        table(drawn, 2.0)
