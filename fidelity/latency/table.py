"""The latency of a network, estimated from a table of its operations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from ConfigSpace import Configuration
from jaxtyping import Float

from fidelity.latency.exclusive import available_device, exclusive, threads
from fidelity.latency.measure import Latency, MeasuredLatency
from fidelity.latency.operations import Operation, operations_of
from fidelity.latency.timing import checked
from spaces.space import InputShape, Space, require

FORMAT = 1
MIN_MEASUREMENT_SECONDS = 2e-4
"""The duration for which one measurement repeats an operation."""


@dataclass(frozen=True)
class LatencyTable:
    """An estimate of the latency of a configuration without running its network.

    Each operation is measured once, at each shape in which it occurs, as in the tables of Cai et
    al. (2019), "ProxylessNAS". The estimate of a network is `intercept`, plus `slope` times the
    seconds of its operations, plus `overhead` per operation: Python's time between operations is in
    none of them, and caches serve repeated calls better than a network. `calibrated` fits the three
    numbers to a few networks that are measured as a whole.

    An operation that is not in the table yet is measured when it is first needed, and added.

    Attributes:
        space: builds the networks.
        input_shape: of one input, see `spaces.InputShape`.
        outputs: of the networks.
        latency: the settings of measurements.
        intercept: in seconds.
        slope: factor of the seconds of operations.
        overhead: seconds per operation.
        seconds: the table, by the keys of operations.

    Raises:
        ValueError: a latency is negative, NaN or infinite.
    """

    space: Space
    input_shape: InputShape
    outputs: int
    latency: Latency = field(default_factory=Latency)
    intercept: float = 0.0
    slope: float = 1.0
    overhead: float = 0.0
    seconds: Mapping[str, float] = field(default_factory=dict, repr=False)
    _measured: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the latencies."""
        for name in ("intercept", "slope", "overhead"):
            checked(getattr(self, name), f"the {name} of a table")
        for key, value in self.seconds.items():
            checked(value, f"the entry '{key}' of a table")
        self._measured.update(self.seconds)

    def __call__(self, configuration: Configuration) -> float:
        """Return the estimate, in seconds for a batch."""
        count, total = self.work(configuration)
        return self.intercept + self.overhead * count + self.slope * total

    def work(self, configuration: Configuration) -> tuple[int, float]:
        """Return the number of operations of a network, and the sum of their seconds."""
        operations = self.operations(configuration)
        self._measure(operations)
        return len(operations), sum(self._measured[operation.key] for operation in operations)

    def filled(self, configurations: Sequence[Configuration]) -> LatencyTable:
        """Return the table extended by all operations of these configurations."""
        for configuration in configurations:
            self._measure(self.operations(configuration))
        return replace(self, seconds=dict(self._measured))

    def calibrated(self, configurations: Sequence[Configuration]) -> LatencyTable:
        """Return the table with intercept, slope and overhead fitted to these configurations.

        None is negative; the squares of the relative errors are minimal.

        Args:
            configurations: 3 or more of different size, whose networks are measured.

        Raises:
            ValueError: there are fewer than 3.
        """
        if len(configurations) < 3:
            raise ValueError(
                f"{len(configurations)} networks cannot determine intercept, slope and overhead: "
                "give 3 or more, for instance 20"
            )
        whole = MeasuredLatency(self.space, self.input_shape, self.outputs, self.latency)
        work = np.array([self.work(configuration) for configuration in configurations])
        measured = np.array([whole(configuration) for configuration in configurations])
        intercept, overhead, slope = fit(work, measured)
        return replace(
            self,
            intercept=intercept,
            slope=slope,
            overhead=overhead,
            seconds=dict(self._measured),
        )

    def operations(self, configuration: Configuration) -> list[Operation]:
        """Return the operations of a network, in order, without running them."""
        require(self.space, "build", "to estimate latencies")
        with torch.device("meta"):
            network = self.space.build(configuration, self.input_shape, self.outputs)
        return operations_of(network, self.input_shape, self.latency.batch_size)

    def _measure(self, operations: Sequence[Operation]) -> None:
        missing = {o.key: o for o in operations if o.key not in self._measured}
        if not missing:
            return
        latency, device = self.latency, available_device(self.latency.device)
        with (
            torch.inference_mode(),
            exclusive(device, latency.wait),
            threads(latency.threads),
        ):
            for key, operation in missing.items():
                timing = latency.timed(
                    operation.prepared(device), device, at_least=MIN_MEASUREMENT_SECONDS
                )
                self._measured[key] = timing.median

    def to_json(self) -> str:
        """Return the numbers and their circumstances as JSON, for another process or machine."""
        return json.dumps(
            {
                "kind": "latency table",
                "format": FORMAT,
                **self._circumstances(),
                "intercept": self.intercept,
                "slope": self.slope,
                "overhead": self.overhead,
                "seconds": self._measured,
            },
            indent=1,
        )

    def from_json(self, text: str) -> LatencyTable:
        """Return this table with the numbers of `to_json`.

        Raises:
            ValueError: the text is damaged, has other circumstances, or a latency is negative,
                NaN or infinite.
        """
        try:
            stored = json.loads(text)
            fitted = [float(stored[name]) for name in ("intercept", "slope", "overhead")]
            seconds = {str(key): float(value) for key, value in stored["seconds"].items()}
            kind = stored["kind"], stored["format"]
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"this is the JSON of no latency table: {error!r}") from error
        if kind != ("latency table", FORMAT):
            raise ValueError(f"this is a {kind[0]} of format {kind[1]}, no latency table of 1")
        expected = self._circumstances()
        if other := [name for name, value in expected.items() if stored.get(name) != value]:
            raise ValueError(
                "the table is for other circumstances: "
                + ", ".join(f"{n} {stored.get(n)} and not {expected[n]}" for n in other)
            )
        intercept, slope, overhead = fitted
        return replace(self, intercept=intercept, slope=slope, overhead=overhead, seconds=seconds)

    def _circumstances(self) -> dict[str, Any]:
        return {
            "input_shape": list(self.input_shape),
            "batch_size": self.latency.batch_size,
            "threads": self.latency.threads,
        }


def fit(
    work: Float[np.ndarray, "networks 2"], measured: Float[np.ndarray, " networks"]
) -> tuple[float, float, float]:
    """Fit intercept, overhead and slope, none negative, by least squares of relative errors.

    Args:
        work: the number of operations of each network, and their seconds.
        measured: the latency of each network, in seconds.
    """
    from scipy.optimize import nnls  # type: ignore[attr-defined]  # not in scipy's stubs

    columns = np.column_stack([np.ones(len(work)), work])
    units = columns.mean(0)  # so that no column is lost next to a larger one
    units[units == 0] = 1.0
    solution, _ = nnls(columns / units / measured[:, None], np.ones(len(work)))
    intercept, overhead, slope = (float(value) for value in solution / units)
    return intercept, overhead, slope
