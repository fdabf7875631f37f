"""Transformers as torch modules."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from spaces.transformers.attention import Attention, Tokens
from spaces.transformers.forms import (
    GLOBAL,
    Activation,
    BlockForm,
    FeedForwardForm,
    TransformerForm,
)

STANDARD_DEVIATION = 0.02
"""Of all initial weights, as in GPT-2 (Radford et al. 2019) and ViT."""


class TokenEmbedding(nn.Module):
    """A vector for each token and, if learned, one for its position.

    Args:
        vocabulary: the number of different tokens.
        width: of the vectors.
        positions: the number of learned positions; 0 has none.
        dropout: of the vectors, a probability.

    Attributes:
        max_length: the number of learned positions; None where sequences may have any length.
    """

    def __init__(self, vocabulary: int, width: int, positions: int, dropout: float) -> None:
        super().__init__()
        self.max_length = positions or None
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.zeros(positions, width)) if positions else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Int[Tensor, "batch length"]) -> Tokens:
        """Return the sum of both.

        Raises:
            ValueError: the sequence is longer than the learned positions.
        """
        vectors: Tensor = self.tokens(x)
        if self.positions is not None:
            length, longest = x.shape[1], self.positions.shape[0]
            if length > longest:
                raise ValueError(
                    f"a sequence of {length} tokens is longer than the {longest} learned "
                    "positions: shorten it, or choose rotary positions"
                )
            vectors = vectors + self.positions[:length]
        dropped: Tensor = self.dropout(vectors)
        return dropped


class PatchEmbedding(nn.Module):
    """A vector for each patch of an image or signal, after those of other tokens.

    Args:
        convolution: whose stride is its kernel.
        width: of the vectors.
        patches: the number of patches.
        class_token: begin with a learned vector, which the head reads.
        learned: add a learned vector for each position.
        dropout: of the vectors, a probability.
    """

    def __init__(
        self,
        convolution: nn.Module,
        width: int,
        patches: int,
        *,
        class_token: bool,
        learned: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.patches = convolution
        self.class_token = nn.Parameter(torch.zeros(1, width)) if class_token else None
        length = patches + class_token
        self.positions = nn.Parameter(torch.zeros(length, width)) if learned else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "batch channels *size"]) -> Tokens:
        """Return the vectors, those of patches from left to right and from top to bottom."""
        vectors: Tensor = self.patches(x).flatten(2).transpose(1, 2)
        if self.class_token is not None:
            vectors = torch.cat([self.class_token.expand(x.shape[0], 1, -1), vectors], dim=1)
        if self.positions is not None:
            vectors = vectors + self.positions
        dropped: Tensor = self.dropout(vectors)
        return dropped


class FeedForward(nn.Module):
    """Two linear layers with an activation function between them.

    Args:
        width: of the tokens, in and out.
        form: the width between the layers, and the function.
    """

    def __init__(self, width: int, form: FeedForwardForm) -> None:
        super().__init__()
        self.expand = nn.Linear(width, form.hidden, form.bias)
        self.activation = activation(form.activation)
        self.contract = nn.Linear(form.hidden, width, form.bias)

    def forward(self, x: Tokens) -> Tokens:
        """Transform each token by itself."""
        result: Tensor = self.contract(self.activation(self.expand(x)))
        return result


def activation(name: Activation) -> nn.Module:
    """Return an activation function as a module."""
    modules: dict[Activation, nn.Module] = {
        "gelu": nn.GELU(),
        "relu": nn.ReLU(),
        "swish": nn.SiLU(),
    }
    return modules[name]


class Block(nn.Module):
    """Attention and feed-forward layers, each with a residual connection.

    Args:
        width: of the tokens.
        form: of both, and where the normalisations stand.
        dropout: of what is added to the tokens, a probability.
    """

    def __init__(self, width: int, form: BlockForm, dropout: float) -> None:
        super().__init__()
        self.norm_first = form.norm == "pre"
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, form.attention)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, form.feed_forward)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tokens) -> Tokens:
        """Return the changed tokens."""
        if self.norm_first:
            x = x + self.dropout(self.attention(self.attention_norm(x)))
            x = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        else:
            x = self.attention_norm(x + self.dropout(self.attention(x)))
            x = self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))
        return x


class Transformer(nn.Module):
    """Blocks between an embedding and a normalisation, without a head.

    Args:
        embedding: returns tokens.
        form: of the blocks.
        dropout: of the blocks, a probability.

    Attributes:
        input_dtype: of sequences of tokens, see `spaces.resources.example_input`.
        max_length: of sequences of tokens, likewise; absent with local attention, whose exports
            keep the length.
    """

    def __init__(self, embedding: nn.Module, form: TransformerForm, dropout: float) -> None:
        super().__init__()
        self.embedding = embedding
        self.blocks = nn.ModuleList(Block(form.width, block, dropout) for block in form.blocks)
        self.norm = nn.LayerNorm(form.width)
        if isinstance(embedding, TokenEmbedding):
            self.input_dtype = torch.int64
            # torch.export cannot prove that chunks fit a sequence of any length.
            if all(block.attention.window == GLOBAL for block in form.blocks):
                self.max_length = embedding.max_length

    def encode(self, x: Tensor) -> Tokens:
        """Return the normalised tokens after the last block."""
        x = self.embedding(x)
        for block in self.blocks:
            x = block(x)
        result: Tensor = self.norm(x)
        return result

    def initialise(self) -> None:
        """Draw all weights; those that end a residual branch are smaller in deeper networks."""
        for name, parameter in self.named_parameters():
            if name.endswith(("output.weight", "contract.weight")):
                deviation = STANDARD_DEVIATION / math.sqrt(2 * len(self.blocks))
                nn.init.trunc_normal_(parameter, std=deviation)
            elif parameter.ndim > 1:
                nn.init.trunc_normal_(parameter, std=STANDARD_DEVIATION)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)


class Classifier(Transformer):
    """A transformer that returns one output vector per image, signal or sequence.

    Args:
        embedding: returns tokens.
        form: of the blocks.
        dropout: of the blocks, a probability.
        outputs: the number of classes.
        class_token: read the first token; otherwise the mean of all tokens.
    """

    def __init__(
        self,
        embedding: nn.Module,
        form: TransformerForm,
        dropout: float,
        outputs: int,
        *,
        class_token: bool,
    ) -> None:
        super().__init__(embedding, form, dropout)
        self.class_token = class_token
        self.head = nn.Linear(form.width, outputs)
        self.initialise()

    def forward(self, x: Tensor) -> Float[Tensor, "batch outputs"]:
        """Return the logits."""
        tokens = self.encode(x)
        logits: Tensor = self.head(tokens[:, 0] if self.class_token else tokens.mean(1))
        return logits


class LanguageModel(Transformer):
    """A transformer that predicts the token after each token of a sequence.

    Args:
        embedding: of tokens.
        form: of the blocks, which are causal.
        dropout: of the blocks, a probability.
        outputs: the size of the vocabulary; None uses the weights of the embedding (Press & Wolf
            2017, "Using the output embedding to improve language models").
    """

    def __init__(
        self, embedding: TokenEmbedding, form: TransformerForm, dropout: float, outputs: int | None
    ) -> None:
        super().__init__(embedding, form, dropout)
        self.embedding: TokenEmbedding
        self.head = None if outputs is None else nn.Linear(form.width, outputs, bias=False)
        self.initialise()

    def forward(self, x: Int[Tensor, "batch length"]) -> Float[Tensor, "batch outputs length"]:
        """Return the logits, in the layout of torch's losses per token."""
        tokens = self.encode(x)
        weight = self.embedding.tokens.weight if self.head is None else self.head.weight
        return F.linear(tokens, weight).transpose(1, 2)
