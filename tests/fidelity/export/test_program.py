from __future__ import annotations

from fidelity.export import Program
from spaces.space import Space
from tests.fidelity.export.contract import FormatContract


class TestProgram(FormatContract):
    @staticmethod
    def make_format(name: str) -> Program:
        return Program()

    @staticmethod
    def of_space(space: Space, name: str) -> Program:
        return Program()
