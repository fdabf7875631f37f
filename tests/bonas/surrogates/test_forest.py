from __future__ import annotations

import pytest

from bonas.surrogates.forest import RandomForest
from tests.bonas.surrogates.contract import SurrogateContract, encoded, targets


class TestRandomForest(SurrogateContract):
    # A bootstrap sample leaves out a third of the observations.
    interpolates = 1.0

    def surrogate(self) -> RandomForest:
        return RandomForest()


def test_batches_of_observations_are_refused_with_what_to_pass() -> None:
    rows, layout = encoded()
    model = RandomForest(trees=5).fit(rows[:20], targets(rows[:20]), layout)
    with pytest.raises(ValueError, match="pass inputs"):
        model.condition_on_observations(rows[:4].reshape(2, 2, -1), targets(rows[:4]))
