"""When a run stops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import fsum

from fidelity.history.history import History
from fidelity.history.metrics import scalar
from fidelity.history.trial import Trial


@dataclass(frozen=True)
class Stop:
    """Totals over all runs of a search at which nothing more is started; None is no total.

    Attributes:
        evaluations: in the history, reused ones included.
        seconds: since the search began, pauses between runs left out.
        epochs: units of budget really spent.

    Raises:
        ValueError: none is given, or one is not positive.
    """

    evaluations: int | None = None
    seconds: float | None = None
    epochs: float | None = None

    def __post_init__(self) -> None:
        given = {f.name: scalar(getattr(self, f.name)) for f in fields(self)}
        if all(value is None for value in given.values()):
            raise ValueError(f"a run needs a limit: give {', '.join(given)} or several of them")
        for name, value in given.items():
            if value is not None and not value > 0:
                raise ValueError(f"{name} is a positive total, not {value}")
            object.__setattr__(self, name, value)  # numbers of numpy have become plain ones

    def late(self, seconds: float) -> bool:
        """Return whether the time is over, `seconds` after the search began."""
        return self.seconds is not None and seconds >= self.seconds

    def reached(self, history: History, seconds: float, running: int = 0) -> bool:
        """Return whether nothing more may be started.

        Args:
            history: of the search.
            seconds: since it began.
            running: the number of evaluations that running trials will add.
        """
        return any(
            limit is not None and spent >= limit
            for limit, spent in [
                (self.evaluations, len(history) + running),
                (self.seconds, seconds),
                (self.epochs, history.resource),
            ]
        )

    def exceeded_by(self, history: History, running: Iterable[Trial]) -> bool:
        """Return whether running trials would exceed the total of epochs.

        Args:
            history: of the search.
            running: the trials that are running.
        """
        if self.epochs is None:
            return False
        spent = history.resource + fsum(history.increment(trial) for trial in running)
        return spent > self.epochs * (1 + 1e-9)
