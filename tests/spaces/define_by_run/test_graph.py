"""Graphs of modules: the same network has the same key, another one has another."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from spaces import operations
from spaces.architecture.architecture import Architecture
from spaces.architecture.labels import CONCAT, IDENTITY, INPUT, OUTPUT
from spaces.define_by_run.graph import graph_of
from spaces.define_by_run.signature import label


class Applied(nn.Module):
    """A module that computes a function of two convolutions."""

    def __init__(self, function: Callable[..., Tensor], other: nn.Module | None = None) -> None:
        super().__init__()
        self.function = function
        self.one = nn.Conv2d(4, 4, 1)
        self.other = other or nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.one(x), self.other(x), x)


def key(function: Callable[..., Tensor], other: nn.Module | None = None) -> str:
    return graph_of(Applied(function, other)).key


def labels(graph: Architecture) -> list[str]:
    return [str(node.operation) for node in graph.nodes]


def test_a_chain_is_the_chain_of_its_operations() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Identity(), nn.Flatten())
    graph = graph_of(network)
    assert labels(graph.canonical()) == [
        INPUT,
        "Conv2d(3, 8, 3x3, padding=1x1)",
        "ReLU",
        "Flatten",
        OUTPUT,
    ]


@pytest.mark.parametrize(
    "written",
    [
        lambda a, b, x: b + a,
        lambda a, b, x: torch.add(a, b),
        lambda a, b, x: sum([a, b]),
        lambda a, b, x: a.add(b),
        lambda a, b, x: 0 + a + b,
    ],
)
def test_sums_are_sums_however_they_are_written(written: Callable[..., Tensor]) -> None:
    assert key(written) == key(lambda a, b, x: a + b)


def test_a_concatenation_of_channels_is_one() -> None:
    graph = graph_of(Applied(lambda a, b, x: torch.cat([a, b], 1)))
    assert CONCAT in labels(graph)
    assert graph.key == key(lambda a, b, x: torch.cat((b, a), dim=1))
    assert graph.key != key(lambda a, b, x: torch.cat((b, a), dim=2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda a, b, x: a + b, lambda a, b, x: a * b),
        (lambda a, b, x: a + b, lambda a, b, x: a + b + x),
        (lambda a, b, x: a + b, lambda a, b, x: a + 2),
        (lambda a, b, x: a - b, lambda a, b, x: b - a),
        (lambda a, b, x: torch.add(a, b, alpha=2), lambda a, b, x: torch.add(a, b)),
        (lambda a, b, x: (a + x) * b, lambda a, b, x: a * (x + b)),
        (lambda a, b, x: a.mean(1), lambda a, b, x: a.mean(2)),
        (lambda a, b, x: torch.relu(a), lambda a, b, x: torch.tanh(a)),
        (lambda a, b, x: a[:, 1:], lambda a, b, x: a[:, 2:]),
        (lambda a, b, x: a * 0.5, lambda a, b, x: a * 0.25),
    ],
)
def test_different_functions_have_different_keys(
    one: Callable[..., Tensor], other: Callable[..., Tensor]
) -> None:
    assert key(one) != key(other)


def test_a_commutative_product_has_one_key() -> None:
    assert key(lambda a, b, x: a * b) == key(lambda a, b, x: b * a)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3, dilation=2)),
        (nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3, bias=False)),
        (nn.Dropout(0.1), nn.Dropout(0.2)),
        (nn.LSTM(4, 8), nn.LSTM(4, 8, 2)),
        (nn.MultiheadAttention(8, 2), nn.MultiheadAttention(8, 4)),
        (nn.TransformerEncoderLayer(8, 2), nn.TransformerEncoderLayer(8, 4)),
        (nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False)),
    ],
)
def test_settings_of_modules_are_in_their_labels(one: nn.Module, other: nn.Module) -> None:
    assert label(one) != label(other)


def test_arguments_without_an_effect_are_left_out() -> None:
    assert label(nn.ReLU(inplace=True)) == label(nn.ReLU()) == "ReLU"


class Twice(nn.Module):
    def __init__(self, *, shared: bool) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = self.first if shared else nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.first(x))
        return y


def test_weights_used_twice_are_another_network_than_two_weights() -> None:
    assert graph_of(Twice(shared=True)).key != graph_of(Twice(shared=False)).key


class Looks(nn.Module):
    """Its `forward` looks at its input, so that it cannot be traced."""

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold
        self.inner = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        if x.mean() > self.threshold:
            x = -x
        y: Tensor = self.inner(x)
        return y


def test_what_cannot_be_traced_is_one_operation() -> None:
    graph = graph_of(nn.Sequential(nn.Linear(4, 4), Looks(0.5), nn.ReLU()))
    kinds = [text.split()[0].split("(")[0] for text in labels(graph)]
    assert kinds == [INPUT, "Linear", "Looks", "ReLU", OUTPUT]
    other = graph_of(nn.Sequential(nn.Linear(4, 4), Looks(0.25), nn.ReLU()))
    assert graph.key != other.key


def test_a_network_that_cannot_be_traced_has_a_graph_of_one_operation() -> None:
    graph = graph_of(Looks(0.5))
    assert len(graph.nodes) == 3
    assert graph.key != graph_of(Looks(0.25)).key
    assert graph.key == graph_of(Looks(0.5)).key


def test_an_alternative_is_an_operation_with_its_name() -> None:
    part = nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
    graph = graph_of(nn.Sequential(nn.Conv2d(3, 4, 1), part), [("conv", part)])
    assert [text.split()[0] for text in labels(graph)][2:] == ["conv", OUTPUT]
    wider = nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 1, bias=False), nn.BatchNorm2d(4))
    other = graph_of(nn.Sequential(nn.Conv2d(3, 4, 1), wider), [("conv", wider)])
    assert graph.key != other.key


def test_alternatives_that_pass_on_or_cut_are_identity_and_zero() -> None:
    skip, cut = nn.Sequential(nn.Identity()), operations.zero(4, 4, 1)
    network = Applied(lambda a, b, x: a + b, skip)
    assert IDENTITY in labels(graph_of(network, [("skip", skip)]))
    without = graph_of(Applied(lambda a, b, x: a + b, cut), [("none", cut)])
    assert without.key == key(lambda a, b, x: a)


def test_an_alternative_with_others_inside_is_looked_into() -> None:
    inner = nn.Conv2d(4, 4, 1)
    outer = nn.Sequential(nn.ReLU(), inner)
    graph = graph_of(nn.Sequential(outer, nn.Flatten()), [("in", inner), ("out", outer)])
    assert [text.split()[0] for text in labels(graph)] == [INPUT, "ReLU", "in", "Flatten", OUTPUT]
