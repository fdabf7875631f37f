from __future__ import annotations

import cloudpickle

from bonas.runners.pickled import dumps


def test_a_function_by_value_keeps_its_file() -> None:
    def outer() -> object:
        def inner() -> None: ...

        return inner

    read = cloudpickle.loads(dumps(outer))
    assert read.__code__.co_filename == __file__
    assert read().__code__.co_filename == __file__
