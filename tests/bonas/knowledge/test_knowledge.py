from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ConfigSpace import Configuration

from bonas.knowledge.knowledge import Knowledge, Memo, standardised
from bonas.surrogates.transform import Floats
from fidelity.history.history import History
from tests.bonas.knowledge.toys import SPACE, convolutions, searched


@dataclass(frozen=True)
class Told:
    """A source that counts convolutions, or the opposite."""

    sign: float
    agreement: float = 0.5

    def known(self, history: History) -> bool:
        return True

    def predictions(self, history: History, configurations: Sequence[Configuration]) -> Floats:
        return self.sign * np.array([convolutions(c) for c in configurations], dtype=float)


def test_a_source_that_ranks_the_wrong_way_round_has_no_weight() -> None:
    history = searched()
    drawn = [evaluation.trial.configuration for evaluation in history.evaluations]
    right = Told(1.0).predictions(history, drawn)
    both = Knowledge([Told(1.0), Told(-1.0)])
    predicted = both.predictions(history, history.evaluations, drawn)
    assert predicted is not None
    np.testing.assert_allclose(predicted, right)
    assert Knowledge([Told(-1.0)]).predictions(history, history.evaluations, drawn) is None


def test_before_any_evaluation_the_presumed_agreement_decides() -> None:
    history = History(SPACE.configuration_space)
    drawn = [evaluation.trial.configuration for evaluation in searched().evaluations]
    predicted = Knowledge([Told(1.0, 0.9), Told(-1.0, 0.3)]).predictions(history, [], drawn)
    assert predicted is not None
    np.testing.assert_allclose(predicted, 0.8 * Told(1.0).predictions(history, drawn))


def test_nothing_is_known_without_sources() -> None:
    history = searched()
    assert not Knowledge([]).known(history)
    assert Knowledge([]).predictions(history, history.evaluations, []) is None


def test_each_network_is_predicted_once() -> None:
    asked: list[int] = []

    def predict(configurations: Sequence[Configuration]) -> Floats:
        asked.append(len(configurations))
        return np.array([convolutions(c) for c in configurations], dtype=float)

    drawn = [evaluation.trial.configuration for evaluation in searched().evaluations]
    memo = Memo(predict)
    first = memo(drawn[:10])
    np.testing.assert_array_equal(memo(drawn[:15])[:10], first)
    assert sum(asked) == len({c.get_array().tobytes() for c in drawn[:15]})


def test_units_are_those_of_random_networks() -> None:
    reference = np.array([1.0, 3.0])
    np.testing.assert_array_equal(standardised(np.array([2.0, 5.0]), reference), [0.0, 3.0])
    np.testing.assert_array_equal(standardised(np.array([2.0]), np.array([1.0, 1.0])), [0.0])
