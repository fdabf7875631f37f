from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from bonas.strategies.random_search import RandomSearch
from bonas.strategies.reinforcement.learner import Learner, Learning
from bonas.strategies.reinforcement.logits_policy import LogitsPolicy
from bonas.strategies.reinforcement.reinforce import score_function
from bonas.strategies.reinforcement.walk import PolicyError, Walk
from bonas.surrogates.transform import Floats, negative, normal_scores
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from spaces.space import sample
from tests.bonas.strategies.contract import MEDIUM, record, run

WALK = Walk(MEDIUM.configuration_space, 2)
SETTINGS = {
    "gain": score_function,
    "rate": 0.1,
    "entropy": 0.0,
    "decay": 0.5,
    "batch": 1,
    "passes": 1,
    "reward": negative,
}


def learning(**changes: object) -> Learning:
    return Learning(**{**SETTINGS, **changes})  # type: ignore[arg-type]


def logits(settings: Learning, history: History) -> Tensor:
    """What a fresh learner has learned from a history."""
    return Learner(LogitsPolicy(), WALK, settings).trained(history).parameters[0].detach()


def evaluated(*outcomes: float | Status, budgets: tuple[float, ...] = ()) -> History:
    """Random networks with these costs."""
    history = History(MEDIUM.configuration_space)
    drawn = sample(MEDIUM.configuration_space, len(outcomes), np.random.default_rng(0))
    for chosen, outcome, budget in zip(
        drawn, outcomes, budgets or (1.0,) * len(outcomes), strict=True
    ):
        record(history, MEDIUM, chosen, outcome, budget)
    return history


class Seen:
    """A gain that keeps the advantages."""

    def __init__(self) -> None:
        self.advantages: list[float] = []

    def __call__(self, logs: Tensor, before: Tensor, advantages: Tensor) -> Tensor:
        self.advantages += advantages.tolist()
        return score_function(logs, before, advantages)


def advantages(history: History, **changes: object) -> list[float]:
    seen = Seen()
    logits(learning(gain=seen, **changes), history)
    return seen.advantages


def test_the_baseline_is_a_moving_average_of_earlier_rewards() -> None:
    found = advantages(evaluated(3.0, 1.0, 2.0))
    # Rewards -3, -1, -2; the baseline begins at the first, then -2 after the second.
    assert found == pytest.approx([0.0, 2.0, 0.0])


def test_rewards_are_compared_within_a_budget() -> None:
    found = advantages(evaluated(3.0, 100.0, 1.0, 98.0, budgets=(1.0, 9.0, 1.0, 9.0)))
    assert found == pytest.approx([0.0, 0.0, 2.0, 2.0])


def test_a_failure_has_the_worst_reward_seen() -> None:
    found = advantages(evaluated(3.0, 1.0, Status.CRASHED), decay=0.0)
    assert found == pytest.approx([0.0, 2.0, -2.0])


def test_normal_scores_are_among_what_ended_before() -> None:
    costs = [3.0, 1.0, 2.0, 0.5]
    found = advantages(evaluated(*costs), decay=0.0, reward=normal_scores)
    rewards = [normal_scores(np.array(costs[: n + 1]))[n] for n in range(4)]
    assert found == pytest.approx([0.0, *np.diff(rewards)])


def test_a_batch_is_learned_from_when_it_is_whole() -> None:
    history = evaluated(3.0, 1.0, 2.0, 4.0, 0.0)
    assert not logits(learning(batch=6), history).any()
    first = evaluated(3.0, 1.0, 2.0)
    assert torch.equal(logits(learning(batch=3), history), logits(learning(batch=3), first))
    assert logits(learning(batch=3), first).any()


@pytest.mark.parametrize("batch", [1, 3])
def test_learning_on_the_way_is_learning_at_the_end(batch: int) -> None:
    history = History(MEDIUM.configuration_space)
    learner = Learner(LogitsPolicy(), WALK, learning(batch=batch, entropy=0.1))
    for trial in run(RandomSearch(), MEDIUM, 10).trials:
        record(history, MEDIUM, trial.configuration)
        on_the_way = learner.trained(history).parameters[0].detach().clone()
    assert torch.equal(on_the_way, logits(learning(batch=batch, entropy=0.1), history))


def test_another_history_is_learned_from_the_beginning() -> None:
    one, other = evaluated(3.0, 1.0, 2.0), evaluated(1.0, 3.0, 2.0, 5.0)
    learner = Learner(LogitsPolicy(), WALK, learning())
    for history in (one, other, one):
        found = learner.trained(history).parameters[0].detach().clone()
        assert torch.equal(found, logits(learning(), history))


def test_the_order_in_which_evaluations_ended_counts() -> None:
    histories = []
    for order in ((0, 1, 2), (2, 0, 1)):
        history = History(MEDIUM.configuration_space)
        drawn = sample(MEDIUM.configuration_space, 3, np.random.default_rng(0))
        for number, chosen in enumerate(drawn):
            key = MEDIUM.architecture(chosen).key
            history.add_trial(Trial(number, chosen, key, 1.0, number))
        for number in order:
            history.add_evaluation(Evaluation(history.trials[number], float(number)))
        histories.append(history)
    assert not torch.equal(*(logits(learning(), history) for history in histories))


def test_the_first_step_goes_up_the_gradient_by_hand() -> None:
    history = evaluated(3.0, 1.0)
    chosen = WALK.options([history.trials[1].configuration])[0]
    # Adam's first step that is not zero has the sign of the gradient: up for what was chosen,
    # down for all else.
    found = logits(learning(), history)
    wanted = -torch.ones(15, dtype=torch.float64)
    for own, option in zip(WALK.slices, chosen, strict=True):
        wanted[own.start + int(option)] = 1.0
    assert torch.equal(found.sign(), wanted)


def test_entropy_keeps_the_policy_wide() -> None:
    history = evaluated(*np.linspace(9.0, 1.0, 30))
    narrow, wide = (logits(learning(entropy=weight), history) for weight in (0.0, 30.0))
    assert float(wide.std()) < float(narrow.std())


def broken(costs: Floats) -> Floats:
    return costs * np.nan


def test_a_loss_that_is_not_a_number_is_one_clear_error_each_time() -> None:
    history = evaluated(3.0, 1.0)
    learner = Learner(LogitsPolicy(), WALK, learning(reward=broken))
    for _ in range(2):
        with pytest.raises(PolicyError, match=r"first 1 evaluations: its loss is nan.*lower the"):
            learner.trained(history)


def test_weights_that_grow_without_bound_are_the_same_error() -> None:
    history = evaluated(3.0, 1.0, 2.0, 0.0, 5.0)
    with pytest.raises(PolicyError, match="a weight is not finite"):
        logits(learning(rate=1e308), history)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 0}, "the batch is a number from 1 on, not 0"),
        ({"passes": 0}, "number of passes is a number from 1 on, not 0"),
        ({"entropy": -0.1}, "weight of the entropy is a number from 0 on, not -0.1"),
        ({"entropy": math.nan}, "weight of the entropy is a number from 0 on, not nan"),
        ({"rate": 0.0}, "learning rate is a positive number, not 0.0"),
        ({"rate": math.inf}, "learning rate is a positive number, not inf"),
        ({"decay": 1.0}, "less than 1, not 1.0"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        learning(**changes)
