"""Networks with choices written inline: searched, trained, resumed, shown and exported."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration
from torch import Tensor, nn

from bonas import BayesianOptimization, RandomSearch, Search
from bonas.search.progress import Silent
from bonas.strategies import RegularizedEvolution
from bonas.strategies.strategy import Strategy
from fidelity.checkpoint import Checkpoint
from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import Dataset
from fidelity.export import OnnxFile, Program, PythonFile, write
from fidelity.objective import Context
from fidelity.training.training import Training
from spaces.cells.cell import NASBENCH201, CellSpace
from spaces.cells.network import stacked
from spaces.define_by_run.pick import Pick
from spaces.define_by_run.space import DefineByRun, choices_of
from spaces.joint import JointSpace
from spaces.keys import trial_key
from spaces.resources.resources import count_resources
from spaces.space import InputShape, SpaceError, configuration, record, sample
from tests.fidelity.trained import assert_identical, saved
from tests.spaces.define_by_run import networks

IMAGES, SIGNALS = (3, 8, 8), (3, 12)
SPACES: Mapping[str, DefineByRun] = {
    "residual": DefineByRun(networks.residual, IMAGES, 3),
    "loop": DefineByRun(networks.loop, IMAGES, 3),
    "dense": DefineByRun(networks.Dense, IMAGES, 3),
    "unet": DefineByRun(networks.UNet, IMAGES, 3),
    "recurrent": DefineByRun(networks.Recurrent, SIGNALS, 3),
    "transformer": DefineByRun(networks.Transformer, SIGNALS, 3),
    "nested": DefineByRun(networks.nested, IMAGES, 3),
    "shared": DefineByRun(networks.shared, IMAGES, 3),
    "two of four": DefineByRun(networks.TwoOfFour, IMAGES, 3),
    "followed": DefineByRun(networks.followed, IMAGES, 3),
}


def dataset(name: str) -> Dataset:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, *SPACES[name].input_shape))
    if name == "unet":
        return from_arrays(inputs, (inputs[:, 0] > 0).astype(np.uint8) + (inputs[:, 1] > 1))
    kind = "images" if len(inputs.shape) == 4 else "signals"
    return from_arrays(inputs, rng.integers(0, 3, 60), kind=kind)


@pytest.mark.parametrize("name", SPACES)
class TestEveryKind:
    def drawn(self, name: str) -> Configuration:
        return sample(SPACES[name].configuration_space, 1, np.random.default_rng(2))[0]

    def test_a_training_resumes_to_the_last_bit(self, name: str, tmp_path: Path) -> None:
        training = Training(SPACES[name], dataset(name), max_epochs=3, batch_size=16)
        whole, part, end = tmp_path / "whole.pt", tmp_path / "part.pt", tmp_path / "end.pt"
        training(self.drawn(name), 3, 1, Context(Checkpoint(target=whole)))
        training(self.drawn(name), 1, 1, Context(Checkpoint(target=part)))
        training(self.drawn(name), 3, 1, Context(Checkpoint(part, end)))
        assert_identical(saved(end), saved(whole))

    def test_its_networks_are_exported_and_read_back(self, name: str, tmp_path: Path) -> None:
        space = SPACES[name]
        network = space.build(self.drawn(name), space.input_shape, 3)
        write(network, space.input_shape, tmp_path, [Program(), PythonFile(), OnnxFile()])

    def test_its_networks_are_drawn_and_counted(self, name: str) -> None:
        space = SPACES[name]
        assert space.architecture(self.drawn(name))._repr_svg_().startswith("<svg")
        network = space.build(self.drawn(name), space.input_shape, 3)
        counted = count_resources(network, space.input_shape)
        assert counted.parameters == sum(p.numel() for p in network.parameters())

    def test_it_can_be_sent_to_another_process(self, name: str) -> None:
        space = pickle.loads(pickle.dumps(SPACES[name]))
        assert space.configuration_space == SPACES[name].configuration_space
        drawn = configuration(space.configuration_space, record(self.drawn(name)))
        assert trial_key(space, drawn) == trial_key(SPACES[name], self.drawn(name))


class Cell(nn.Module):
    """The cell of NAS-Bench-201, as a user would write it."""

    def __init__(self, pick: Pick, width: int) -> None:
        super().__init__()
        edges = {}
        for target in range(1, 4):
            for source in range(target):
                name = f"edge_{source}_{target}"
                operations = {
                    key: lambda make=make: make(width, width, 1)
                    for key, make in NASBENCH201.items()
                }
                edges[name] = pick(name, operations)
        self.edges = nn.ModuleDict(edges)

    def forward(self, x: Tensor) -> Tensor:
        values = [x]
        for target in range(1, 4):
            read = [self.edges[f"edge_{i}_{target}"](values[i]) for i in range(target)]
            values.append(sum(read[1:], read[0]))
        return values[-1]


def nasbench201(pick: Pick, input_shape: InputShape, outputs: int) -> nn.Module:
    return stacked(lambda width: Cell(pick, width), input_shape, outputs, 2, 1, 1)


def first_cell(network: nn.Module) -> nn.Module:
    cell: nn.Module = network.get_submodule("2")
    return cell


CELLS = CellSpace.nasbench201(2, 1, 1)
COPY = DefineByRun(nasbench201, part=first_cell)


def both_keys(drawn: list[Configuration]) -> set[tuple[str, str]]:
    """The key of each cell, in the space of this package and in the copy."""
    return {
        (
            trial_key(CELLS, one),
            trial_key(COPY, configuration(COPY.configuration_space, record(one))),
        )
        for one in drawn
    }


def test_a_copy_of_nasbench201_has_the_same_configurations_and_keys() -> None:
    assert COPY.configuration_space == CELLS.configuration_space
    keys = both_keys(sample(CELLS.configuration_space, 300, np.random.default_rng(0)))
    assert len({own for own, _ in keys}) == len({copied for _, copied in keys}) == len(keys)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_copy_of_nasbench201_has_its_5425_keys() -> None:
    sizes = [choice.size for choice in CELLS.configuration_space.values()]
    every = [
        Configuration(CELLS.configuration_space, vector=np.array(index, dtype=float))
        for index in np.ndindex(*sizes)
    ]
    assert len(every) == 15625
    keys = both_keys(every)
    assert len(keys) == len({own for own, _ in keys}) == len({copied for _, copied in keys}) == 5425


def missing(configuration: Configuration) -> float:
    """A cost that needs no training: convolutions that are missing, weighted by their edge."""
    weights = range(1, 7)
    return sum(w for w, v in zip(weights, configuration.values(), strict=True) if "3x3" not in v)


def history(space: Any, strategy: Strategy, evaluations: int) -> list[tuple[dict[str, Any], float]]:
    with Search(space, missing, strategy=strategy, seed=3) as search:
        result = search.run(evaluations=evaluations, progress=Silent())
    return [(record(e.trial.configuration), e.cost) for e in result.evaluations]


@pytest.mark.parametrize(
    "strategy", [RandomSearch(), RegularizedEvolution(population=5, sample_size=2)]
)
def test_a_copy_of_nasbench201_is_searched_alike(strategy: Strategy) -> None:
    assert history(COPY, strategy, 25) == history(CELLS, strategy, 25)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_copy_of_nasbench201_is_searched_alike_by_bayesian_optimization() -> None:
    strategy = BayesianOptimization()
    assert history(COPY, strategy, 25) == history(CELLS, strategy, 25)


def test_a_search_of_inline_choices_stops_and_goes_on(tmp_path: Path) -> None:
    space, data = SPACES["loop"], dataset("loop")
    training = Training(space, data, max_epochs=1, batch_size=16)
    for evaluations in (3, 7):
        strategy = BayesianOptimization(initial=4)
        with Search(space, training, strategy=strategy, directory=tmp_path, seed=0) as search:
            search.run(evaluations=evaluations, progress=Silent())
    with Search(space, training, strategy=strategy, seed=0) as other:
        whole = other.run(evaluations=7, progress=Silent())
    assert [e.cost for e in search.history.evaluations] == [e.cost for e in whole.evaluations]
    assert json.dumps(record(search.best.configuration))


def test_hyperparameters_of_the_training_are_picked_too() -> None:
    def training(pick: Pick) -> None:
        pick.real("learning_rate", 0.01, 0.5, log=True)
        pick("batch_size", [16, 32])

    space = JointSpace(SPACES["loop"], choices_of(training))
    objective = Training(space, dataset("loop"), max_epochs=1)
    with Search(space, objective, strategy=RandomSearch(), seed=0) as search:
        search.run(evaluations=2, progress=Silent())
    assert set(space.training(search.best.configuration)) == {"learning_rate", "batch_size"}


def test_a_constructor_without_choices_is_refused() -> None:
    space = DefineByRun(lambda pick, input_shape, outputs: nn.Linear(3, outputs))
    with pytest.raises(SpaceError, match="picks nothing: call pick"):
        _ = space.configuration_space


def test_a_constructor_of_something_else_is_refused() -> None:
    space = DefineByRun(lambda pick, input_shape, outputs: pick("width", [1, 2]))  # type: ignore[arg-type, return-value]
    with pytest.raises(SpaceError, match=r"returns a int: it has to return a torch\.nn\.Module"):
        _ = space.configuration_space


def test_choices_that_depend_on_the_input_are_noticed_when_built() -> None:
    def network(pick: Pick, input_shape: InputShape, outputs: int) -> nn.Module:
        width = pick("width", [4, 8])
        if input_shape[0] > 3:
            pick("more", [1, 2])
        return nn.Linear(width, outputs)

    space = DefineByRun(network)
    drawn = sample(space.configuration_space, 1, np.random.default_rng(0))[0]
    with pytest.raises(SpaceError, match="picks 'more', which is not active"):
        space.build(drawn, (4, 8, 8), 3)


def test_a_choice_that_no_longer_occurs_is_noticed_when_built() -> None:
    def network(pick: Pick, input_shape: InputShape, outputs: int) -> nn.Module:
        width = pick("width", [4, 8])
        if input_shape[0] == 3:
            pick("more", [1, 2])
        return nn.Linear(width, outputs)

    space = DefineByRun(network)
    drawn = sample(space.configuration_space, 1, np.random.default_rng(0))[0]
    with pytest.raises(SpaceError, match="does not pick 'more'"):
        space.build(drawn, (4, 8, 8), 3)


def test_building_draws_from_the_seed_of_torch_alone() -> None:
    space = SPACES["loop"]
    drawn = sample(space.configuration_space, 1, np.random.default_rng(0))[0]
    torch.manual_seed(5)
    one = space.build(drawn, IMAGES, 3).state_dict()
    _ = space.architecture(drawn)
    torch.manual_seed(5)
    other = space.build(drawn, IMAGES, 3).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
