from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from bonas.acquisition.expected_gain import log_gain, log_improvement
from bonas.acquisition.gittins import gittins_index
from bonas.surrogates import GaussianProcess
from bonas.surrogates.multi_fidelity import Joint, JointTuning, fit
from bonas.surrogates.transform import negative
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.encoding import Encoder
from spaces.keys import trial_key
from spaces.space import sample
from tests.bonas.strategies.contract import MEDIUM, cost


def test_expected_improvement_at_a_known_point() -> None:
    # No gap and a deviation of 1: 1 / sqrt(2 pi).
    value = log_improvement(torch.tensor([0.0, 5.0, -9.0]), torch.tensor([1.0, 1e-15, 1e-15]))
    assert value.exp().tolist() == pytest.approx([0.39894, 5.0, 0.0], abs=1e-4)


def test_without_noise_the_gain_is_the_expected_improvement() -> None:
    gap = torch.tensor([0.3, 0.0, -0.2], dtype=torch.float64)
    variance = torch.tensor([1.0, 0.25, 4.0], dtype=torch.float64)
    gain = log_gain(gap, variance, 0.0).exp()
    assert torch.allclose(gain, log_improvement(gap, variance.sqrt()).exp())


def test_noise_lowers_the_gain_and_several_evaluations_make_up_for_some_of_it() -> None:
    gap, variance = torch.tensor([-1.0]), torch.tensor([1.0])
    single = log_improvement(gap, (variance / math.sqrt(1.0 + 4.0)))
    noisy = log_gain(gap, variance, 4.0)
    assert single < noisy < log_gain(gap, variance, 1.0) < log_gain(gap, variance, 0.0)


@pytest.fixture(scope="module")
def joint() -> dict[bool, Joint]:
    """The same six networks at budget 1, and three of them at 9, resumed and not."""
    cells = sample(MEDIUM.configuration_space, 12, np.random.default_rng(0))
    found: dict[bool, Joint] = {}
    for resumes in (True, False):
        history = History(MEDIUM.configuration_space, resumes=resumes)
        for number, (cell, budget) in enumerate(
            [(cell, 1.0) for cell in cells[:6]] + [(cell, 9.0) for cell in cells[:3]]
        ):
            trial = Trial(number, cell, trial_key(MEDIUM, cell), budget)
            history.add_trial(trial)
            told = cost(cell) + 0.3 / budget + 0.1 * number
            history.add_evaluation(Evaluation(trial, told, seconds=budget))
        points = [*cells[3:9], *cells[:3]]
        arguments: Any = (Encoder(MEDIUM, depth=1), history, points, (1.0, 9.0), JointTuning())
        found[resumes] = fit(GaussianProcess(), negative, *arguments)
    return found


def test_the_best_step_is_on_the_going_rate(joint: dict[bool, Joint]) -> None:
    for known in joint.values():
        steps = gittins_index(known, [1.0] * 3 + [0.0] * 3, [True] * 3, (1.0, 3.0, 9.0))
        values = torch.cat([steps.at_once(), steps.repeats()])
        assert float(values.max()) == pytest.approx(0.0, abs=1e-9)
        assert steps.going_rate > 0


def test_no_step_to_a_budget_that_was_reached(joint: dict[bool, Joint]) -> None:
    steps = gittins_index(joint[True], [1.0] * 3 + [0.0] * 3, [True] * 3, (1.0, 3.0, 9.0))
    assert steps.at(1.0)[:3].tolist() == [-math.inf] * 3
    assert steps.at(1.0)[3:].isfinite().all()
    assert steps.at(3.0).isfinite().all()


def test_what_does_not_resume_costs_all_of_its_seconds(joint: dict[bool, Joint]) -> None:
    for resumes, known in joint.items():
        steps = gittins_index(known, [1.0] * 6, [False] * 3, (1.0, 3.0, 9.0))
        spent = (steps.gains - steps.at_once()) / steps.going_rate / steps.rates[:6]
        assert spent.tolist() == pytest.approx([8.0 if resumes else 9.0] * 6)


def test_what_may_not_be_repeated_gains_nothing(joint: dict[bool, Joint]) -> None:
    steps = gittins_index(joint[True], [0.0] * 6, [True, False, True], (1.0, 3.0, 9.0))
    assert steps.repeat_gains[1] == 0
    assert (steps.repeat_gains[[0, 2]] > 0).all()
