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

from fidelity.latency.exclusive import exclusive, existing, threads
from fidelity.latency.measure import Latency, MeasuredLatency
from fidelity.latency.operations import Operation, operations_of
from fidelity.latency.timing import checked
from spaces.space import InputShape, Space

FORMAT = 1
SHORTEST = 2e-4
"""Seconds of one measurement of an operation, which is repeated for so long."""


@dataclass(frozen=True)
class LatencyTable:
    """Estimates the latency of a configuration without running its network.

    Each operation is measured once, at each shape in which it occurs, as in the tables of Cai et
    al. (2019), "ProxylessNAS". The estimate of a network is `intercept`, and for each of its
    operations `slope` times its seconds and `overhead`: what Python does in between is in no
    operation, and what repeated calls find in the caches a network may not. `calibrated` fits the
    three numbers to a few networks that are measured whole.

    An operation that the table does not know yet is measured when it is first needed, and
    remembered.

    Attributes:
        space: builds the networks.
        input_shape: channels, height and width of one image.
        outputs: the number of classes.
        latency: how operations and networks are measured.
        intercept: in seconds.
        slope: of the seconds of operations.
        overhead: of each operation, in seconds.
        seconds: the table, from the keys of operations.

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
        """Checks the numbers."""
        for name in ("intercept", "slope", "overhead"):
            checked(getattr(self, name), f"the {name} of a table")
        for key, value in self.seconds.items():
            checked(value, f"the entry '{key}' of a table")
        self._measured.update(self.seconds)

    def __call__(self, configuration: Configuration) -> float:
        """The estimate, in seconds for a batch."""
        count, total = self.work(configuration)
        return self.intercept + self.overhead * count + self.slope * total

    def work(self, configuration: Configuration) -> tuple[int, float]:
        """How many operations the network has, and their seconds one after another."""
        found = self.listed(configuration)
        self._measure(found)
        return len(found), sum(self._measured[operation.key] for operation in found)

    def filled(self, configurations: Sequence[Configuration]) -> LatencyTable:
        """The table with all operations of these configurations."""
        for configuration in configurations:
            self._measure(self.listed(configuration))
        return replace(self, seconds=dict(self._measured))

    def calibrated(self, configurations: Sequence[Configuration]) -> LatencyTable:
        """The table with the intercept, slope and overhead that fit the networks of these.

        None is negative; the squares of the relative errors are least.

        Args:
            configurations: whose networks are measured whole: 3 or more that differ in size.

        Raises:
            ValueError: there are fewer than 3.
        """
        if len(configurations) < 3:
            raise ValueError(
                f"{len(configurations)} networks cannot say intercept, slope and overhead: give 3 "
                "or more, for instance 20"
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

    def listed(self, configuration: Configuration) -> list[Operation]:
        """The operations of the network, in order; none of them is run."""
        with torch.device("meta"):
            network = self.space.build(configuration, self.input_shape, self.outputs)
        return operations_of(network, self.input_shape, self.latency.batch_size)

    def _measure(self, found: Sequence[Operation]) -> None:
        unknown = {o.key: o for o in found if o.key not in self._measured}
        if not unknown:
            return
        latency, device = self.latency, existing(self.latency.device)
        with (
            torch.inference_mode(),
            exclusive(device, latency.wait),
            threads(latency.threads),
        ):
            for key, operation in unknown.items():
                timing = latency.timed(operation.prepared(device), device, at_least=SHORTEST)
                self._measured[key] = timing.median

    def to_json(self) -> str:
        """The numbers and what they hold for: for other processes, or from another machine."""
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
        """This table with the numbers that `to_json` wrote.

        Raises:
            ValueError: the text is damaged, holds for other circumstances, or a latency is
                negative, NaN or infinite.
        """
        try:
            written = json.loads(text)
            fitted = [float(written[name]) for name in ("intercept", "slope", "overhead")]
            known = {str(key): float(value) for key, value in written["seconds"].items()}
            kind = written["kind"], written["format"]
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"this is the JSON of no latency table: {error!r}") from error
        if kind != ("latency table", FORMAT):
            raise ValueError(f"this is a {kind[0]} of format {kind[1]}, no latency table of 1")
        mine = self._circumstances()
        if other := [name for name, value in mine.items() if written.get(name) != value]:
            raise ValueError(
                "the table holds for other circumstances: "
                + ", ".join(f"{name} {written.get(name)} and not {mine[name]}" for name in other)
            )
        intercept, slope, overhead = fitted
        return replace(self, intercept=intercept, slope=slope, overhead=overhead, seconds=known)

    def _circumstances(self) -> dict[str, Any]:
        return {
            "input_shape": list(self.input_shape),
            "batch_size": self.latency.batch_size,
            "threads": self.latency.threads,
        }


def fit(
    work: Float[np.ndarray, "networks 2"], measured: Float[np.ndarray, " networks"]
) -> tuple[float, float, float]:
    """Intercept, overhead and slope, none negative, with the least squares of relative errors.

    Args:
        work: of each network the number of operations and their seconds.
        measured: the latency of each network, in seconds.
    """
    from scipy.optimize import nnls  # type: ignore[attr-defined]  # not in scipy's stubs

    columns = np.column_stack([np.ones(len(work)), work])
    units = columns.mean(0)  # so that no column is lost beside a larger one
    units[units == 0] = 1.0
    found, _ = nnls(columns / units / measured[:, None], np.ones(len(work)))
    intercept, overhead, slope = (float(value) for value in found / units)
    return intercept, overhead, slope
