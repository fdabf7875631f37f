"""The gradient of the held-out loss by the architecture parameters: two approximations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from jaxtyping import Float

if TYPE_CHECKING:
    from torch import Tensor, nn

DIFFERENCE_LENGTH = 0.01
"""Length of the finite difference, over all weights together (Liu et al. 2019)."""


@dataclass(frozen=True)
class Step:
    """One step of a bilevel optimisation.

    Attributes:
        parameters: of the architecture.
        weights: of the supernet; unchanged after a call of a `Hypergradient`.
        train: the loss on a batch of training images, at the current weights.
        validation: the loss on a batch of held-out images.
        rate: the learning rate of the weights.
        decay: of the weights.
    """

    parameters: Float[Tensor, "edges operations"]
    weights: Sequence[nn.Parameter]
    train: Callable[[], Tensor]
    validation: Callable[[], Tensor]
    rate: float
    decay: float


class Hypergradient(Protocol):
    """The gradient of the held-out loss with respect to the architecture parameters."""

    def __call__(self, step: Step) -> tuple[Tensor, Float[Tensor, "edges operations"]]:
        """Return the held-out loss and its gradient."""
        ...


@dataclass(frozen=True)
class FirstOrder:
    """The gradient at the current weights, as if they did not depend on the architecture.

    Liu et al. (2019), "DARTS: differentiable architecture search", section 2.3.
    """

    def __call__(self, step: Step) -> tuple[Tensor, Float[Tensor, "edges operations"]]:
        """See `Hypergradient`."""
        loss = step.validation()
        return loss.detach(), _gradients(loss, [step.parameters])[0]


@dataclass(frozen=True)
class SecondOrder:
    """The gradient after one step of the weights, which depends on the architecture.

    Liu et al. (2019), equations 7 and 8: the product with the second derivative is a difference
    of two gradients, so no Hessian is computed. The step is plain gradient descent.
    """

    def __call__(self, step: Step) -> tuple[Tensor, Float[Tensor, "edges operations"]]:
        """See `Hypergradient`."""
        import torch

        weights = list(step.weights)
        original = [weight.detach().clone() for weight in weights]
        descent = _gradients(step.train(), weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, descent, strict=True):
                weight.sub_(step.rate * (gradient + step.decay * weight))
        loss = step.validation()
        direct, *direction = _gradients(loss, [step.parameters, *weights])
        length = torch.stack([part.norm() for part in direction]).norm()
        # With a direction of length zero only the first term remains; NaN makes it NaN too.
        size = DIFFERENCE_LENGTH / length.clamp(min=1e-12)
        sides = []
        for sign in (1, -1):
            with torch.no_grad():
                for weight, before, part in zip(weights, original, direction, strict=True):
                    weight.copy_(before + sign * size * part)
            sides.append(_gradients(step.train(), [step.parameters])[0])
        with torch.no_grad():
            for weight, before in zip(weights, original, strict=True):
                weight.copy_(before)
        return loss.detach(), direct - step.rate * (sides[0] - sides[1]) / (2 * size)


def _gradients(loss: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Return one gradient per input; zeros where the loss does not depend on it."""
    import torch

    gradients = torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True)
    return [gradient.detach() for gradient in gradients]
