"""A multi-fidelity benchmark inside the package: every cell of a small space, trained here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float32, Float64, UInt8, UInt16, UInt32

from fidelity.objective import Context
from spaces.cells.cell import NASBENCH201, CellSpace
from spaces.space import configuration as configured

if TYPE_CHECKING:
    import pandas as pd

    from fidelity.training.training import Training

OPERATIONS = ("skip_connect", "nor_conv_3x3", "avg_pool_3x3")
SPACE = CellSpace({name: NASBENCH201[name] for name in OPERATIONS}, channels=8, cells=1, stages=1)
EPOCHS = 27
SEEDS = (0, 1)
VALIDATION_IMAGES = 800
TEST_IMAGES = 1000
FILE = Path(__file__).with_name("mnist1d_cells.npz")


@dataclass(frozen=True, eq=False)
class Records:
    """The arrays of the file: one row per network, in the order of `cells`.

    Attributes:
        cells: the operation on each edge of `SPACE`, as its position in `OPERATIONS`.
        wrong: the number of misclassified images, of 800 for validation, after each epoch.
        seconds: CPU seconds of each epoch, validation included.
        test_wrong: the number of misclassified images, of 1,000 for test, after the last epoch.
        parameters: the number of trainable ones.
        multiply_adds: of one image.
    """

    cells: UInt8[np.ndarray, "networks edges"]
    wrong: UInt16[np.ndarray, "seeds networks epochs"]
    seconds: Float32[np.ndarray, "seeds networks epochs"]
    test_wrong: UInt16[np.ndarray, "seeds networks"]
    parameters: UInt32[np.ndarray, " networks"]
    multiply_adds: UInt32[np.ndarray, " networks"]

    def configurations(self) -> list[Configuration]:
        """Return a configuration for each row."""
        space = SPACE.configuration_space
        named = np.array(OPERATIONS)[self.cells].tolist()
        return [configured(space, dict(zip(space, row, strict=True))) for row in named]

    def final_errors(self) -> Float64[np.ndarray, " networks"]:
        """Return the validation error after the last epoch, its mean over the seeds."""
        errors: Float64[np.ndarray, " networks"] = self.wrong[:, :, -1].mean(0) / VALIDATION_IMAGES
        return errors


@dataclass(frozen=True)
class MNIST1DCells:
    """An objective that looks up training runs of cells on MNIST-1D: real curves, no download.

    The cells have 4 nodes and, on each of 6 edges, the identity, a 3x3 convolution or average
    pooling (`CellSpace` with three operations of NAS-Bench-201, 8 channels, one cell): 729
    configurations of 483 networks, all connected. On sequences, images of height 1, only the middle
    row of a 3x3 kernel has an input.

    Each network was trained by `fidelity.Training` (see `training`) for 27 epochs from two
    seeds and validated after each epoch. Budgets are the whole epochs from 1 to 27, points on one
    learning-rate curve; 27 is 3 cubed, so halving by 3 has the rungs 1, 3, 9 and 27. Seconds are
    CPU seconds of one thread, validation included. `mnist1d_cells.json`, next to this file, records
    date, machine, versions and settings; `benchmarks/make_mnist1d_cells.py` made it.

    Measured on it: the error after 27 epochs (mean of the seeds) ranges from 0.034 to 0.635, with a
    median of 0.142; its rank correlation (Spearman) with that after 1, 3 and 9 epochs is 0.54, 0.78
    and 0.95, and between the two seeds 0.90. A training took 0.7 to 3.3 CPU seconds.

    Source of the data: Greydanus and Kobak (2024), "Scaling down deep learning with MNIST-1D".
    """

    @property
    def space(self) -> CellSpace:
        """The space of the cells in the table."""
        return SPACE

    @property
    def max_budget(self) -> float:
        """The largest budget: 27 epochs."""
        return float(EPOCHS)

    @property
    def budgets(self) -> tuple[float, ...]:
        """All whole numbers of epochs."""
        return tuple(float(epoch) for epoch in range(1, EPOCHS + 1))

    def __call__(
        self,
        configuration: Configuration,
        budget: float = EPOCHS,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Return the result of a training to `budget`, as `Training` would.

        Args:
            configuration: the network, a configuration of `space`.
            budget: the total number of epochs, a whole number from 1 to 27.
            seed: even seeds select the first of the two training runs, odd ones the second.
            context: with the epochs that are resumed (`context.resumed`) and take no time; the
                error after each further epoch is reported to it.

        Returns:
            'cost', the fraction of misclassified validation images; 'seconds', the CPU time of
            the epochs after the resumed ones; 'parameters'; 'multiply_adds'; 'epochs', the total;
            'resumed_from', the number of resumed epochs; and at 27 epochs 'test_error', which a
            search must not use.

        Raises:
            ValueError: the budget is not a whole number of epochs from 1 to 27.
        """
        epochs = _whole(budget)
        context = context or Context()
        # A checkpoint beyond the budget can't be resumed: training starts from scratch.
        resumed = _whole(context.resumed) if 0 < context.resumed <= epochs else 0
        records, run, row = _load(), seed % len(SEEDS), _row(configuration)
        errors = records.wrong[run, row, :epochs] / VALIDATION_IMAGES
        for epoch in range(resumed, epochs):
            context.report(epoch + 1, float(errors[epoch]))
        result = {
            "cost": float(errors[-1]),
            "seconds": float(records.seconds[run, row, resumed:epochs].sum(dtype=np.float64)),
            "parameters": int(records.parameters[row]),
            "multiply_adds": int(records.multiply_adds[row]),
            "epochs": epochs,
            "resumed_from": resumed,
        }
        if epochs == EPOCHS:
            result["test_error"] = int(records.test_wrong[run, row]) / TEST_IMAGES
        return result

    @property
    def optimum(self) -> float:
        """The lowest validation error after 27 epochs, a mean over the two seeds."""
        return float(_load().final_errors().min())

    def regret(self, configuration: Configuration) -> float:
        """Return the error after 27 epochs, mean over the seeds, above the optimum."""
        return float(_load().final_errors()[_row(configuration)]) - self.optimum

    def frame(self) -> pd.DataFrame:
        """Return the table with one row per network, seed and epoch.

        Returns:
            The columns 'cell' (as `space.from_string` reads it), 'parameters', 'multiply_adds',
            'seed', 'epoch' (from 1), 'validation_error', 'seconds' (CPU, of this epoch alone)
            and 'test_error' (after 27 epochs, whatever the epoch of the row).
        """
        import pandas as pd

        records = _load()
        networks = pd.DataFrame(
            {
                "cell": [SPACE.to_string(cell) for cell in records.configurations()],
                "parameters": records.parameters.astype(np.int64),
                "multiply_adds": records.multiply_adds.astype(np.int64),
            }
        )
        index = pd.MultiIndex.from_product(
            [SEEDS, networks.index, range(1, EPOCHS + 1)], names=["seed", "network", "epoch"]
        )
        curves = pd.DataFrame(
            {
                "validation_error": records.wrong.ravel() / VALIDATION_IMAGES,
                "seconds": records.seconds.ravel().astype(np.float64),
                "test_error": np.repeat(records.test_wrong.ravel() / TEST_IMAGES, EPOCHS),
            },
            index=index,
        ).reset_index()
        merged = networks.merge(curves, left_index=True, right_on="network")
        return merged.drop(columns="network").reset_index(drop=True)

    def training(self) -> Training:
        """Return the objective that made the table, for training runs with other epochs or seeds.

        Raises:
            DataError: the package mnist1d is not installed.
        """
        from fidelity.datasets.mnist1d import mnist1d
        from fidelity.training.curves import Cosine
        from fidelity.training.optimizers import SGD
        from fidelity.training.training import Training

        return Training(
            SPACE,
            mnist1d(),
            max_epochs=EPOCHS,
            batch_size=320,
            optimizer=SGD(learning_rate=0.3, momentum=0.9, weight_decay=5e-4),
            curve=Cosine(warm_up=0.05),
            device="cpu",
        )


def _whole(budget: float) -> int:
    epochs = round(budget) if 0 < budget <= EPOCHS else 0
    # Budgets of a schedule are quotients, such as 27 / 3**3, which may miss by a rounding error.
    if epochs < 1 or abs(budget - epochs) > 1e-6:
        raise ValueError(
            f"the budget is {budget} epochs: the table holds the whole epochs from 1 to {EPOCHS}, "
            f"which halving by 3 visits: for instance Hyperband(1, {EPOCHS}, eta=3)"
        )
    return epochs


def _row(configuration: Configuration) -> int:
    return _rows()[SPACE.architecture(configuration).key]


@cache
def _load() -> Records:
    with np.load(FILE, allow_pickle=False) as file:
        arrays: dict[str, Any] = dict(file)
    return Records(**arrays)


@cache
def _rows() -> dict[str, int]:
    """Return the row of each network by its key, so that the file depends on no hash."""
    cells = _load().configurations()
    return {SPACE.architecture(cell).key: row for row, cell in enumerate(cells)}
