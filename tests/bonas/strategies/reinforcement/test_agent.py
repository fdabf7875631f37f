from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from ConfigSpace import Configuration
from torch import Tensor

from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.reinforcement.agent import Agent
from bonas.strategies.reinforcement.learner import Learning
from bonas.strategies.reinforcement.logits_policy import LogitsPolicy
from bonas.strategies.reinforcement.policy import Distribution, Policy
from bonas.strategies.reinforcement.reinforce import Reinforce, score_function
from bonas.strategies.reinforcement.walk import Walk
from bonas.surrogates.transform import normal_scores
from fidelity.history.history import History
from tests.bonas.strategies.contract import MEDIUM, SMALL, cost, record
from tests.bonas.strategies.hierarchy import Hierarchy

LEARNING = Learning(score_function, 0.1, 0.0, 0.9, 1, 1, normal_scores)


@dataclass(frozen=True)
class Collapsed:
    """Always the first option."""

    def start(self, walk: Walk) -> Distribution:
        distribution = LogitsPolicy().start(walk)
        with torch.no_grad():
            for own in walk.slices:
                distribution.parameters[0][own.start] = 1e4
        return distribution


def propose(policy: Policy, space: object, history: History, seed: int) -> Configuration:
    agent = Agent(space, policy, LEARNING, 4)  # type: ignore[arg-type]
    return agent.propose(space, history, np.random.default_rng(seed))


def test_what_the_policy_draws_is_proposed_if_it_is_new() -> None:
    history = History(MEDIUM.configuration_space)
    assert not propose(Collapsed(), MEDIUM, history, 0).get_array().any()


def test_a_policy_that_has_collapsed_gives_way_to_new_networks() -> None:
    history = History(MEDIUM.configuration_space)
    for number in range(5):
        record(history, MEDIUM, propose(Collapsed(), MEDIUM, history, number), 1.0)
    assert len(history.keys()) == 5


def test_a_search_with_a_collapsed_policy_ends_with_the_space() -> None:
    with Search(SMALL, cost, strategy=Reinforce(Collapsed())) as search:
        history = search.run(evaluations=1000, progress=Silent())
    assert len(history) == len(history.keys()) < 27


@dataclass(frozen=True)
class Forbidden:
    """Draws the forbidden pair of `Hierarchy` nearly always."""

    def start(self, walk: Walk) -> Distribution:
        distribution = LogitsPolicy().start(walk)
        names = list(Hierarchy().configuration_space)
        with torch.no_grad():
            logits: Tensor = distribution.parameters[0]
            for name, option in (("kind", 0), ("part", 1), ("ordered", 2)):
                logits[walk.slices[names.index(name)].start + option] = 1e4
        return distribution


def test_what_a_clause_forbids_is_not_proposed() -> None:
    space = Hierarchy()
    history = History(space.configuration_space)
    for seed in range(4):
        propose(Forbidden(), space, history, seed).check_valid_configuration()
    assert len(history) == 0
