"""When a run stops."""

from __future__ import annotations

from dataclasses import dataclass, fields

from fidelity.history import History
from fidelity.trial import Trial


@dataclass(frozen=True)
class Limits:
    """Totals over all runs of a search; None is no limit.

    Raises:
        ValueError: none is given, or one is not positive.
    """

    evaluations: int | None = None
    seconds: float | None = None
    epochs: float | None = None

    def __post_init__(self) -> None:
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        if all(value is None for value in given.values()):
            raise ValueError(f"a run needs a limit: give {', '.join(given)} or several of them")
        for name, value in given.items():
            if value is not None and not value > 0:
                raise ValueError(f"{name} is a positive total, not {value}")

    def reached(self, history: History, seconds: float) -> bool:
        """Whether nothing more may be started."""
        return any(
            limit is not None and spent >= limit
            for limit, spent in [
                (self.evaluations, len(history)),
                (self.seconds, seconds),
                (self.epochs, history.resource),
            ]
        )

    def exceeded_by(self, trial: Trial, history: History) -> bool:
        """Whether evaluating `trial` would spend more epochs than there are."""
        if self.epochs is None:
            return False
        return history.resource + history.increment(trial) > self.epochs * (1 + 1e-9)
