"""The supernet of any space whose networks can be built."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ConfigSpace import ConfigurationSpace

from spaces.space import InputShape, Space, provides
from spaces.weight_sharing.elastic import ElasticSupernet
from spaces.weight_sharing.protocols import SharedWeights, Sharing, operation_supernet


@runtime_checkable
class _Joint(Protocol):
    """A space that also chooses how a network is trained, which a supernet cannot vary."""

    space: Space
    hyperparameters: ConfigurationSpace


def supernet(space: Space, input_shape: InputShape, outputs: int) -> SharedWeights:
    """Return the supernet of a space, initialised from torch's current seed.

    Args:
        space: one with a supernet of its own, such as `CellSpace`, has a `Supernet`; any other one
            with `build` has an `ElasticSupernet`.
        input_shape: of one input, see `InputShape`.
        outputs: the number of classes, or of other outputs.

    Raises:
        SpaceError: the space builds no networks, or also chooses hyperparameters of the training.
    """
    if isinstance(space, Sharing | _Joint) or not provides(space, "build"):
        return operation_supernet(space, input_shape, outputs)
    return ElasticSupernet(space, input_shape, outputs)
