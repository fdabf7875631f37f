"""What holds for every table; a test class for each inherits it whole."""

from __future__ import annotations

import numpy as np
import pytest

from bonas.runners.simulated import Simulated
from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.objective import Context
from fidelity.tables.table import Table, TableError
from spaces.space import draw


class TableContract:
    def make(self) -> Table:
        raise NotImplementedError

    def test_budgets_ascend_to_the_maximal_one(self) -> None:
        table = self.make()
        assert list(table.budgets) == sorted(table.budgets)
        assert table.budgets[-1] == table.max_budget

    def test_results_are_errors_in_percent_and_seconds(self) -> None:
        table, rng = self.make(), np.random.default_rng(0)
        for _ in range(20):
            chosen = draw(table.space.configuration_space, rng)
            for budget in table.budgets:
                result = table(chosen, budget, 0, Context())
                assert 0 <= result["cost"] <= 100
                assert result["seconds"] > 0
            assert table.regret(chosen) >= 0

    def test_a_seed_draws_the_same_run_each_time(self) -> None:
        table, rng = self.make(), np.random.default_rng(1)
        results = []
        for made in (table, self.make()):
            rng = np.random.default_rng(1)
            chosen = [draw(made.space.configuration_space, rng) for _ in range(5)]
            results.append(
                [made(c, made.max_budget, seed, Context()) for c in chosen for seed in range(8)]
            )
        assert results[0] == results[1]
        assert len({result["cost"] for result in results[0][:8]}) > 1

    @pytest.mark.parametrize("budget", [0.0, 13.5, 1e6])
    def test_an_unknown_budget_is_refused(self, budget: float) -> None:
        table = self.make()
        chosen = table.space.configuration_space.get_default_configuration()
        with pytest.raises(TableError, match="choose a schedule with"):
            table(chosen, budget, 0, Context())

    def test_a_budget_may_be_rounded(self) -> None:
        table = self.make()
        chosen = table.space.configuration_space.get_default_configuration()
        budget = table.max_budget
        near = table(chosen, budget * (1 + 1e-12), 0, Context())
        assert near["cost"] == table(chosen, budget, 0, Context())["cost"]

    def test_it_can_be_searched_on_its_clock(self) -> None:
        table = self.make()
        with Search(table.space, table, strategy=RandomSearch()) as search:
            history = search.run(evaluations=12, runner=Simulated(3), progress=Silent())
        assert len(history) == 12
        assert {e.trial.budget for e in history.evaluations} == {table.max_budget}
        assert all(e.seconds == e.metrics["seconds"] for e in history.evaluations if not e.reused)
