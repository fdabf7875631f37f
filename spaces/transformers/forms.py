"""A transformer as plain data, from which its graph is drawn and its modules are built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spaces.architecture.architecture import Architecture, Node
from spaces.architecture.labels import INPUT, OUTPUT

Activation = Literal["gelu", "relu", "swish"]
Placement = Literal["pre", "post"]

GLOBAL = 0
"""The window of attention to all tokens."""

NORM = "layer norm"
RESIDUAL = "residual"
"""The sum of a residual connection. As an `identity` it would be contracted, and each layer would
read the results of all layers before it: of 36 layers that makes thousands of edges, and the
neighbourhoods in which a graph kernel compares layers would have no bound."""


@dataclass(frozen=True)
class AttentionForm:
    """Multi-head self-attention.

    Attributes:
        heads: the number of heads.
        head_width: of the queries, keys and values of each head.
        groups: the number of groups of heads that share their keys and values: `heads` is
            multi-head attention, 1 multi-query attention (Ainslie et al. 2023, "GQA").
        window: a token reads those that are fewer than `window` positions away; `GLOBAL` is all.
        causal: read a token and those before it; otherwise tokens on both sides.
        rotary: rotate queries and keys by their position (Su et al. 2021, "RoFormer").
        bias: of the linear layers.
    """

    heads: int
    head_width: int
    groups: int
    window: int = GLOBAL
    causal: bool = False
    rotary: bool = False
    bias: bool = True

    @property
    def label(self) -> str:
        """For instance `causal attention 12x64 groups 4 window 16 rotary`."""
        words = ["causal"] if self.causal else []
        words += ["attention", f"{self.heads}x{self.head_width}"]
        words += [f"groups {self.groups}"] if self.groups < self.heads else []
        words += [f"window {self.window}"] if self.window != GLOBAL else []
        words += ["rotary"] if self.rotary else []
        return " ".join(words if self.bias else [*words, "without bias"])


@dataclass(frozen=True)
class FeedForwardForm:
    """Two linear layers with an activation function between them.

    Attributes:
        hidden: the width between them.
        activation: the function.
        bias: of the linear layers.
    """

    hidden: int
    activation: Activation = "gelu"
    bias: bool = True

    def labels(self, width: int) -> tuple[str, str]:
        """Return for instance `linear 768 gelu` and `linear 192`.

        Args:
            width: of the output.
        """
        end = "" if self.bias else " without bias"
        return f"linear {self.hidden} {self.activation}{end}", f"linear {width}{end}"


@dataclass(frozen=True)
class BlockForm:
    """Attention and feed-forward layers, each with a residual connection.

    Attributes:
        attention: mixes the tokens.
        feed_forward: transforms each token.
        norm: `pre` normalises what they read, x + f(norm(x)); `post` normalises the sum,
            norm(x + f(x)), as in Vaswani et al. (2017).
    """

    attention: AttentionForm
    feed_forward: FeedForwardForm
    norm: Placement = "pre"


@dataclass(frozen=True)
class TransformerForm:
    """A transformer between its embedding and its head.

    Attributes:
        width: of the tokens.
        blocks: one after another.
        learned: add a learned vector for each position.
    """

    width: int
    blocks: tuple[BlockForm, ...]
    learned: bool

    def architecture(self, embedding: str) -> Architecture:
        """Return the graph; a layer normalisation follows the last block.

        Args:
            embedding: the label of the first node.
        """
        nodes = [Node(INPUT), Node(embedding, (0,))]

        def add(operation: str, *sources: int) -> int:
            nodes.append(Node(operation, sources))
            return len(nodes) - 1

        def residual(block: BlockForm, labels: Sequence[str], x: int) -> int:
            y = add(NORM, x) if block.norm == "pre" else x
            for label in labels:
                y = add(label, y)
            return add(RESIDUAL if block.norm == "pre" else NORM, x, y)

        x = 1
        for block in self.blocks:
            x = residual(block, [block.attention.label], x)
            x = residual(block, block.feed_forward.labels(self.width), x)
        nodes.append(Node(OUTPUT, (add(NORM, x),)))
        return Architecture(tuple(nodes))
