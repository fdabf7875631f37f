from collections.abc import Iterator

import matplotlib
import matplotlib.pyplot as plt
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _no_trace() -> Iterator[None]:
    """A plot leaves matplotlib's settings alone; here they are always the default ones."""
    with plt.style.context("default"):
        before = dict(matplotlib.rcParams)
        yield
        assert dict(matplotlib.rcParams) == before
        plt.close("all")
