"""Parameters, multiply-adds and caches of transformers by formula, without building them.

They equal those of `spaces.count_resources`, and take microseconds.
"""

from __future__ import annotations

from spaces.transformers.forms import GLOBAL, AttentionForm, BlockForm, TransformerForm


def parameters(form: TransformerForm) -> int:
    """Return the parameters of the blocks and the last normalisation."""
    return sum(_block_parameters(form.width, block) for block in form.blocks) + 2 * form.width


def multiply_adds(form: TransformerForm, length: int) -> int:
    """Return the multiply-adds of the blocks.

    Args:
        form: of the transformer.
        length: the number of tokens.
    """
    linear = sum(_weights(form.width, block) for block in form.blocks)
    attention = sum(_attended(block.attention, length) for block in form.blocks)
    return linear * length + attention


def cached_numbers(form: TransformerForm) -> int:
    """Return the number of keys and values that generation keeps for each token."""
    return sum(2 * b.attention.groups * b.attention.head_width for b in form.blocks)


def language_model_parameters(form: TransformerForm, vocabulary: int, positions: int) -> int:
    """Return the parameters of a language model whose head has the weights of its embedding.

    Args:
        form: of the transformer.
        vocabulary: the number of different tokens.
        positions: the number of learned positions.
    """
    return parameters(form) + (vocabulary + positions * form.learned) * form.width


def language_model_multiply_adds(form: TransformerForm, vocabulary: int, length: int) -> int:
    """Return the multiply-adds of a language model, its head included.

    Args:
        form: of the transformer.
        vocabulary: the number of different tokens.
        length: the number of tokens.
    """
    return multiply_adds(form, length) + vocabulary * form.width * length


def _weights(width: int, block: BlockForm) -> int:
    """Return the number of weights of a block's linear layers, without biases."""
    attention = block.attention
    columns = 2 * (attention.heads + attention.groups) * attention.head_width
    return width * (columns + 2 * block.feed_forward.hidden)


def _block_parameters(width: int, block: BlockForm) -> int:
    attention, norms = block.attention, 4 * width
    biases = (attention.heads + 2 * attention.groups) * attention.head_width + width
    biases = biases * attention.bias + (block.feed_forward.hidden + width) * block.feed_forward.bias
    return _weights(width, block) + biases + norms


def _attended(form: AttentionForm, length: int) -> int:
    """Return the multiply-adds of scores and weighted values, the masked ones included."""
    queries, keys = length, length
    if form.window != GLOBAL:
        queries += -length % form.window
        keys = form.window * (2 if form.causal else 3)
    return 2 * form.heads * form.head_width * queries * keys
