from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
from ConfigSpace import Configuration, ConfigurationSpace

from bonas.strategies.evolution import RegularizedEvolution
from bonas.strategies.gradient.single_path import EstimatedNetworks, SinglePathOneShot
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Again, Exhausted, Proposal, Strategy
from fidelity.history.history import History
from fidelity.objective import Diverged
from fidelity.one_shot.one_shot import OneShot
from fidelity.training.optimizers import SGD
from fidelity.training.training import Training
from spaces.cells.cell import CellSpace
from spaces.joint import JointSpace
from spaces.space import Space, SpaceError
from tests.bonas.strategies.contract import MEDIUM, SMALL, StrategyContract, run
from tests.fidelity.trained import DATASET

EVOLUTION = RegularizedEvolution(population=8, sample_size=4)


def one_shot(space: Space, epochs: int = 2) -> OneShot:
    return OneShot(Training(space, DATASET, max_epochs=epochs, batch_size=32, device="cpu"))


SPACE = CellSpace(SMALL.operations, nodes=3, channels=4, cells=1, stages=1)
WIDER = CellSpace(MEDIUM.operations, nodes=4, channels=4, cells=1, stages=1)
SHOT = one_shot(SPACE)
SETTINGS = SinglePathOneShot(SHOT, EVOLUTION, 24)


class TestSinglePathOneShot(StrategyContract):
    def strategy(self) -> SinglePathOneShot:
        return Estimated(one_shot(MEDIUM), EVOLUTION, 24)


class Estimated(SinglePathOneShot):
    """Estimated once, to save time: that a fresh object finds the same has its own test below."""

    def start(self, space: Space) -> EstimatedNetworks:
        return _estimated()


@cache
def _estimated() -> EstimatedNetworks:
    return SinglePathOneShot(one_shot(MEDIUM), EVOLUTION, 24).start(MEDIUM)


class TestProposals:
    def test_they_come_in_the_order_of_the_loss_with_inherited_weights(self) -> None:
        history = run(SETTINGS, SPACE, 8)
        shot = SHOT
        losses = [shot(trial.configuration)["validation_loss"] for trial in history.trials]
        assert losses == sorted(losses)
        assert len(history.keys()) == 8

    def test_each_network_is_ranked_once_and_disconnected_ones_are_left_out(self) -> None:
        graphs = [SPACE.architecture(cell) for cell in SETTINGS.start(SPACE).ranked]
        assert len({graph.key for graph in graphs}) == len(graphs) > 4
        assert all(graph.connected for graph in graphs)

    def test_when_all_estimates_were_asked_for_it_says_so(self) -> None:
        strategy = dataclasses.replace(SETTINGS, estimates=3).start(SPACE)
        history = run(strategy, SPACE, len(strategy.ranked))
        with pytest.raises(Exhausted, match="networks with an estimate have been asked for"):
            strategy.propose(SPACE, history, np.random.default_rng(0))

    def test_evolution_estimates_better_networks_than_random_search(self) -> None:
        shot, means = one_shot(WIDER, 4), []
        for inner in (EVOLUTION, RandomSearch()):
            history = run(SinglePathOneShot(shot, inner, 60), WIDER, 20)
            losses = [shot(trial.configuration)["validation_loss"] for trial in history.trials]
            means.append(np.mean(losses))
        assert means[0] < means[1]

    def test_the_seed_of_the_supernet_is_the_only_randomness(self) -> None:
        shots = (SHOT, one_shot(SPACE), dataclasses.replace(SHOT, seed=1))
        proposed = []
        for seed, shot in enumerate(shots):
            history = run(SinglePathOneShot(shot, EVOLUTION, 24), SPACE, 8, seed)
            proposed.append([trial.configuration for trial in history.trials])
        assert proposed[0] == proposed[1] != proposed[2]


class TestBadInput:
    def test_no_estimates(self) -> None:
        with pytest.raises(ValueError, match="estimates is 0: a proposal needs one or more"):
            dataclasses.replace(SETTINGS, estimates=0)

    def test_a_space_that_also_chooses_the_training(self) -> None:
        rates = ConfigurationSpace({"learning_rate": (0.01, 0.1)})
        space = JointSpace(SPACE, rates)
        strategy = SinglePathOneShot(one_shot(space), EVOLUTION, 4)
        with pytest.raises(SpaceError, match="JointSpace has no weight sharing"):
            run(strategy, space, 1)

    def test_a_supernet_whose_loss_is_no_number_ends_the_search(self) -> None:
        shot = one_shot(SPACE)
        wild = dataclasses.replace(shot.training, optimizer=SGD(1e30, 0.9, 0.0))
        with pytest.raises(Diverged):
            run(SinglePathOneShot(OneShot(wild), EVOLUTION, 4), SPACE, 1)

    def test_a_strategy_that_repeats_networks(self) -> None:
        class Repeating(Strategy):
            def propose(self, space: Space, history: History, rng: np.random.Generator) -> Proposal:
                if history.trials:
                    return Again(history.trials[0])
                return Configuration(space.configuration_space, next(iter(CONFIGURATIONS)))

        with pytest.raises(TypeError, match="Repeating proposed Again"):
            run(dataclasses.replace(SETTINGS, strategy=Repeating()), SPACE, 1)


CONFIGURATIONS = [dict.fromkeys(SPACE.configuration_space, "conv")]
