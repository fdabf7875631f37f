"""Spaces of transformers: width, depth, and the form of each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ConfigSpace import Configuration, ConfigurationSpace

from spaces.architecture.architecture import Architecture
from spaces.display.html import Shown
from spaces.motifs.scope import Above, Declared, Scope
from spaces.space import InputShape, SpaceError, values
from spaces.transformers.forms import (
    GLOBAL,
    Activation,
    AttentionForm,
    BlockForm,
    FeedForwardForm,
    Placement,
    TransformerForm,
)
from spaces.transformers.inputs import Patches, Tokens

if TYPE_CHECKING:
    from torch import nn

Positions = Literal["learned", "rotary"]


@dataclass(frozen=True, repr=False)
class TransformerSpace(Shown):
    """Transformers for images, signals or sequences of tokens.

    An encoder maps inputs to logits (batch, outputs). A causal transformer of tokens predicts the
    next token after each token: it maps (batch, length) to logits (batch, outputs, length), and
    those at a position depend on no later token.

    Width, depth, positions and bias are choices of the whole network. The other choices are those
    of each layer, named `layer3:heads` and so on; a layer beyond the depth has none. A setting with
    a single value is no choice, except for the depth. Smaller networks have the names of the
    parameters of larger ones, such as `blocks.3.attention.query.weight`, and shapes that are
    leading slices of theirs.

    Attributes:
        inputs: `Patches` or `Tokens`.
        widths: the choices for the width of the tokens, ascending.
        depth: the smallest and the largest number of layers.
        heads: the choices for the number of heads, ascending.
        ratios: the choices for the hidden width of a layer as a multiple of the width, ascending.
        head_width: of the queries, keys and values of a head; None is the width divided by the
            number of heads. With a fixed one, the number of heads need not divide the width.
        shared_by: the choices for the number of heads that share their keys and values,
            ascending: 1 is multi-head attention, and more is grouped-query attention.
        windows: the choices for attention: a token reads those fewer than so many positions away,
            in the order of the sequence, or from left to right and top to bottom in an image; 0 is
            attention to all tokens.
        norms: the choices for the placement of normalisation: `pre`, `post`.
        activations: the choices for the activation function: `gelu`, `relu`, `swish`.
        positions: the choices for positions: `learned`, `rotary`.
        biases: the choices for a bias in the linear layers of blocks: True, False.
        causal: predict next tokens.
        tied: the weights of a causal transformer's head are those of its embedding.
        dropout: of the embedding and of all that blocks add, a probability.

    Raises:
        SpaceError: a setting has nothing to choose from or is out of its range, or the number of
            heads does not divide the width.
    """

    unlabelled: ClassVar[tuple[str, ...]] = ()  # the labels of a form name all that it builds

    inputs: Patches | Tokens
    widths: tuple[int, ...] = (64, 96, 128)
    depth: tuple[int, int] = (1, 6)
    heads: tuple[int, ...] = (2, 4, 8)
    ratios: tuple[float, ...] = (1, 2, 4)
    head_width: int | None = None
    shared_by: tuple[int, ...] = (1,)
    windows: tuple[int, ...] = (GLOBAL,)
    norms: tuple[Placement, ...] = ("pre",)
    activations: tuple[Activation, ...] = ("gelu",)
    positions: tuple[Positions, ...] = ("learned",)
    biases: tuple[bool, ...] = (True,)
    causal: bool = False
    tied: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Check the settings."""
        for name in ("widths", "heads", "ratios", "shared_by"):
            choices = getattr(self, name)
            if not choices or choices[0] <= 0 or list(choices) != sorted({*choices}):
                raise SpaceError(f"the {name} are {choices}: give 1 or more positive, ascending")
        for name, known in _KNOWN.items():
            choices = getattr(self, name)
            if not choices or len({*choices}) < len(choices) or not {*choices} <= {*known}:
                names = ", ".join(map(str, known))
                raise SpaceError(f"the {name} are {choices}: choose among {names}, each once")
        if not self.windows or min(self.windows) < 0 or len({*self.windows}) < len(self.windows):
            raise SpaceError(
                f"the windows are {self.windows}: give 1 or more different numbers of tokens; 0 is "
                "attention to all"
            )
        if self.head_width is not None and self.head_width < 1:
            raise SpaceError(f"a head is at least 1 wide, not {self.head_width}")
        if round(self.widths[0] * self.ratios[0]) < 1:
            raise SpaceError(
                f"a ratio of {self.ratios[0]} leaves no hidden unit at a width of "
                f"{self.widths[0]}: choose a larger one"
            )
        if not 1 <= self.depth[0] <= self.depth[1]:
            raise SpaceError(f"a depth is at least 1 and its bounds ascend, not {self.depth}")
        if not 0 <= self.dropout < 1:
            raise SpaceError(f"a dropout is a probability below 1, not {self.dropout}")
        self._check_heads()
        self._check_inputs()

    def _check_heads(self) -> None:
        for width, heads in product(self.widths, self.heads):
            if self.head_width is None and width % heads:
                raise SpaceError(
                    f"{heads} heads do not divide a width of {width}: choose numbers of heads that "
                    f"divide all of {self.widths}, or fix their width, for instance head_width=64"
                )
            head_width = self.head_width or width // heads
            if "rotary" in self.positions and head_width % 2:
                raise SpaceError(
                    f"rotary positions turn pairs of numbers, and a head has {head_width}: choose "
                    "an even width per head"
                )
        for heads, shared in product(self.heads, self.shared_by):
            if heads % shared:
                raise SpaceError(
                    f"{heads} heads cannot share their keys and values in groups of {shared}: "
                    f"choose sizes that divide all of {self.heads}"
                )

    def _check_inputs(self) -> None:
        patches = isinstance(self.inputs, Patches)
        if self.causal and patches:
            raise SpaceError(
                "a causal transformer predicts next tokens, and patches are none: choose Tokens, "
                "or causal=False"
            )
        if isinstance(self.inputs, Patches) and self.inputs.class_token and any(self.windows):
            raise SpaceError(
                f"a class token reads all tokens, but the windows are {self.windows}: choose "
                "Patches(..., class_token=False), whose head reads the mean, or windows=(0,)"
            )

    @property
    def _network_choices(self) -> Mapping[str, Sequence[Any]]:
        return {"width": self.widths, "positions": self.positions, "bias": self.biases}

    @property
    def _layer_choices(self) -> Mapping[str, Sequence[Any]]:
        return {
            "heads": self.heads,
            "shared_by": self.shared_by,
            "window": self.windows,
            "ratio": self.ratios,
            "activation": self.activations,
            "norm": self.norms,
        }

    @cached_property
    def configuration_space(self) -> ConfigurationSpace:
        """The choices; those of layers beyond the depth are inactive."""
        declared = Declared()
        scope = Scope(declared)
        least, most = self.depth
        _declare(scope, self._network_choices)
        depth = scope.integer("depth", least, most)
        for number in range(1, most + 1):
            deep = () if number <= least else (Above(depth, number - 1),)
            _declare(scope.inside(f"layer{number}", *deep), self._layer_choices)
        return declared.space()

    def form(self, configuration: Configuration) -> TransformerForm:
        """Return the transformer of a configuration as plain data."""
        chosen = values(configuration)

        def read(prefix: str, choices: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
            return {n: chosen[prefix + n] if len(c) > 1 else c[0] for n, c in choices.items()}

        whole = read("", self._network_choices)
        numbers = range(1, int(chosen["depth"]) + 1)
        layers = [read(f"layer{number}:", self._layer_choices) for number in numbers]
        width, learned = int(whole["width"]), whole["positions"] == "learned"
        blocks = tuple(self._block(layer, width, bool(whole["bias"]), learned) for layer in layers)
        return TransformerForm(width, blocks, learned)

    def _block(self, layer: Mapping[str, Any], width: int, bias: bool, learned: bool) -> BlockForm:
        heads = int(layer["heads"])
        attention = AttentionForm(
            heads,
            self.head_width or width // heads,
            heads // int(layer["shared_by"]),
            int(layer["window"]),
            causal=self.causal,
            rotary=not learned,
            bias=bias,
        )
        hidden = round(width * layer["ratio"])
        feed_forward = FeedForwardForm(hidden, layer["activation"], bias)
        return BlockForm(attention, feed_forward, layer["norm"])

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the graph, without the head, which all networks have."""
        form = self.form(configuration)
        return form.architecture(self.inputs.label(form.width, learned=form.learned))

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; a causal transformer returns logits per token.

        Raises:
            SpaceError: the inputs have another shape, are longer than the learned positions, or
                cannot be cut into patches; or the head's weights are those of the embedding, and
                there are more or fewer outputs than tokens.
        """
        from spaces.transformers.modules import Classifier, LanguageModel

        form = self.form(configuration)
        inputs, learned, dropout = self.inputs, form.learned, self.dropout
        if isinstance(inputs, Patches) or not self.causal:
            embedding = inputs.embedding(form.width, input_shape, learned=learned, dropout=dropout)
            class_token = isinstance(inputs, Patches) and inputs.class_token
            return Classifier(embedding, form, dropout, outputs, class_token=class_token)
        if self.tied and outputs != inputs.vocabulary:
            raise SpaceError(
                f"the head has the weights of the embedding, of {inputs.vocabulary} tokens, but "
                f"{outputs} outputs: give one output per token, or tied=False"
            )
        tokens = inputs.embedding(form.width, input_shape, learned=learned, dropout=dropout)
        return LanguageModel(tokens, form, dropout, None if self.tied else outputs)


_KNOWN: Mapping[str, tuple[str | bool, ...]] = {
    "norms": ("pre", "post"),
    "activations": ("gelu", "relu", "swish"),
    "positions": ("learned", "rotary"),
    "biases": (True, False),
}


def _declare(scope: Scope, choices: Mapping[str, Sequence[Any]]) -> None:
    """Declare choices: ascending numbers are ordinal; a single value is no choice."""
    for name, options in choices.items():
        if len(options) < 2:
            continue
        if name in ("width", "heads", "shared_by", "ratio"):
            scope.ordinal(name, options)
        else:
            scope.categorical(name, options)
