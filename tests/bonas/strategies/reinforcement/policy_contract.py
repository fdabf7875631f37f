"""What every strategy that learns a policy must do, besides the contract of all strategies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration

from bonas import Search
from bonas.runners.simulated import Simulated
from bonas.search.progress import Silent
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.reinforcement.logits_policy import LogitsPolicy
from bonas.strategies.reinforcement.ppo import PPO
from bonas.strategies.reinforcement.reinforce import Reinforce
from bonas.strategies.reinforcement.walk import PolicyError
from bonas.strategies.strategy import Exhausted
from bonas.surrogates.transform import Floats
from fidelity import AsynchronousHalving, Hyperband
from fidelity.history.history import History
from fidelity.history.trial import Trial
from spaces.space import Space
from tests.bonas.spaces import cells
from tests.bonas.spaces import cost as cell_cost
from tests.bonas.strategies.contract import MEDIUM, SMALL, StrategyContract, record, run
from tests.bonas.strategies.hierarchy import Hierarchy
from tests.bonas.strategies.hierarchy import cost as hierarchy_cost


def timed(configuration: Configuration, budget: float = 1.0) -> dict[str, float]:
    seconds = budget * (1 + list(dict(configuration).values()).count("nor_conv_3x3"))
    return {"cost": cell_cost(configuration, budget), "seconds": seconds}


def broken(costs: Floats) -> Floats:
    return costs * np.nan


def told(history: History) -> list[tuple[object, ...]]:
    return [
        (e.trial.number, dict(e.trial.configuration), e.trial.budget, e.cost, e.status)
        for e in history.evaluations
    ]


class PolicyContract(StrategyContract):
    """Inherited whole; override `strategy`."""

    def strategy(self) -> Reinforce | PPO:
        raise NotImplementedError

    def test_networks_are_proposed_once_and_then_it_says_so(self) -> None:
        strategy = self.strategy()
        with pytest.raises(Exhausted):
            run(strategy, SMALL, 1000)
        history = run(strategy, MEDIUM, 30)
        assert len(history.keys()) == 30

    def test_running_networks_are_not_proposed_again(self) -> None:
        history = run(self.strategy(), MEDIUM, 6)
        for number in range(12):
            chosen = self.strategy().propose(MEDIUM, history, np.random.default_rng(7))
            key = MEDIUM.architecture(chosen).key
            assert key not in history.keys()  # noqa: SIM118
            history.add_trial(Trial(len(history.trials), chosen, key, 1.0, number))
        assert len(history.pending) == 12

    def test_a_good_choice_becomes_more_probable(self) -> None:
        space: Space = Hierarchy()
        history = History(space.configuration_space)
        strategy = self.strategy().start(space)
        for number in range(100):
            chosen = strategy.propose(space, history, np.random.default_rng([1, number]))
            chosen.check_valid_configuration()
            record(history, space, chosen, hierarchy_cost(chosen))
        deep = [trial.configuration.get("depth") == 3 for trial in history.trials]
        assert sum(deep[60:]) > 2 * sum(deep[:40])

    def test_it_goes_on_where_it_stopped_with_hyperband(self, tmp_path: Path) -> None:
        def search(name: str) -> Search:
            return Search(
                cells(),
                timed,
                strategy=self.strategy(),
                schedule=Hyperband(1, 9),
                directory=tmp_path / name,
            )

        with search("whole") as whole:
            wanted = told(whole.run(evaluations=40, progress=Silent()))
        for evaluations in (17, 40):
            with search("parts") as part:
                found = told(part.run(evaluations=evaluations, progress=Silent()))
        assert found == wanted

    @pytest.mark.parametrize("schedule", [Hyperband(1, 9), AsynchronousHalving(1, 9)])
    def test_it_works_with_several_workers(self, schedule: Hyperband | AsynchronousHalving) -> None:
        histories = []
        for _ in range(2):
            with Search(cells(), timed, strategy=self.strategy(), schedule=schedule) as search:
                runner = Simulated(4)
                histories.append(search.run(evaluations=50, runner=runner, progress=Silent()))
        assert told(histories[0]) == told(histories[1])
        assert len(histories[0]) >= 50
        new = [trial for trial in histories[0].trials if trial.parent is None]
        assert len({trial.key for trial in new}) == len(new)

    def test_hierarchical_spaces_are_resumed_too(self, tmp_path: Path) -> None:
        def search(name: str) -> Search:
            directory = tmp_path / name
            return Search(
                Hierarchy(), hierarchy_cost, strategy=self.strategy(), directory=directory
            )

        with search("whole") as whole:
            wanted = told(whole.run(evaluations=30, progress=Silent()))
        for evaluations in (11, 30):
            with search("parts") as part:
                found = told(part.run(evaluations=evaluations, progress=Silent()))
        assert found == wanted

    def test_one_object_may_be_used_for_two_spaces(self) -> None:
        strategy, hierarchy = self.strategy(), Hierarchy()
        medium, other = run(strategy, MEDIUM, 12), run(RandomSearch(), hierarchy, 12)
        for space, history in ((hierarchy, other), (MEDIUM, medium), (hierarchy, other)):
            found = [
                used.propose(space, history, np.random.default_rng(5))
                for used in (strategy, self.strategy())
            ]
            assert found[0] == found[1]

    def test_the_global_generators_are_left_as_they_are(self) -> None:
        before = torch.get_rng_state()
        state = np.random.get_state()[1].copy()  # noqa: NPY002
        run(self.strategy(), MEDIUM, 14)
        assert torch.equal(before, torch.get_rng_state())
        assert (np.random.get_state()[1] == state).all()  # noqa: NPY002

    def test_a_loss_that_is_not_a_number_is_one_clear_error(self) -> None:
        strategy = replace(self.strategy(), reward=broken)
        history = run(self.strategy(), MEDIUM, 12)
        with pytest.raises(PolicyError, match="cannot learn from the first"):
            strategy.propose(MEDIUM, history, np.random.default_rng(0))

    def test_the_policy_may_have_no_memory(self) -> None:
        strategy = replace(self.strategy(), policy=LogitsPolicy())
        assert len(run(strategy, MEDIUM, 12).keys()) == 12
