"""A traced network that reads tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import fx


class TokenNetwork(fx.GraphModule):
    """A traced network whose attribute `input_dtype` says that it reads tokens.

    See `spaces.example_input`. The attribute is that of a class, because a `GraphModule` keeps
    none of its own when it is copied.
    """

    input_dtype = torch.int64

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make it again, since a `GraphModule` would become a plain one."""
        return _restored, super().__reduce__()


def _restored(make: Callable[..., fx.GraphModule], arguments: tuple[Any, ...]) -> TokenNetwork:
    plain = make(*arguments)
    return TokenNetwork(plain, plain.graph)
