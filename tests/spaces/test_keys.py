from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest
from ConfigSpace import (
    Categorical,
    Configuration,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    GreaterThanCondition,
    Integer,
)
from torch import nn

from fidelity.tables import MNIST1DCells
from spaces import (
    CellSpace,
    EncoderDecoderSpace,
    JointSpace,
    MacroSpace,
    NextTokenSpace,
    Perceptrons,
    ResidualPerceptrons,
    SequenceSpace,
    Space,
    darts,
    keys,
    liu2018,
    nasbench101,
    trial_key,
    zoo,
)
from spaces.architecture.architecture import Architecture, chain
from spaces.encoding import Encoder
from spaces.keys import Keys, unlabelled
from spaces.space import configuration, sample


@dataclass(eq=False)
class Layered:
    """A chain of what `labels` says of a configuration."""

    choices: Any
    shown: Sequence[str]
    asked: int = field(default=0)

    def __post_init__(self) -> None:
        self.configuration_space = (
            self.choices
            if isinstance(self.choices, ConfigurationSpace)
            else ConfigurationSpace(self.choices)
        )

    def labels(self, values: Mapping[str, Any]) -> list[str]:
        return [f"{name} {values[name]}" for name in self.shown if name in values]

    def architecture(self, configuration: Configuration) -> Architecture:
        self.asked += 1
        return chain(self.labels(dict(configuration)))

    def build(self, configuration: Configuration, shape: object, outputs: int) -> nn.Module:
        raise NotImplementedError


class Deep(Layered):
    """Its 16th layer is there at depth 16 only, and no condition says so."""

    def labels(self, values: Mapping[str, Any]) -> list[str]:
        return [f"layer {values[f'layer{n}']}" for n in range(1, values["depth"] + 1)]


class Coarse(Layered):
    """Only the last of ten choices is another network."""

    def labels(self, values: Mapping[str, Any]) -> list[str]:
        return [str(values["kind"] == "j"), str(round(values["width"]))]


