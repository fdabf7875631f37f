"""The contract of spaces for ten constructors."""

from __future__ import annotations

from spaces.define_by_run.space import DefineByRun
from spaces.space import Space
from tests.spaces.contract import SpaceContract
from tests.spaces.define_by_run import networks


class TestResidual(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return DefineByRun(networks.residual)


class TestLoopOverDepth(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return DefineByRun(networks.loop)


class TestDense(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return DefineByRun(networks.Dense)


class TestUNet(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return DefineByRun(networks.UNet)

    def logits_shape(self, batch: int) -> tuple[int, ...]:
        return (batch, self.outputs, 32, 32)


class TestRecurrent(SpaceContract):
    input_shape = (3, 12)

    @staticmethod
    def make_space() -> Space:
        return DefineByRun(networks.Recurrent, (3, 12))


class TestTransformer(SpaceContract):
    input_shape = (3, 12)

    @staticmethod
    def make_space() -> Space:
        return DefineByRun(networks.Transformer, (3, 12))


class TestNested(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return DefineByRun(networks.nested)


class TestShared(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return DefineByRun(networks.shared)


class TestTwoOfFour(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return DefineByRun(networks.TwoOfFour)


class TestFollowed(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return DefineByRun(networks.followed)
