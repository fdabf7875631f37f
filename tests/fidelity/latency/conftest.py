"""Latencies without a clock: what is measured says how long it takes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fidelity.latency.operations import Operation


class Clock:
    """Stands still until somebody lets seconds pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def _own_locks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever else measures on this machine."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("fidelity.latency.measure.perf_counter", clock)
    return clock


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[str]:
    """Operations take a millisecond a character of their key; the keys of those measured."""
    measured: list[str] = []

    def prepare(self: Operation, device: object) -> Callable[[], object]:
        measured.append(self.key)
        return lambda: clock.passes(len(self.key) * 1e-3)

    monkeypatch.setattr(Operation, "prepared", prepare)
    return measured
