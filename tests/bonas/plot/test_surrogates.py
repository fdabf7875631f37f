from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from bonas.analysis import Predictions
from bonas.plot import calibration, predicted
from tests.bonas.plot.pictures import check, named, paper


def made(deviation: float, size: int = 40) -> Predictions:
    """Predictions with normal errors of deviation 0.05, and a predicted deviation."""
    observed = np.linspace(0.1, 0.6, size)
    errors = 0.05 * ndtri((np.arange(size) * 7 % size + 0.5) / size)
    return Predictions(observed + errors, np.full(size, deviation), observed)


def test_the_picture_of_predictions() -> None:
    ax = predicted(made(0.05), paper(3.4, 3), label="error (fraction)")
    assert named(ax)
    check(ax, "predicted")


def test_the_picture_of_calibration() -> None:
    found = {"calibrated": made(0.05), "overconfident": made(0.02), "underconfident": made(0.15)}
    ax = calibration(found, paper(3.4, 3))
    assert named(ax)
    check(ax, "calibration")


def test_calibration_by_hand() -> None:
    # One standard deviation away holds 68.27% of a normal distribution, two hold 95.45%.
    found = Predictions(np.zeros(3), np.ones(3), np.array([0.0, -1.0, 2.0]))
    assert found.levels == pytest.approx([0, 0.6827, 0.9545], abs=1e-4)
    curve = calibration({"mine": found}).lines[1]
    assert np.asarray(curve.get_ydata()) == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])


def test_the_title_says_how_well_it_ranks() -> None:
    found = Predictions(np.array([1.0, 2, 4, 3]), np.ones(4), np.array([1.0, 2, 3, 4]))
    assert predicted(found).get_title() == "rank correlation 0.80, 4 evaluations"
