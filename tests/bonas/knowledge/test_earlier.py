from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace
from scipy.stats import spearmanr

from bonas import RandomSearch, Search
from bonas.knowledge.earlier import EarlierError, EarlierSource, earlier_source
from bonas.surrogates import GaussianProcess
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.encoding import Encoder
from spaces.hyperparameter_space import HyperparameterSpace
from spaces.space import Space, sample
from tests.bonas.knowledge.toys import SPACE, Countable, convolutions, failed, searched


def source(earlier: History | str | Path, space: Space = SPACE) -> EarlierSource:
    return earlier_source(earlier, space, Encoder(space, 1), GaussianProcess())


def test_its_posterior_mean_ranks_new_networks() -> None:
    drawn = sample(SPACE.configuration_space, 100, np.random.default_rng(9))
    predicted = source(searched(count=60)).predictions(History(SPACE.configuration_space), drawn)
    assert predicted is not None
    assert spearmanr(predicted, [convolutions(c) for c in drawn]).statistic > 0.7


def test_a_directory_in_use_is_read(tmp_path: Path) -> None:
    objective = Countable(max_budget=1.0)
    with Search(SPACE, objective, strategy=RandomSearch(), directory=tmp_path) as search:
        search.run(evaluations=5, progress=False)
        before = (tmp_path / "history.jsonl").read_bytes()
        assert source(tmp_path).known(search.history)
        assert (tmp_path / "history.jsonl").read_bytes() == before


def test_spaces_may_share_some_hyperparameters() -> None:
    old = ConfigurationSpace({"width": (1, 64), "rate": (0.0, 1.0), "kind": ["a", "b"]})
    new = ConfigurationSpace({"width": (1, 64), "depth": (1, 9), "kind": ["a", "b", "c"]})
    history = History(old)
    for number, configuration in enumerate(sample(old, 40, np.random.default_rng(0))):
        trial = Trial(number, configuration, str(number), 1.0)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, float(configuration["width"])))
    drawn = sample(new, 50, np.random.default_rng(1))
    predicted = source(history, HyperparameterSpace(new)).predictions(History(new), drawn)
    assert predicted is not None
    assert spearmanr(predicted, [-c["width"] for c in drawn]).statistic > 0.9


class TestNothingToLearn:
    def test_from_another_space(self) -> None:
        history = History(ConfigurationSpace({"other": (0.0, 1.0)}))
        with pytest.raises(EarlierError, match=r"no hyperparameter in common.*other"):
            source(history)

    def test_from_failures(self) -> None:
        with pytest.raises(EarlierError, match="0 successful evaluations"):
            source(failed())

    def test_from_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(EarlierError, match="cannot be read"):
            source(tmp_path)

    def test_from_something_else(self) -> None:
        with pytest.raises(EarlierError, match="expected the history of a search"):
            source(3)  # type: ignore[arg-type]
