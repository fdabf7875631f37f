"""What every search space must do. A test class of a space inherits from `SpaceContract`."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration

from spaces.configurations.mutation import crossover, mutate, neighbours
from spaces.configurations.unit_cube import from_unit_cube, to_unit_cube
from spaces.display.html import Shown
from spaces.keys import trial_key
from spaces.serialisation import architecture_from_json, architecture_to_json
from spaces.space import InputShape, Space, configuration, sample, values

SAMPLES = 1000


class SpaceContract:
    input_shape: ClassVar[InputShape] = (3, 32, 32)
    outputs: ClassVar[int] = 10
    builds: ClassVar[int] = 20  # of the samples; the slow test builds all

    @staticmethod
    def make_space() -> Space:
        raise NotImplementedError("the space of this contract")

    @pytest.fixture(scope="class")
    @classmethod
    def space(cls) -> Space:
        return cls.make_space()

    @pytest.fixture(scope="class")
    @classmethod
    def samples(cls, space: Space) -> list[Configuration]:
        return sample(space.configuration_space, SAMPLES, np.random.default_rng(0))

    def check_build(self, space: Space, configuration: Configuration) -> None:
        with torch.device("meta"):
            network = space.build(configuration, self.input_shape, self.outputs).eval()
            with torch.no_grad():
                logits = network(self.inputs(2))
        assert logits.shape == self.logits_shape(2)

    def inputs(self, batch: int) -> torch.Tensor:
        return torch.randn(batch, *self.input_shape)

    def logits_shape(self, batch: int) -> tuple[int, ...]:
        return (batch, self.outputs)

    def test_is_a_space(self, space: Space) -> None:
        assert isinstance(space, Space)

    def test_samples_are_valid_without_rejection(
        self, space: Space, samples: list[Configuration]
    ) -> None:
        # ConfigSpace draws again only what a forbidden clause forbids.
        assert not space.configuration_space.forbidden_clauses
        assert len(samples) == SAMPLES
        for drawn in samples:
            drawn.check_valid_configuration()

    def test_samples_have_architectures(self, space: Space, samples: list[Configuration]) -> None:
        for drawn in samples[:100]:
            graph = space.architecture(drawn)
            assert graph.canonical().key == graph.key
            assert space.architecture(drawn).key == graph.key

    def test_samples_build(self, space: Space, samples: list[Configuration]) -> None:
        for drawn in samples[: self.builds]:
            self.check_build(space, drawn)

    @pytest.mark.slow
    @pytest.mark.timeout(1800)
    def test_all_samples_build(self, space: Space, samples: list[Configuration]) -> None:
        for drawn in samples[:100]:
            self.check_build(space, drawn)
        with torch.device("meta"):
            for drawn in samples[100:]:
                space.build(drawn, self.input_shape, self.outputs)

    def test_networks_compute_finite_logits_and_gradients(
        self, space: Space, samples: list[Configuration]
    ) -> None:
        torch.manual_seed(0)
        drawn = next(c for c in samples if space.architecture(c).connected)
        network = space.build(drawn, self.input_shape, self.outputs)
        logits = network(self.inputs(2))
        assert logits.shape == self.logits_shape(2)
        assert torch.isfinite(logits).all()
        logits.sum().backward()

    def test_a_seed_gives_one_network(self, space: Space, samples: list[Configuration]) -> None:
        states = []
        for _ in range(2):
            torch.manual_seed(3)
            states.append(space.build(samples[1], self.input_shape, self.outputs).state_dict())
        assert states[0].keys() == states[1].keys()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])

    def test_round_trip_by_array(self, space: Space, samples: list[Configuration]) -> None:
        for drawn in samples:
            back = Configuration(space.configuration_space, vector=drawn.get_array())
            assert back == drawn
            assert values(back) == values(drawn)

    def test_round_trip_by_json(self, space: Space, samples: list[Configuration]) -> None:
        for drawn in samples:
            text = json.dumps(values(drawn))
            assert configuration(space.configuration_space, json.loads(text)) == drawn

    def changed(self, samples: list[Configuration]) -> Iterator[Configuration]:
        rng = np.random.default_rng(1)
        for one, other in itertools.pairwise(samples[:20]):
            near = list(itertools.islice(neighbours(one, rng), 10))
            assert one not in near
            assert near
            yield from near
            mutant = mutate(one, rng)
            assert mutant != one
            yield mutant
            yield mutate(one, rng, changes=3)
            child = crossover(one, other, rng)
            if one == other:
                assert child == one
            yield child

    def test_variations_are_valid(self, space: Space, samples: list[Configuration]) -> None:
        for count, drawn in enumerate(self.changed(samples)):
            drawn.check_valid_configuration()
            if count % 40 == 0:
                self.check_build(space, drawn)

    def test_architectures_survive_json(self, space: Space, samples: list[Configuration]) -> None:
        for drawn in samples[:20]:
            graph = space.architecture(drawn)
            read = architecture_from_json(architecture_to_json(graph))
            assert read == graph
            assert read.key == graph.key

    def test_the_unit_cube_and_back(self, space: Space, samples: list[Configuration]) -> None:
        rng = np.random.default_rng(2)
        for drawn in samples[:20]:
            assert from_unit_cube(space.configuration_space, to_unit_cube(drawn, rng), rng) == drawn

    def test_equal_configurations_have_equal_keys(
        self, space: Space, samples: list[Configuration]
    ) -> None:
        for drawn in samples[:20]:
            twin = configuration(space.configuration_space, values(drawn))
            assert trial_key(space, twin) == trial_key(space, drawn)

    def test_its_text_is_one_line(self, space: Space) -> None:
        if isinstance(space, Shown):
            assert re.fullmatch(rf"{type(space).__name__}\(.* configurations\)", repr(space))
            assert len(repr(space)) < 200
