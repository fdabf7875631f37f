"""What a surrogate is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from spaces.encoding import Layout

if TYPE_CHECKING:
    from fidelity.botorch import Model


class Surrogate(Protocol):
    """How to learn costs from observations; settings only, nothing fitted."""

    @property
    def reads_paths(self) -> bool:
        """Whether it looks at the path encoding, which is then computed."""
        ...

    def fit(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], layout: Layout
    ) -> Model:
        """A BoTorch model given observations; fitting again gives a new object.

        Args:
            inputs: encoded configurations; a row may occur several times, with other targets.
            targets: one observation each, at least one, all finite, as their squares are; a
                `Transform` takes care of penalties such as 1e300.
            layout: what the columns of `inputs` are.

        Returns:
            A model of one output whose `posterior` takes rows with the same columns, and whose
            `condition_on_observations` takes more observations.
        """
        ...


@runtime_checkable
class Tunable(Protocol):
    """A surrogate whose hyperparameters can be chosen once and kept for a while."""

    def tuned(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], layout: Layout
    ) -> Surrogate:
        """The same surrogate with hyperparameters that suit these observations."""
        ...


def mean(model: Model, inputs: Float[Tensor, "n d"]) -> Float[Tensor, "n 1"]:
    """The mean of a model's posterior at each row."""
    values: Tensor = model.posterior(inputs).mean  # type: ignore[attr-defined]
    return values
