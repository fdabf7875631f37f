"""Macro spaces: depth, width and blocks of the stages of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from ConfigSpace import Configuration

from spaces.hierarchical.space import HierarchicalSpace, MotifSpace
from spaces.motifs.families import Choices, Family, basic, inverted, inverted_residual, plain
from spaces.motifs.layers import Convolution, Custom, Layer
from spaces.motifs.motifs import Chain, Stage
from spaces.motifs.plan import Draft, Plan
from spaces.operations.operations import Operation
from spaces.space import SpaceError, configuration

MACRO_CODES = ("identity", "mb3_k3", "mb6_k5")
"""The operations of NAS-Bench-Macro, whose names of architectures are their positions here."""


@dataclass(frozen=True, repr=False)
class MacroSpace(MotifSpace):
    """Chains of stages; each chooses depth, width and stride, and its blocks their form.

    Attributes:
        stages: by name, one after another; a stage of depth 1 is a single layer.
        stem: layers before the first stage.
        head: layers after the last, before global average pooling and a linear layer.
        dropout: before the linear layer.

    Raises:
        SpaceError: there is nothing to choose.
    """

    stages: Mapping[str, Stage]
    stem: tuple[Layer, ...] = (Convolution(32),)
    head: tuple[Layer, ...] = (Convolution(1280, (1, 1)),)
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not self.stages:
            raise SpaceError("a macro space has at least 1 stage")
        _ = self.hierarchical

    @classmethod
    def nasbench_macro(cls) -> MacroSpace:
        """Return the 6,561 networks of NAS-Bench-Macro, 8 layers of 3 operations each.

        Su et al. (2021), "Prioritized architecture sampling with Monte-Carlo tree search". The
        first, third and sixth layer halve the resolution and double the channels.
        """
        stages = {}
        for layer in range(1, 9):
            width = 64 if layer < 3 else 128 if layer < 6 else 256
            stride = 2 if layer in (1, 3, 6) else 1
            families = {
                "identity": Family(partial(_shortcut, width, stride)),
                "mb3_k3": Family(partial(_mobile, width, stride, 3, 3)),
                "mb6_k5": Family(partial(_mobile, width, stride, 5, 6)),
            }
            stages[f"layer{layer}"] = Stage(families, (1, 1), choice="operation")
        return cls(stages)

    @classmethod
    def small(
        cls, widths: tuple[int, ...] = (4, 8, 16, 32), stages: int = 3, stem_stride: int = 1
    ) -> MacroSpace:
        """Return small convolutional networks, for the best one below a number of parameters.

        A stage chooses plain, residual or inverted residual blocks, 1 to 3 of them, and their
        width, and a block chooses its kernel. All stages but the first halve the resolution. For
        images of 3x32x32 and 10 classes, the networks have 694 to 2,985,130 parameters,
        whose quartiles are in `benchmarks/results/space_sizes.md`.

        Args:
            widths: the choices of the stem and the first stage, ascending; each further stage
                doubles them.
            stages: of the network.
            stem_stride: 1 for small images and for signals, 2 for large ones.

        Raises:
            SpaceError: there is no width to choose, or no stage.
        """
        if not widths or widths[0] < 1 or list(widths) != sorted({*widths}):
            raise SpaceError(f"the widths are {widths}: give 1 or more positive ones, ascending")
        if stages < 1:
            raise SpaceError(f"a network has at least 1 stage of blocks, not {stages}")
        stem = {"width": widths, "stride": (stem_stride,)}
        parts = {"stem": Stage({"plain": Family(plain, stem, {"kernel": (3,)})}, (1, 1))}
        own = {"kernel": (3, 5)}
        for number in range(stages):
            shared = {
                "width": tuple(width * 2**number for width in widths),
                "stride": (2 if number else 1,),
            }
            families = {
                "plain": Family(plain, shared, own),
                "basic": Family(basic, shared, own),
                "inverted": Family(inverted, shared, {**own, "expansion": (1, 2, 4)}),
            }
            parts[f"stage{number + 1}"] = Stage(families, (1, 3))
        return cls(parts, (), ())

    @classmethod
    def mobile(cls, scale: float = 1.0, stem_stride: int = 2) -> MacroSpace:
        """Return inverted residuals in seven stages, as in MobileNetV2 (Sandler et al. 2018).

        A stage chooses 1 to 4 blocks and its width around that of MobileNetV2; a block chooses
        kernel 3, 5 or 7, expansion 3, 4 or 6, and a shortcut or none.

        Args:
            scale: a factor of all widths.
            stem_stride: 2 for large images, 1 for small ones.
        """
        own = {"kernel": (3, 5, 7), "expansion": (3, 4, 6), "skip": ("yes", "no")}
        published = ((16, 1), (24, 2), (32, 2), (64, 2), (96, 1), (160, 2), (320, 1))
        stages = {}
        for number, (width, stride) in enumerate(published, start=1):
            near = sorted({_round8(width * scale * factor) for factor in (0.75, 1.0, 1.25)})
            shared = {"width": tuple(near), "stride": (stride,)}
            first = {**own, "expansion": (1,)} if number == 1 else own
            stages[f"stage{number}"] = Stage({"inverted": Family(inverted, shared, first)}, (1, 4))
        stem = Convolution(_round8(32 * scale), stride=stem_stride, activation="relu6")
        head = Convolution(_round8(1280 * max(scale, 1.0)), (1, 1), activation="relu6")
        return cls(stages, (stem,), (head,), dropout=0.2)

    @cached_property
    def hierarchical(self) -> HierarchicalSpace:
        """The same space in terms of motifs."""
        return HierarchicalSpace(Chain(self.stages), self.stem, self.head, self.dropout)

    def from_code(self, code: str) -> Configuration:
        """Return the configuration that NAS-Bench-Macro names `code`, eight digits 0, 1 or 2.

        Raises:
            SpaceError: the code has another length or another digit.
        """
        if len(code) != len(self.stages) or not set(code) <= set("012"):
            raise SpaceError(
                f"'{code}' is no architecture of this space: it has {len(self.stages)} digits, "
                "0 identity, 1 mb3_k3, 2 mb6_k5"
            )
        values = {
            f"{name}:operation": MACRO_CODES[int(digit)]
            for name, digit in zip(self.stages, code, strict=True)
        }
        return configuration(self.configuration_space, values)


def family_of(operation: Operation, name: str, width: int | None, stride: int = 1) -> Family:
    """Wrap an operation `(channels_in, channels_out, stride) -> nn.Module` as a family.

    Args:
        operation: the function.
        name: of the operation, unique in its space.
        width: channels out; None keeps those of the input.
        stride: of the first block of a stage.
    """

    def make(channels_in: int, position: int, choices: Choices) -> Plan:
        draft = Draft(channels_in)
        layer = Custom(name, operation, width, stride if position == 0 else 1)
        return draft.finish(draft.add(layer, 0))

    return Family(make)


def _shortcut(width: int, stride: int, channels_in: int, position: int, choices: Choices) -> Plan:
    """Pass the input; where the shape changes, a strided 1x1 convolution of it."""
    draft = Draft(channels_in)
    if channels_in == width and stride == 1:
        return draft.finish(0)
    return draft.finish(draft.add(Convolution(width, (1, 1), stride, activation="none"), 0))


def _mobile(
    width: int,
    stride: int,
    kernel: int,
    expansion: int,
    channels_in: int,
    position: int,
    choices: Choices,
) -> Plan:
    return inverted_residual(channels_in, width, stride, kernel, expansion, activation="relu")


def _round8(width: float) -> int:
    """Return the nearest multiple of 8, at least 8."""
    return max(8, round(width / 8) * 8)
