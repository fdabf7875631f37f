from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bonas.comparison.significance import Significance

# Of five seeds: a is always the best, c always the last.
BLOCKS = np.array([[1.0, 2, 3], [1, 2.5, 3], [0, 2, 4], [1, 2, 3.5], [0.5, 2, 3]])


def test_a_comparison_by_hand() -> None:
    found = Significance.of(("a", "b", "c"), BLOCKS, 0.1)
    assert found.seeds == 5
    assert found.ranks == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert found.friedman == pytest.approx(np.exp(-5))  # chi-square 10 with 2 degrees
    assert found.pairs["a", "b"].wins == 5
    assert found.pairs["a", "b"].p == pytest.approx(2 / 32)
    assert found.corrected["a", "b"] == pytest.approx(6 / 32)
    assert found.critical_difference == pytest.approx(2.052 * (12 / 30) ** 0.5, rel=1e-3)


def test_the_frame_and_the_page() -> None:
    found = Significance.of(("a", "b", "c"), BLOCKS, 0.2)
    frame = found.frame()
    assert frame.index.tolist() == [("a", "b"), ("a", "c"), ("b", "c")]
    assert frame["significant"].all()
    assert frame.loc[("a", "c"), "difference"] == -2.5
    assert "Friedman" in found._repr_html_()


def test_the_diagram() -> None:
    ax = Significance.of(("a", "b", "c"), BLOCKS, 0.05).plot()
    assert {"1.00  c", "a  1.00"} & {text.get_text() for text in ax.texts}
    plt.close("all")
