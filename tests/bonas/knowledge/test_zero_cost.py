from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from bonas.knowledge.zero_cost import MIN_NETWORKS, ZeroCost, ZeroCostSource, mean_scores
from bonas.surrogates import GaussianProcess
from fidelity.history.history import History
from fidelity.history.scores import Scored
from spaces.encoding import Encoder
from spaces.space import sample
from tests.bonas.knowledge.toys import SPACE, convolutions


def test_the_number_of_networks_follows_from_the_images_that_trainings_read() -> None:
    settings = ZeroCost()
    affordable = settings.images * len(settings.proxies)  # a training's worth of one network
    assert settings.count(0.0) == 0
    assert settings.count(affordable * (MIN_NETWORKS - 1)) == 0
    assert settings.count(affordable * 20.5) == 20
    assert settings.count(math.inf) == 64


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="there is no proxy"):
        ZeroCost(proxies=())
    with pytest.raises(ValueError, match="share is 0"):
        ZeroCost(share=0)


class TestMeanScores:
    def test_ranks_count_and_not_units(self) -> None:
        scores = [[1.0, 3e9], [2.0, 1e9], [3.0, 5e9], [4.0, 7e9]]
        means = mean_scores(scores)
        assert means is not None
        assert means.argmax() == 3
        assert means[2] > max(means[0], means[1])
        scaled = mean_scores([[1000 * a, b / 7] for a, b in scores])
        assert scaled is not None
        np.testing.assert_array_equal(means, scaled)

    def test_a_proxy_without_most_scores_is_left_out(self) -> None:
        with_it = mean_scores([[1.0, math.nan], [2.0, math.nan], [3.0, 9.0]])
        without = mean_scores([[1.0], [2.0], [3.0]])
        assert with_it is not None
        assert without is not None
        np.testing.assert_array_equal(with_it, without)

    def test_a_network_without_any_score_gets_the_lowest(self) -> None:
        means = mean_scores([[math.nan], [2.0], [3.0], [1.0]])
        assert means is not None
        assert means[0] == means.min()

    def test_nothing_is_known_without_scores_or_differences(self) -> None:
        assert mean_scores([]) is None
        assert mean_scores([[math.nan], [math.nan]]) is None
        assert mean_scores([[1.0], [1.0]]) is None


def test_the_scores_are_learned_over_the_space() -> None:
    history = History(SPACE.configuration_space)
    drawn = sample(SPACE.configuration_space, 160, np.random.default_rng(0))
    source = ZeroCostSource(Encoder(SPACE, 1), GaussianProcess())
    assert not source.known(history)
    assert source.predictions(history, drawn) is None
    for number, configuration in enumerate(drawn[:60]):
        score = float(convolutions(configuration))
        history.scores.add(Scored(configuration, str(number), {"convolutions": score}))
    predicted = source.predictions(history, drawn[60:])
    assert predicted is not None
    truth = [convolutions(configuration) for configuration in drawn[60:]]
    assert spearmanr(predicted, truth).statistic > 0.6
    again = ZeroCostSource(Encoder(SPACE, 1), GaussianProcess()).predictions(history, drawn[90:])
    np.testing.assert_array_equal(predicted[30:], again)
