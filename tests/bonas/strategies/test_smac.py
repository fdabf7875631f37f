from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bonas.strategies.smac import SMAC
from fidelity.history.history import History
from tests.bonas.strategies.contract import MEDIUM, StrategyContract, run


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestSMAC(StrategyContract):
    def strategy(self) -> SMAC:
        return SMAC(initial=9, challengers=20)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_networks_are_not_proposed_twice() -> None:
    history = run(SMAC(initial=9, challengers=20), MEDIUM, 14)
    assert len(history.keys()) == 14


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nothing_is_written_where_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    history: History = run(SMAC(initial=4, challengers=20), MEDIUM, 4)
    SMAC(initial=4, challengers=20).propose(MEDIUM, history, np.random.default_rng(0))
    assert not list(tmp_path.iterdir())
