"""What every strategy must do; a strategy's tests inherit from `StrategyContract`."""

from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas.strategies.strategy import (
    Again,
    Exhausted,
    Proposal,
    Recommender,
    Strategy,
    recommended,
    started,
)
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from spaces.cells.cell import CellSpace
from spaces.operations.operations import average_pool, identity, relu_conv_bn, zero
from spaces.space import Space, sample

SMALL = CellSpace(
    operations={"none": zero, "skip": identity, "conv": relu_conv_bn(3)}, nodes=3, channels=4
)


MEDIUM = CellSpace(
    operations={
        "none": zero,
        "skip": identity,
        "conv": relu_conv_bn(3),
        "small": relu_conv_bn(1),
        "pool": average_pool(3),
    },
    nodes=3,
    channels=4,
)


def cost(configuration: Configuration) -> float:
    """Cheap and deterministic: convolutions are good, cuts are bad."""
    values = list(dict(configuration).values())
    return 1.0 - 0.1 * values.count("conv") + 0.05 * values.count("none")


def record(
    history: History,
    space: Space,
    proposal: Proposal,
    outcome: float | Status | None = None,
    budget: float = 1.0,
) -> None:
    """Adds a proposal and what came of it; the status of a failure, None for its real cost."""
    number = len(history.trials)
    if isinstance(proposal, Again):
        used = [t.seed for t in history.trials if t.key == proposal.trial.key]
        chosen, seed = proposal.trial.configuration, max(used) + 1
    else:
        chosen, seed = proposal, 0
    trial = Trial(number, chosen, space.architecture(chosen).key, budget, seed)
    history.add_trial(trial)
    if isinstance(outcome, Status):
        history.add_evaluation(Evaluation(trial, status=outcome))
    else:
        found = cost(chosen) if outcome is None else outcome
        history.add_evaluation(Evaluation(trial, found))


def run(strategy: Strategy, space: Space, evaluations: int, seed: int = 0) -> History:
    """A search without a schedule, which starts its strategy once."""
    strategy = started(strategy, space)
    history = History(space.configuration_space)
    for number in range(evaluations):
        proposal = strategy.propose(space, history, np.random.default_rng([seed, number]))
        record(history, space, proposal)
    return history


class StrategyContract:
    """Inherited whole; override `strategy`."""

    def strategy(self) -> Strategy:
        """A fresh object."""
        raise NotImplementedError

    def test_a_fresh_object_proposes_the_same(self) -> None:
        used = started(self.strategy(), MEDIUM)
        history = run(used, MEDIUM, 12)
        for seed in range(3):
            proposals = [
                strategy.propose(MEDIUM, history, np.random.default_rng(seed))
                for strategy in (used, started(self.strategy(), MEDIUM), self.strategy())
            ]
            assert proposals[0] == proposals[1] == proposals[2]

    def test_a_search_leaves_the_settings_as_they_were(self) -> None:
        settings = self.strategy()
        before = dict(vars(settings))
        run(settings, MEDIUM, 8)
        assert vars(settings) == before

    def test_a_started_object_recommends_the_same(self) -> None:
        settings = self.strategy()
        history = run(settings, MEDIUM, 12)
        used = started(settings, MEDIUM)
        assert isinstance(used, Recommender) == isinstance(settings, Recommender)
        for _ in range(2):
            own = recommended(used, MEDIUM, history)
            assert own == recommended(settings, MEDIUM, history)

    def test_proposals_are_valid_configurations(self) -> None:
        history = run(self.strategy(), MEDIUM, 14)
        for trial in history.trials:
            trial.configuration.check_valid_configuration()
            assert trial.configuration.config_space == MEDIUM.configuration_space

    def test_the_history_is_left_as_it_was(self) -> None:
        history = run(self.strategy(), MEDIUM, 10)
        self.strategy().propose(MEDIUM, history, np.random.default_rng(0))
        assert (len(history.trials), len(history)) == (10, 10)

    @pytest.mark.parametrize("outcome", [Status.CRASHED, Status.DIVERGED, 1.0])
    def test_it_goes_on_when_nothing_can_be_learned(self, outcome: Status | float) -> None:
        history = History(MEDIUM.configuration_space)
        for number, chosen in enumerate(
            sample(MEDIUM.configuration_space, 12, np.random.default_rng(1))
        ):
            record(history, MEDIUM, chosen, outcome)
            try:
                proposal = self.strategy().propose(MEDIUM, history, np.random.default_rng(number))
            except Exhausted:
                continue
            assert isinstance(proposal, Again | Configuration)

    def test_penalties_are_no_obstacle(self) -> None:
        """Numbers that overflow when they are squared; a warning would fail the test."""
        history = History(MEDIUM.configuration_space)
        for number, chosen in enumerate(
            sample(MEDIUM.configuration_space, 12, np.random.default_rng(1))
        ):
            penalty = {3: 1e300, 5: 1.7e308, 8: -1e300}
            record(history, MEDIUM, chosen, penalty.get(number))
        proposal = self.strategy().propose(MEDIUM, history, np.random.default_rng(2))
        assert isinstance(proposal, Again | Configuration)

    def test_it_proposes_while_trials_run(self) -> None:
        history = run(self.strategy(), MEDIUM, 10)
        for number in range(4):
            proposal = self.strategy().propose(MEDIUM, history, np.random.default_rng(number))
            chosen = proposal.trial.configuration if isinstance(proposal, Again) else proposal
            key = MEDIUM.architecture(chosen).key
            history.add_trial(Trial(len(history.trials), chosen, key, 1.0, number))
        assert len(history.pending) == 4
