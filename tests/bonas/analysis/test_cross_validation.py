from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from bonas.analysis import Predictions, cross_validated
from bonas.analysis.cross_validation import folds
from bonas.surrogates import Ensemble, GaussianProcess, RandomForest, Surrogate
from fidelity.history.history import History
from tests.bonas.plot.searches import TABLE, full


@pytest.mark.parametrize("surrogate", [GaussianProcess(), RandomForest(), Ensemble()])
def test_each_evaluation_is_predicted_by_the_others(surrogate: Surrogate) -> None:
    history = full(0, 80)
    found = cross_validated(surrogate, TABLE.space, history, np.random.default_rng(0))
    costs = [evaluation.cost for evaluation in history.evaluations]
    assert found.observed.tolist() == costs
    assert (found.deviation > 0).all()
    assert spearmanr(found.mean, found.observed).statistic > 0.5
    assert ((found.levels >= 0) & (found.levels <= 1)).all()


def test_no_network_is_in_two_parts() -> None:
    groups = ["a", "b", "a", "c", "d", "c", "e"]
    parts = list(folds(groups, 3, np.random.default_rng(0)))
    assert np.sum(parts, axis=0).tolist() == [1] * 7
    for part in parts:
        inside = {g for g, here in zip(groups, part, strict=True) if here}
        assert inside.isdisjoint({g for g, here in zip(groups, part, strict=True) if not here})
    sizes = [len({g for g, here in zip(groups, part, strict=True) if here}) for part in parts]
    assert max(sizes) - min(sizes) <= 1


def test_few_networks_are_refused() -> None:
    empty = History(TABLE.space.configuration_space)
    with pytest.raises(ValueError, match="5 parts of 0 networks"):
        cross_validated(RandomForest(), TABLE.space, empty, np.random.default_rng(0))


def test_predictions_print_their_number() -> None:
    values = np.zeros(80)
    assert repr(Predictions(values, values, values)) == "Predictions(80 evaluations)"
