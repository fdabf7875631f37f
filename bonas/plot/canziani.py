"""Accuracy against multiply-adds, with bubble areas proportional to parameters.

Canziani et al. 2017, "An analysis of deep neural network models for practical applications".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from ConfigSpace import Configuration
from matplotlib.axes import Axes

from bonas.analysis.sources import wrong
from bonas.plot.style import COLOURS, GRID, words
from spaces import zoo
from spaces.resources.resources import cost

AREA = 12.0
"""Square points per million parameters."""


@dataclass(frozen=True)
class Bubble:
    """The accuracy and the resources of a network.

    Attributes:
        accuracy: in percent.
        multiply_adds: per image.
        parameters: the number of weights.
    """

    accuracy: float
    multiply_adds: float
    parameters: float


@dataclass(frozen=True)
class _Published:
    configuration: Callable[[], Configuration]
    pixels: int
    accuracy: float


# Top-1 accuracy on ImageNet's validation images, one crop: torchvision's first weights of each
# network, and for Inception-v4 Szegedy et al. (2017), "Inception-v4, ...", table 2.
PUBLISHED = {
    "ResNet-18": _Published(zoo.resnet18, 224, 69.76),
    "ResNet-50": _Published(zoo.resnet50, 224, 76.13),
    "ResNeXt-50": _Published(zoo.resnext50_32x4d, 224, 77.62),
    "Inception-v3": _Published(zoo.inception_v3, 299, 77.29),
    "Inception-v4": _Published(zoo.inception_v4, 299, 80.0),
}


def named_networks() -> dict[str, Bubble]:
    """Return the networks of `spaces.zoo`, with computed resources and published accuracies."""
    import torch

    bubbles = {}
    for name, published in PUBLISHED.items():
        shape = (3, published.pixels, published.pixels)
        with torch.device("meta"):
            network = zoo.space().build(published.configuration(), shape, 1000)
        counted = cost(network, shape)
        bubbles[name] = Bubble(published.accuracy, counted.multiply_adds, counted.parameters)
    return bubbles


def canziani(bubbles: Mapping[str, Bubble] | None = None, ax: Axes | None = None) -> Axes:
    """Draw accuracy against multiply-adds, with bubble areas proportional to parameters.

    Args:
        bubbles: by name; by default the networks of `spaces.zoo`.
        ax: the axes; by default a new figure.

    Raises:
        TypeError: `bubbles` is no mapping from names to bubbles.
    """
    if bubbles is None:
        bubbles = named_networks()
    if not isinstance(bubbles, Mapping):
        raise wrong("a mapping from names to `plot.Bubble`", bubbles)
    for bubble in bubbles.values():
        if not isinstance(bubble, Bubble):
            raise wrong("a mapping from names to `plot.Bubble`", bubble)
    if ax is None:
        _, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for index, (name, bubble) in enumerate(bubbles.items()):
        giga, millions = bubble.multiply_adds / 1e9, bubble.parameters / 1e6
        colour = COLOURS[index % len(COLOURS)]
        ax.scatter(giga, bubble.accuracy, AREA * millions, color=colour, alpha=0.6, linewidths=0)
        left = _crowded(bubble, bubbles.values())
        offset = (AREA * millions / np.pi) ** 0.5 + 3  # the radius and a small gap
        ax.annotate(
            f"{words(name)}\n{millions:.1f} M",
            (giga, bubble.accuracy),
            xytext=(-offset if left else offset, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=9,
        )
    ax.set_xlabel("multiply-adds per image (10⁹)")
    ax.set_ylabel("top-1 accuracy (%)")
    ax.set_title("area of a bubble: millions of parameters", fontsize=10)
    ax.margins(x=0.25, y=0.15)
    ax.set_xlim(left=0)
    ax.grid(alpha=GRID)
    return ax


def _crowded(bubble: Bubble, others: Collection[Bubble]) -> bool:
    """Return whether another bubble lies where the label on the right would be."""
    widest = max(other.multiply_adds for other in others)
    accuracies = [other.accuracy for other in others]
    tallest = max(accuracies) - min(accuracies)
    return any(
        0 < other.multiply_adds - bubble.multiply_adds < 0.2 * widest
        and abs(other.accuracy - bubble.accuracy) < 0.08 * tallest
        for other in others
    )
