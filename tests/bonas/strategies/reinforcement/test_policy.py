from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from ConfigSpace import Categorical, Configuration, ConfigurationSpace, EqualsCondition
from torch import Tensor

from bonas.acquisition.candidates import every
from bonas.strategies.reinforcement.logits_policy import LogitsPolicy
from bonas.strategies.reinforcement.lstm_policy import LSTMPolicy
from bonas.strategies.reinforcement.policy import Distribution, Policy, draw, evaluate
from bonas.strategies.reinforcement.walk import Walk
from tests.bonas.strategies.hierarchy import Hierarchy

POLICIES = [LogitsPolicy(), LSTMPolicy(width=5, spread=1.0)]


def tree() -> ConfigurationSpace:
    """Ten configurations: six cells, four chains, and an extra of either."""
    space = ConfigurationSpace()
    kind = Categorical("kind", ["cell", "chain"])
    part = Categorical("part", ["a", "b", "c"])
    length = Categorical("length", ["short", "long"])
    space.add(kind, part, length, Categorical("extra", ["no", "yes"]))
    space.add(EqualsCondition(part, kind, "cell"), EqualsCondition(length, kind, "chain"))
    return space


def moved(policy: Policy, walk: Walk) -> Distribution:
    """The policy with other weights, so that nothing is uniform."""
    distribution = policy.start(walk)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in distribution.parameters:
            weights += torch.randn(weights.shape, generator=generator, dtype=weights.dtype)
    return distribution


def options(walk: Walk, space: ConfigurationSpace) -> Tensor:
    return torch.from_numpy(walk.options(every(space)))


@pytest.mark.parametrize("policy", POLICIES, ids=["logits", "lstm"])
class TestPolicy:
    def test_probabilities_of_all_configurations_add_up_to_one(self, policy: Policy) -> None:
        space = tree()
        walk = Walk(space, 2)
        logs, _ = evaluate(moved(policy, walk), walk, options(walk, space))
        assert len(logs) == 10
        assert logs.exp().sum().item() == pytest.approx(1.0, abs=1e-12)

    def test_the_mean_of_the_entropies_is_the_entropy(self, policy: Policy) -> None:
        space = tree()
        walk = Walk(space, 2)
        logs, entropies = evaluate(moved(policy, walk), walk, options(walk, space))
        mean = (logs.exp() * entropies).sum().item()
        assert mean == pytest.approx(-(logs.exp() * logs).sum().item(), abs=1e-12)

    def test_draws_have_the_probabilities_that_are_judged(self, policy: Policy) -> None:
        space = tree()
        walk = Walk(space, 2)
        distribution = moved(policy, walk)
        logs, _ = evaluate(distribution, walk, options(walk, space))
        drawn = draw(distribution, walk, 4000, np.random.default_rng(0))
        counts = [
            sum(v.tobytes() == chosen.get_array().tobytes() for v in drawn)
            for chosen in every(space)
        ]
        assert np.abs(np.array(counts) / 4000 - logs.exp().detach().numpy()).max() < 0.03
        assert sum(counts) == 4000

    def test_walks_together_are_judged_as_one_by_one(self, policy: Policy) -> None:
        space = tree()
        walk = Walk(space, 2)
        distribution, rows = moved(policy, walk), options(walk, space)
        together = evaluate(distribution, walk, rows)
        for number in range(len(rows)):
            alone = evaluate(distribution, walk, rows[number : number + 1])
            for one, other in zip(alone, together, strict=True):
                assert one[0].item() == pytest.approx(other[number].item(), abs=1e-12)

    def test_the_gradient_is_that_of_finite_differences(self, policy: Policy) -> None:
        space = tree()
        walk = Walk(space, 2)
        distribution, rows = moved(policy, walk), options(walk, space)
        weighted = torch.arange(1.0, 11.0, dtype=torch.float64)

        def objective() -> Tensor:
            logs, entropies = evaluate(distribution, walk, rows)
            return (weighted * logs + entropies).sum()

        gradients = torch.autograd.grad(objective(), list(distribution.parameters))
        step = 1e-5
        for weights, gradient in zip(distribution.parameters, gradients, strict=True):
            place = int(gradient.abs().argmax())
            with torch.no_grad():
                flat = weights.view(-1)
                flat[place] += step
                above = objective().item()
                flat[place] -= 2 * step
                below = objective().item()
                flat[place] += step
            slope = (above - below) / (2 * step)
            assert float(gradient.reshape(-1)[place]) == pytest.approx(slope, rel=1e-5, abs=1e-7)

    def test_what_is_drawn_from_any_space_is_active_where_conditions_hold(
        self, policy: Policy
    ) -> None:
        space = Hierarchy().configuration_space
        walk = Walk(space, 4)
        vectors = draw(moved(policy, walk), walk, 60, np.random.default_rng(0))
        assert len({vector.tobytes() for vector in vectors}) > 20
        for vector in vectors:
            forbidden = (
                vector[space.index_of["part"]] == 1 and vector[space.index_of["ordered"]] == 2
            )
            if not forbidden:
                Configuration(space, vector=vector).check_valid_configuration()

    def test_the_global_generators_are_left_as_they_are(self, policy: Policy) -> None:
        space = tree()
        walk = Walk(space, 2)
        before = torch.get_rng_state()
        state = np.random.get_state()[1].copy()  # noqa: NPY002
        draw(policy.start(walk), walk, 3, np.random.default_rng(0))
        assert torch.equal(before, torch.get_rng_state())
        assert (np.random.get_state()[1] == state).all()  # noqa: NPY002

    def test_one_seed_draws_the_same(self, policy: Policy) -> None:
        walk = Walk(tree(), 2)
        one, other = (draw(policy.start(walk), walk, 8, np.random.default_rng(3)) for _ in range(2))
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def test_the_gradient_of_logits_by_hand() -> None:
    """Of log p: 1 at what was chosen, less the softmax; nothing where nothing was decided."""
    space = tree()
    walk = Walk(space, 2)
    distribution = moved(LogitsPolicy(), walk)
    (logits,) = distribution.parameters
    for chosen, row in zip(every(space), options(walk, space), strict=True):
        (gradient,) = torch.autograd.grad(evaluate(distribution, walk, row[None])[0].sum(), logits)
        for name, place, own in zip(space, itertools.count(), walk.slices, strict=False):
            wanted = torch.zeros(own.stop - own.start, dtype=torch.float64)
            if name in chosen:
                wanted = -logits[own].softmax(0).detach()
                wanted[int(row[place])] += 1
            assert torch.allclose(gradient[own], wanted, atol=1e-12)
