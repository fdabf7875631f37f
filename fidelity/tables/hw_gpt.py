"""HW-GPT-Bench (Sukthanker et al. 2024): the perplexity of GPT-2-like language models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from fidelity.tables.table import TableError, known_budget
from spaces.transformers.counts import language_model_multiply_adds, language_model_parameters
from spaces.transformers.forms import TransformerForm
from spaces.transformers.inputs import Tokens
from spaces.transformers.transformer_space import TransformerSpace

Scale = Literal["s", "m", "l"]
Layer = tuple[Float[np.ndarray, "out in"], Float[np.ndarray, " out"]]

VOCABULARY = 50_257
LENGTH = 1024
"""Of the sequences whose multiply-adds are counted."""

LAYERS = 5
"""Linear layers of a perplexity surrogate, with ReLU between them."""

WIDTHS: Mapping[Scale, tuple[int, ...]] = {
    "s": (192, 384, 768),
    "m": (256, 512, 1024),
    "l": (320, 640, 1280),
}
DEPTHS: Mapping[Scale, tuple[int, ...]] = {"s": (10, 11, 12), "m": (22, 23, 24), "l": (34, 35, 36)}
HEADS: Mapping[Scale, tuple[int, ...]] = {"s": (4, 8, 12), "m": (8, 12, 16), "l": (8, 16, 20)}
RATIOS = (2, 3, 4)
HEAD_WIDTH = 64


@dataclass(frozen=True)
class HWGPTBench:
    """The perplexity of a language model by the published surrogate, and its computed resources.

    A search chooses the width, the number of layers, the bias, and per layer the MLP ratio and the
    number of heads of 64. The surrogate is a multi-layer perceptron that the authors fitted to the
    validation perplexities (OpenWebText) of sub-networks of one supernet; it has no noise. The
    file holds no resources: parameters and multiply-adds are those of the networks that `space`
    builds, with rotary positions and a head that has the embedding's weights. They are computed
    before an evaluation, so that they may be objectives or constraints:
    `Search(table.space, table, objectives=("cost", "parameters"))`. The best architecture of such a
    large space is unknown, so that this is no `Table` with an optimum. The budget is 1.

    Attributes:
        path: of an .npz file. For each scale it has the arrays `<scale>_weight_1` (out, in) and
            `<scale>_bias_1` to 5, whose input is one-hot: width (3), number of layers (3), MLP
            ratio of each layer (3 per layer, zeros beyond the depth), heads of each layer
            (likewise), bias (True, False).
        scale: `s`, `m` or `l`, of up to 12, 24 and 36 layers.

    Raises:
        TableError: the scale is unknown.
    """

    resumes: ClassVar[bool] = False

    path: str | Path
    scale: Scale = "s"

    def __post_init__(self) -> None:
        if self.scale not in WIDTHS:
            raise TableError(f"the scale is {self.scale!r}: choose one of {', '.join(WIDTHS)}")

    @cached_property
    def space(self) -> TransformerSpace:
        """The networks of this scale."""
        depths = DEPTHS[self.scale]
        return TransformerSpace(
            Tokens(VOCABULARY, LENGTH),
            WIDTHS[self.scale],
            (depths[0], depths[-1]),
            HEADS[self.scale],
            RATIOS,
            head_width=HEAD_WIDTH,
            positions=("rotary",),
            biases=(True, False),
            causal=True,
        )

    @property
    def max_budget(self) -> float:
        """One evaluation."""
        return 1.0

    @property
    def computed(self) -> Mapping[str, Callable[[Configuration], float]]:
        """The resources that follow from a configuration; see `fidelity.Objective`."""
        return {"parameters": self.parameters, "multiply_adds": self.multiply_adds}

    def parameters(self, configuration: Configuration) -> float:
        """Return the number of parameters."""
        form = self.space.form(configuration)
        return float(language_model_parameters(form, VOCABULARY, LENGTH))

    def multiply_adds(self, configuration: Configuration) -> float:
        """Return the multiply-adds for a sequence of 1,024 tokens."""
        form = self.space.form(configuration)
        return float(language_model_multiply_adds(form, VOCABULARY, LENGTH))

    def __call__(self, configuration: Configuration, budget: float = 1.0) -> dict[str, float]:
        """Return the perplexity.

        Args:
            configuration: of `space`.
            budget: 1.

        Returns:
            'cost', the perplexity, with 'parameters' and 'multiply_adds'.

        Raises:
            TableError: the file cannot be read or is another one, or the budget is not 1.
        """
        known_budget(budget, (self.max_budget,))
        return {
            "cost": self.perplexity(self.space.form(configuration)),
            "parameters": self.parameters(configuration),
            "multiply_adds": self.multiply_adds(configuration),
        }

    def perplexity(self, form: TransformerForm) -> float:
        """Return the perplexity of a network of `space`."""
        value = self._encoded(form)
        for number, (weight, bias) in enumerate(self._surrogate, start=1):
            value = weight @ value + bias
            value = np.maximum(value, 0.0) if number < LAYERS else value
        return float(value[0])

    def _encoded(self, form: TransformerForm) -> Float[np.ndarray, " inputs"]:
        """Return the one-hot input of the surrogate."""
        depths, heads = DEPTHS[self.scale], HEADS[self.scale]
        layers = np.zeros((2, depths[-1], 3))
        for number, block in enumerate(form.blocks):
            layers[0, number, RATIOS.index(block.feed_forward.hidden // form.width)] = 1
            layers[1, number, heads.index(block.attention.heads)] = 1
        width = np.equal(WIDTHS[self.scale], form.width)
        depth = np.equal(depths, len(form.blocks))
        bias = np.equal([True, False], form.blocks[0].attention.bias)
        return np.concatenate([width, depth, layers.ravel(), bias])

    @cached_property
    def _surrogate(self) -> tuple[Layer, ...]:
        path, scale = Path(self.path), self.scale
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: np.asarray(file[name], dtype=np.float64) for name in file.files}
        except (OSError, ValueError, EOFError) as error:
            raise TableError(
                f"{path} cannot be read ({error}): give the path of the .npz file of the "
                "perplexity surrogates of HW-GPT-Bench"
            ) from error
        numbers = range(1, LAYERS + 1)
        names = [(f"{scale}_weight_{n}", f"{scale}_bias_{n}") for n in numbers]
        missing = [name for pair in names for name in pair if name not in arrays]
        inputs = 8 + 6 * DEPTHS[scale][-1]
        if missing or arrays[names[0][0]].shape[1:] != (inputs,):
            raise TableError(
                f"{path} is not the file of HW-GPT-Bench at scale {scale}: it has arrays "
                f"{scale}_weight_1 of {inputs} columns, {scale}_bias_1, and so on to {LAYERS}"
                + (f", but lacks {', '.join(missing)}" if missing else "")
            )
        return tuple((arrays[weight], arrays[bias]) for weight, bias in names)
