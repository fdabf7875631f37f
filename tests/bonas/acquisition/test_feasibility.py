from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bonas.acquisition.candidates import every
from bonas.acquisition.feasibility import (
    ADVANCE_EVALUATIONS,
    EXPLORATION_EVALUATIONS,
    MIN_RISK,
    REJECTION_PENALTY,
    Feasibility,
    own_costs,
)
from bonas.surrogates import GaussianProcess
from bonas.surrogates.observations import Observations
from fidelity.history.goal import Constraint, Goal
from fidelity.history.history import History
from fidelity.history.ranking import ranked
from fidelity.history.trial import Evaluation, Status, Trial
from spaces.encoding import Encoder
from tests.bonas.spaces import GAIN, cells

SPACE = cells(3)
ALL = every(SPACE.configuration_space)
ENCODER = Encoder(SPACE, 1)


def skips(place: int) -> float:
    return float(sum("skip" in str(value) for value in ALL[place].values()))


def cost(place: int) -> float:
    return 10 - sum(GAIN[str(value)] for value in ALL[place].values())


def history(constraint: Constraint, places: list[int]) -> History:
    goal = Goal(constraints=(constraint,))
    made = History(SPACE.configuration_space, goal=goal)
    for number, place in enumerate(places):
        trial = Trial(number, ALL[place], ENCODER.key(ALL[place]), 1.0)
        made.add_trial(trial)
        metrics = {"skips": skips(place)}
        made.add_evaluation(Evaluation(trial, cost=cost(place), metrics=metrics))
    return made


PLACES = [int(place) for place in np.random.default_rng(0).permutation(len(ALL))]


@pytest.mark.parametrize(
    "constraint",
    [
        Constraint("skips", at_most=1),
        Constraint("skips", at_least=1),
        Constraint("skips", at_least=1, at_most=1),
    ],
)
def test_candidates_within_a_limit_are_more_probable_than_those_beyond(
    constraint: Constraint,
) -> None:
    known, new = PLACES[:60], PLACES[60:]
    candidates = [ALL[place] for place in new]
    found = Feasibility(GaussianProcess()).log_probability(
        ENCODER, history(constraint, known), candidates
    )
    assert found is not None
    assert (found <= 1e-9).all()
    within = torch.tensor([constraint.violation(skips(place)) == 0 for place in new])
    right = (found[within][:, None] > found[~within][None, :]).double().mean()
    assert right > 0.9  # the area under the ROC curve


def test_without_limits_or_evaluations_there_is_nothing_to_say() -> None:
    feasibility = Feasibility(GaussianProcess())
    assert feasibility.log_probability(ENCODER, History(SPACE.configuration_space), ALL) is None
    empty = history(Constraint("skips", at_most=1), [])
    assert feasibility.log_probability(ENCODER, empty, ALL) is None


def test_a_limit_that_everything_has_kept_is_probably_kept() -> None:
    found = Feasibility(GaussianProcess()).log_probability(
        ENCODER, history(Constraint("skips", at_most=100), PLACES[:60]), ALL
    )
    assert found is not None
    assert found.exp().min() > 0.5


def test_a_model_learns_the_costs_that_were_measured() -> None:
    made = history(Constraint("skips", at_most=0), PLACES[:20])
    seen = ranked(made)
    observed = own_costs(Observations(seen.at(1.0)), made.goal)
    assert observed.costs.tolist() == [e.cost for e in made.evaluations]
    assert Observations(seen.at(1.0)).costs.tolist() != observed.costs.tolist()


def test_a_failure_stays_one() -> None:
    made = history(Constraint("skips", at_most=0), PLACES[:3])
    trial = Trial(3, ALL[5], "failed", 1.0)
    made.add_trial(trial)
    made.add_evaluation(Evaluation(trial, status=Status.CRASHED))
    observed = own_costs(Observations(ranked(made).at(1.0)), made.goal)
    assert observed.evaluations[-1].cost == math.inf
    assert observed.costs[-1] == observed.costs.max()


WITHIN = [place for place in PLACES if skips(place) == 0]
BEYOND = [place for place in PLACES if skips(place) > 0]


def test_the_first_evaluations_and_the_allowance_ahead_are_free() -> None:
    feasibility = Feasibility(GaussianProcess(), allowance=0.15)
    limit = Constraint("skips", at_most=0)
    assert feasibility.risk(history(limit, BEYOND[:EXPLORATION_EVALUATIONS])) == 1.0
    one = history(limit, BEYOND[: EXPLORATION_EVALUATIONS + 1])
    assert feasibility.risk(one) == pytest.approx(0.15 * (ADVANCE_EVALUATIONS + 1) - 1)


def test_a_search_that_has_used_its_allowance_regains_it_with_feasible_evaluations() -> None:
    feasibility = Feasibility(GaussianProcess(), allowance=0.15)
    limit = Constraint("skips", at_most=0)
    used = BEYOND[: EXPLORATION_EVALUATIONS + 2]
    assert feasibility.risk(history(limit, used)) == MIN_RISK
    risks = [feasibility.risk(history(limit, used + WITHIN[:n])) for n in range(9)]
    assert risks == sorted(risks)
    assert risks[-1] == pytest.approx(0.15 * (2 + 8 + ADVANCE_EVALUATIONS) - 2)


def test_what_does_not_fit_into_the_allowance_comes_after_everything_else() -> None:
    feasibility = Feasibility(GaussianProcess())
    limit = Constraint("skips", at_most=0)
    made = history(limit, BEYOND[:20] + WITHIN[:10] + BEYOND[20:26])
    found = feasibility.log_weight(ENCODER, made, ALL)
    chances = feasibility.log_probability(ENCODER, made, ALL)
    assert found is not None
    assert chances is not None
    last = found < -REJECTION_PENALTY / 2
    assert 0 < last.sum() < len(ALL)
    assert torch.equal(last, chances.exp() < 1 - MIN_RISK)
