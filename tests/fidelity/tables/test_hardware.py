from __future__ import annotations

import csv
import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest

from bonas import Search
from bonas.search.progress import Silent
from bonas.strategies import NSGA2
from fidelity.tables import HardwareNASBench201, NASBench201, TableError
from fidelity.tables.hardware import EDGES, OPERATIONS
from fidelity.tables.table import Table
from spaces.keys import trial_key
from spaces.space import configuration, draw
from tests.fidelity.tables.contract import TableContract
from tests.fidelity.tables.test_nasbench201 import needs_package

REAL = Path(__file__).parents[4] / "shared" / "data" / "nasbench201_hardware_cifar10.csv.gz"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A latency that says which cell it is of: the digits as a number of base 5, plus 1."""
    needs_package()
    path = tmp_path_factory.mktemp("tables") / "latencies.csv"
    with path.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(["net", "phone", "broken"])
        for number, digits in enumerate(itertools.product(range(5), repeat=6)):
            writer.writerow([digits, number + 1, -1 if number == 7 else 1])
    return path


class TestHardwareNASBench201(TableContract):
    @pytest.fixture(autouse=True)
    def _file(self, file: Path) -> None:
        self.file = file

    def make(self) -> Table:
        return HardwareNASBench201(self.file, ("phone",), "cifar100")


def test_the_digits_are_read_in_the_order_of_the_file(file: Path) -> None:
    table = HardwareNASBench201(file, ("phone",))
    digits = (4, 3, 2, 1, 0, 2)
    chosen = configuration(
        table.space.configuration_space,
        {
            f"edge_{source}_{target}": OPERATIONS[digit]
            for (source, target), digit in zip(EDGES, digits, strict=True)
        },
    )
    found = table(chosen)
    assert found["phone"] == int("".join(map(str, digits)), 5) + 1
    assert table.costs[table.row(chosen)][1] == found["phone"]
    assert found["cost"] == NASBench201("cifar10")(chosen, 200.0)["cost"]


def test_cells_are_told_apart_even_if_they_compute_the_same(file: Path) -> None:
    table = HardwareNASBench201(file, ("phone",))
    names = list(table.space.configuration_space)
    nothing, also = (
        configuration(table.space.configuration_space, dict.fromkeys(names, "none") | extra)
        for extra in ({}, {"edge_0_1": "nor_conv_3x3"})
    )
    assert table.space.architecture(nothing).key == table.space.architecture(also).key
    assert trial_key(table.space, nothing) != trial_key(table.space, also)
    network = table.space.build(also, (3, 8, 8), 10)
    assert sum(p.numel() for p in network.parameters()) > 0


def test_a_search_for_the_front(file: Path) -> None:
    table = HardwareNASBench201(file, ("phone",))
    objectives = ("cost", "phone")
    chosen = Search(table.space, table, strategy=NSGA2(8), objectives=objectives)
    with chosen as search:
        search.run(evaluations=30, progress=Silent())
        front = search.pareto_front
    assert [search.goal.costs(e) for e in front] == sorted(search.goal.costs(e) for e in front)


@pytest.mark.parametrize(
    ("content", "quantities", "message"),
    [
        (b'net,phone\n"(0, 0, 0, 0, 0, 0)",1\n', ("phone",), "holds 1 cells .* get the whole"),
        (b'net,phone\n"(0, 0)",1\n', ("phone",), "six digits in the column net"),
        (b"net,phone\nhello world,1\n", ("phone",), "six digits in the column net"),
        (b'net,phone\n"(0, 0, 0, 0, 0, 9)",1\n', ("phone",), "six digits in the column net"),
        (b'net,phone\n"(0, 0, 0, 0, 0, 0)",slow\n', ("phone",), "numbers in the columns phone"),
        (b"\x1f\x8bbroken", ("phone",), "cannot be read"),
    ],
)
def test_files_that_are_none(
    content: bytes, quantities: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    needs_package()
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    table = HardwareNASBench201(path, quantities)
    with pytest.raises(TableError, match=message):
        _ = table.costs


def test_missing_columns_values_and_files(file: Path, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="numbers in the columns tablet"):
        _ = HardwareNASBench201(file, ("tablet",)).costs
    with pytest.raises(TableError, match="lacks values of broken"):
        _ = HardwareNASBench201(file, ("phone", "broken")).costs
    with pytest.raises(TableError, match="cannot be read"):
        _ = HardwareNASBench201(tmp_path / "nowhere.csv", ("phone",)).costs
    with pytest.raises(TableError, match="not 'mnist'"):
        HardwareNASBench201(file, ("phone",), "mnist")


def test_the_published_latencies() -> None:
    needs_package()
    if not REAL.exists():
        pytest.skip("no latencies of NAS-Bench-201 beside the checkout: ../shared/data")
    table = HardwareNASBench201(REAL, ("edgegpu_latency", "fpga_energy"))
    assert table.costs.shape == (15625, 3)
    with gzip.open(REAL, "rt", encoding="utf-8") as opened:
        line = next(csv.DictReader(opened))
    values = [float(line[name]) for name in table.quantities]
    assert (table.costs[:, 1:] == values).all(axis=1).any()
    # Convolutions cost time, or digits were read in a wrong order.
    rng = np.random.default_rng(0)
    drawn = [draw(table.space.configuration_space, rng) for _ in range(300)]
    counts = [list(c.values()).count("nor_conv_3x3") for c in drawn]
    energy = [table(c)["fpga_energy"] for c in drawn]
    assert np.corrcoef(counts, energy)[0, 1] > 0.6
    with pytest.raises(TableError, match="lacks values of edgetpu_latency"):
        _ = HardwareNASBench201(REAL, ("edgetpu_latency",)).costs
