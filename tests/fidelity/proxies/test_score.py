"""Proxies as an objective and as features."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration
from torch import nn

import fidelity
from fidelity.history.trial import Status, Trial
from fidelity.objective import Context, Diverged, InvalidArchitecture, evaluate
from fidelity.proxies import (
    NASWOT,
    SNIP,
    Batch,
    GradNorm,
    Parameters,
    Proxy,
    ProxyError,
    ProxyFeatures,
    Score,
    Synflow,
    Zen,
)
from spaces.cells.cell import CellSpace
from spaces.encoding import Encoder
from spaces.space import sample
from tests.fidelity.trained import DATASET, SPACE, stripes

CONVOLUTION = SPACE.of("convolution")


class Constant:
    """A proxy whose score is always the same."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(
        self,
        network: nn.Module,
        batch: Batch,
        generator: torch.Generator,
    ) -> float:
        return self.value


class Recorder(Constant):
    """A proxy that keeps what it was given."""

    def __call__(
        self,
        network: nn.Module,
        batch: Batch,
        generator: torch.Generator,
    ) -> float:
        self.seen = (network.state_dict(), batch, generator.initial_seed())
        return self.value


def test_the_names_are_public() -> None:
    assert all(getattr(fidelity.proxies, name) is not None for name in fidelity.proxies.__all__)


class TestScore:
    def test_the_cost_is_minus_the_score(self) -> None:
        counted = SPACE.build(CONVOLUTION, DATASET.input_shape, DATASET.outputs)
        wanted = sum(p.numel() for p in counted.parameters())
        assert Score(SPACE, DATASET, Parameters())(CONVOLUTION) == -wanted

    def test_it_is_fixed_by_the_seed_and_leaves_torch_alone(self) -> None:
        before = torch.get_rng_state()
        objective = Score(SPACE, DATASET, SNIP(), images=16, device="cpu")
        costs = [objective(CONVOLUTION, seed=seed) for seed in (0, 0, 1)]
        assert costs[0] == costs[1] != costs[2]
        assert torch.equal(torch.get_rng_state(), before)

    def test_the_weights_are_those_that_a_training_of_the_seed_starts_from(self) -> None:
        recorder = Recorder(1.0)
        Score(SPACE, DATASET, recorder, images=16, device="cpu")(CONVOLUTION, seed=3)
        with torch.random.fork_rng():
            torch.manual_seed(3)
            wanted = SPACE.build(CONVOLUTION, DATASET.input_shape, DATASET.outputs)
        weights, batch, seed = recorder.seen
        assert all(torch.equal(weights[name], v) for name, v in wanted.state_dict().items())
        assert seed == 3
        assert batch.inputs.shape == (16, 1, 6, 6)
        assert len(batch.targets) == 16
        assert abs(float(batch.inputs.mean())) < 0.2
        assert float(batch.inputs.std()) == pytest.approx(1, abs=0.2)

    def test_budgets_make_no_difference(self) -> None:
        objective = Score(SPACE, DATASET, GradNorm(), device="cpu")
        results = [
            evaluate(objective, Trial(0, CONVOLUTION, "key", budget), Context())
            for budget in (1.0, 9.0)
        ]
        assert results[0].cost == results[1].cost
        assert not Score.resumes

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_what_is_no_number_is_a_failure(self, value: float) -> None:
        objective = Score(SPACE, DATASET, Constant(value), device="cpu")
        with pytest.raises(Diverged, match=f"the score of Constant is {value}: "):
            objective(CONVOLUTION)
        trial = Trial(0, CONVOLUTION, "key", 1.0)
        assert evaluate(objective, trial, Context()).status is Status.DIVERGED

    def test_a_cut_network_is_invalid(self) -> None:
        with pytest.raises(InvalidArchitecture, match="no path leads from the input"):
            Score(SPACE, DATASET, Synflow())(SPACE.of("zero"))

    def test_the_proxy_that_refuses_is_named(self) -> None:
        with pytest.raises(ProxyError, match=r"^NASWOT: the network has no nn\.ReLU"):
            Score(SPACE, DATASET, NASWOT(), device="cpu")(SPACE.of("empty"))

    def test_a_batch_of_one_class_is_refused(self) -> None:
        labels = DATASET.train.targets
        seed = next(
            seed
            for seed in range(99)
            if len(labels[torch.randperm(len(labels), generator=_seeded(seed))[:2]].unique()) == 1
        )
        objective = Score(SPACE, DATASET, SNIP(), images=2, device="cpu")
        with pytest.raises(ProxyError, match=r"SNIP: all 2 examples .* the same target"):
            objective(CONVOLUTION, seed)

    def test_the_device_of_the_context_takes_precedence(self) -> None:
        objective = Score(SPACE, DATASET, Parameters(), device="no such device")
        assert objective(CONVOLUTION, context=Context(device="cpu")) < 0

    @pytest.mark.parametrize("images", [0, -1])
    def test_a_batch_without_images_is_refused(self, images: int) -> None:
        with pytest.raises(ValueError, match=f"images is {images}: a batch has an image or more"):
            Score(SPACE, DATASET, NASWOT(), images=images)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestProxyFeatures:
    PROXIES: tuple[Proxy, ...] = (NASWOT(), Synflow(), Zen(), SNIP())

    def test_each_score_is_what_the_proxy_alone_gives(self) -> None:
        features = ProxyFeatures(SPACE, DATASET, self.PROXIES, device="cpu")
        wanted = [
            -Score(SPACE, DATASET, proxy, device="cpu")(CONVOLUTION) for proxy in self.PROXIES
        ]
        assert list(features(CONVOLUTION)) == wanted

    def test_a_cut_network_has_no_numbers(self) -> None:
        features = ProxyFeatures(SPACE, DATASET, self.PROXIES, device="cpu")
        assert np.isnan(features(SPACE.of("zero"))).all()
        assert len(features(SPACE.of("zero"))) == 4

    def test_an_encoder_takes_them(self) -> None:
        space = CellSpace(nodes=3, channels=4, cells=1, stages=2)
        features = ProxyFeatures(space, stripes(60), (NASWOT(), Synflow()), 8, device="cpu")
        drawn: list[Configuration] = sample(space.configuration_space, 8, np.random.default_rng(0))
        encoding = Encoder(space, 1, features).encode(drawn)
        assert encoding.layout.extra is not None
        columns = encoding.rows[:, encoding.layout.extra]
        assert columns.shape == (8, 2)
        assert np.isfinite(columns).all()
        assert columns.std(axis=0) == pytest.approx(1.0)

    def test_without_a_proxy_there_are_none(self) -> None:
        with pytest.raises(ValueError, match="there is no proxy: give one or more"):
            ProxyFeatures(SPACE, DATASET, ())

    def test_what_is_no_data_set_is_named(self) -> None:
        with pytest.raises(TypeError, match="the data set is a ndarray: expected"):
            ProxyFeatures(SPACE, np.ones((20, 1, 4, 4)), self.PROXIES)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="the data set is a ndarray: expected"):
            Score(SPACE, np.ones((20, 1, 4, 4)), NASWOT())  # type: ignore[arg-type]
