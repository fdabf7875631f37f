from __future__ import annotations

import torch

from bonas.surrogates.ensemble import Ensemble
from tests.bonas.surrogates.contract import SurrogateContract, encoded, targets


class TestEnsemble(SurrogateContract):
    def surrogate(self) -> Ensemble:
        return Ensemble()


def test_members_disagree_more_away_from_the_observations() -> None:
    rows, layout = encoded()
    model = Ensemble().fit(rows[:30], targets(rows[:30]), layout)
    seen = model.posterior(rows[:30]).variance.mean()  # type: ignore[attr-defined]
    unseen = model.posterior(rows[30:]).variance.mean()  # type: ignore[attr-defined]
    assert float(seen) < float(unseen)


def test_gradients_are_taken_also_where_they_are_switched_off() -> None:
    rows, layout = encoded()
    with torch.no_grad():
        model = Ensemble().fit(rows[:30], targets(rows[:30]), layout)
    assert (
        torch.corrcoef(
            torch.stack([model.predictions(rows[:30]).mean(0), targets(rows[:30])[:, 0]])
        )[0, 1]
        > 0.9
    )
