"""The protocols of surrogates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from spaces.encoding import Layout

if TYPE_CHECKING:
    from fidelity.botorch import Model


class Surrogate(Protocol):
    """The settings of a model of costs; `fit` returns the model."""

    @property
    def reads_paths(self) -> bool:
        """Whether the model reads the path encoding, which is computed only then."""
        ...

    def fit(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], layout: Layout
    ) -> Model:
        """Return a BoTorch model of the observations, a new object at each call.

        Args:
            inputs: encoded configurations; a row may occur several times, with other targets.
            targets: one observation per row, at least one; all have finite squares, because a
                `Transform` replaces penalties such as 1e300.
            layout: of the columns of `inputs`.

        Returns:
            A model of one output whose `posterior` accepts rows with the same columns, and whose
            `condition_on_observations` accepts more observations.
        """
        ...


@runtime_checkable
class Tunable(Protocol):
    """A surrogate whose hyperparameters can be chosen once and kept for a while."""

    def tuned(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], layout: Layout
    ) -> Surrogate:
        """Return the surrogate with hyperparameters chosen for these observations.

        Args:
            inputs: as for `Surrogate.fit`.
            targets: as for `Surrogate.fit`.
            layout: as for `Surrogate.fit`.
        """
        ...


@runtime_checkable
class ReadsGraphs(Protocol):
    """A surrogate that may ignore the graphs of architectures, which take long to compute."""

    @property
    def reads_graphs(self) -> bool:
        """Whether the columns of graphs and paths make a difference to the model."""
        ...


def reads_graphs(surrogate: Surrogate) -> bool:
    """Return whether the columns of graphs make a difference; true where a surrogate says nothing.

    Args:
        surrogate: tuned.
    """
    return surrogate.reads_graphs if isinstance(surrogate, ReadsGraphs) else True


def tuned(
    surrogate: Surrogate,
    inputs: Float[Tensor, "n d"],
    targets: Float[Tensor, "n 1"],
    layout: Layout,
) -> Surrogate:
    """Return the surrogate with its hyperparameters chosen, or as it is if it has none to choose.

    Args:
        surrogate: the settings.
        inputs: as for `Surrogate.fit`.
        targets: as for `Surrogate.fit`.
        layout: as for `Surrogate.fit`.
    """
    return surrogate.tuned(inputs, targets, layout) if isinstance(surrogate, Tunable) else surrogate


def mean(model: Model, inputs: Float[Tensor, "n d"]) -> Float[Tensor, "n 1"]:
    """Return the mean of a model's posterior at each row.

    Args:
        model: fitted.
        inputs: the rows.
    """
    values: Tensor = model.posterior(inputs).mean  # type: ignore[attr-defined]
    return values


def marginal_mean(model: Model, inputs: Float[Tensor, "n d"]) -> Float[Tensor, "n 1"]:
    """Return the same as `mean` without the time of the joint covariance of all rows.

    Args:
        model: fitted; a single one, not a batch.
        inputs: the rows.
    """
    values: Tensor = model.posterior(inputs[:, None]).mean  # type: ignore[attr-defined]
    return values[:, 0]