def quietly(space: Space) -> set[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return set(unlabelled(space))


def test_what_the_graph_never_shows_is_part_of_the_key() -> None:
    space = Layered({"kind": ["a", "b"], "lr": (1e-4, 1.0)}, ["kind"])
    with pytest.warns(UserWarning, match=r"architectures of Layered do not depend on 'lr'.*JointS"):
        assert set(unlabelled(space)) == {"lr"}
    drawn = sample(space.configuration_space, 20, np.random.default_rng(0))
    assert len({trial_key(space, chosen) for chosen in drawn}) == 20
    again = configuration(space.configuration_space, dict(drawn[0]))
    assert trial_key(space, again) == trial_key(space, drawn[0])
    twin = Layered(space.choices, ["kind"])
    with pytest.warns(UserWarning, match="'lr'"):
        assert trial_key(twin, drawn[0]) == trial_key(space, drawn[0])


def test_it_is_said_once_and_the_space_is_probed_once() -> None:
    space = Layered({"kind": ["a", "b"], "lr": (1e-4, 1.0)}, ["kind"])
    with pytest.warns(UserWarning, match="'lr'"):
        unlabelled(space)
    asked = space.asked
    assert set(unlabelled(space)) == {"lr"}  # another warning would be an error
    assert space.asked == asked


def test_everything_that_names_a_configuration_agrees() -> None:
    space = Layered({"kind": ["a", "b"], "lr": (1e-4, 1.0)}, ["kind"])
    quietly(space)
    encoder = Encoder(space)
    drawn = sample(space.configuration_space, 10, np.random.default_rng(0))
    assert [encoder.key(c) for c in drawn] == [trial_key(space, c) for c in drawn]


def test_an_inactive_hyperparameter_is_no_part_of_a_key() -> None:
    choices = ConfigurationSpace({"kind": ["a", "b"], "optimizer": ["sgd", "adam"]})
    momentum = Float("momentum", (0.0, 1.0))
    choices.add(momentum)
    choices.add(EqualsCondition(momentum, choices["optimizer"], "sgd"))
    space = Layered(choices, ["kind"])
    assert quietly(space) == {"optimizer", "momentum"}
    adam = configuration(choices, {"kind": "a", "optimizer": "adam"})
    sgd = configuration(choices, {"kind": "a", "optimizer": "sgd", "momentum": 0.5})
    assert trial_key(space, adam) != trial_key(space, sgd)


def test_a_choice_that_matters_in_a_rare_context_is_architecture() -> None:
    layers = {f"layer{number}": ["conv", "pool", "skip"] for number in range(1, 17)}
    assert not quietly(Deep({"depth": (1, 16), **layers}, []))


def test_a_choice_of_which_a_single_value_matters_is_architecture() -> None:
    assert not quietly(Coarse({"kind": list("abcdefghij"), "width": (0.0, 0.6)}, []))


def test_a_choice_in_a_rare_branch_is_judged_where_it_is_active() -> None:
    choices = ConfigurationSpace({"kind": ["a", "b"]})
    depth, shown, hidden = Integer("depth", (1, 100)), Integer("shown", (1, 9)), Float("lr", (0, 1))
    choices.add([depth, shown, hidden, Constant("version", 1), Categorical("single", ["one"])])
    choices.add([GreaterThanCondition(child, depth, 90) for child in (shown, hidden)])
    assert quietly(Layered(choices, ["kind", "depth", "shown"])) == {"lr"}


def test_a_joint_space_has_what_its_architectures_do_not_show() -> None:
    inner = Layered({"kind": ["a", "b"], "lr": (1e-4, 1.0)}, ["kind"])
    quietly(inner)
    joint = JointSpace(inner, ConfigurationSpace({"decay": (0.0, 1.0)}))
    drawn = sample(joint.configuration_space, 10, np.random.default_rng(0))
    assert len({joint.key(c) for c in drawn}) == 10
    values = {"architecture:kind": "a", "architecture:lr": 0.1, "training:decay": 0.5}
    other = configuration(joint.configuration_space, values | {"architecture:lr": 0.2})
    assert joint.key(configuration(joint.configuration_space, values)) != joint.key(other)


def test_a_space_may_declare_them() -> None:
    class Declared(Layered):
        unlabelled: ClassVar[tuple[str, ...]] = ("lr",)

    space = Declared({"kind": ["a", "b"], "lr": (1e-4, 1.0)}, ["kind"])
    drawn = sample(space.configuration_space, 10, np.random.default_rng(0))
    assert len({trial_key(space, c) for c in drawn}) == 10
    assert space.asked == 10


SHIPPED = {
    "nasbench201": CellSpace.nasbench201,
    "nasbench101": nasbench101,
    "darts": darts,
    "liu2018": liu2018,
    "nasbench_macro": MacroSpace.nasbench_macro,
    "mobile": MacroSpace.mobile,
    "sequences": lambda: SequenceSpace(9),
    "next token": lambda: NextTokenSpace(9),
    "small": MacroSpace.small,
    "encoder-decoder": EncoderDecoderSpace,
    "zoo": zoo.space,
    "perceptrons": Perceptrons,
    "residual perceptrons": ResidualPerceptrons,
    "mnist1d": lambda: MNIST1DCells().space,
}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_keys_of_shipped_spaces_are_those_of_their_graphs(name: str) -> None:
    space: Space = SHIPPED[name]()
    assert not unlabelled(space)
    chosen = sample(space.configuration_space, 1, np.random.default_rng(1))[0]
    assert trial_key(space, chosen) == space.architecture(chosen).key


@pytest.mark.parametrize("name", ["nasbench201", "nasbench101", "darts", "nasbench_macro"])
def test_probing_takes_about_two_graphs_a_choice(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    space: Space = SHIPPED[name]()
    probe = keys._Probe(space)
    choices = len(probe._pending)
    graphs = []
    monkeypatch.setattr(type(space), "architecture", _counting(type(space).architecture, graphs))
    assert not probe.unlabelled()
    assert len(graphs) < 3 * choices + 5


def _counting(architecture: Any, seen: list[Any]) -> Any:
    def counted(self: Any, configuration: Configuration) -> Architecture:
        seen.append(configuration)
        found: Architecture = architecture(self, configuration)
        return found

    return counted


def test_probing_leaves_the_random_state_of_the_space_alone() -> None:
    one, other = (Layered({"kind": ["a", "b"], "lr": (1e-4, 1.0)}, ["kind"]) for _ in range(2))
    for space in (one, other):
        space.configuration_space.seed(3)
    quietly(one)
    first, second = (s.configuration_space.sample_configuration(5) for s in (one, other))
    assert [dict(c) for c in first] == [dict(c) for c in second]


def test_a_memo_computes_each_key_once() -> None:
    space = Layered({"kind": ["a", "b"]}, ("kind",))
    memo = Keys(space)
    first, second = sample(space.configuration_space, 2, np.random.default_rng(1))
    expected = [trial_key(space, chosen) for chosen in (first, second)]
    assert [memo.key(chosen) for chosen in (first, second)] == expected
    asked = space.asked
    assert [memo.key(chosen) for chosen in (first, second)] == expected
    assert space.asked == asked
