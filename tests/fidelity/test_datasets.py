from __future__ import annotations

import gzip
import pickle
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fidelity.augment import HorizontalFlip
from fidelity.datasets import cifar10, digits, fashion_mnist, mnist1d
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.datasets.fashion_mnist import DEBIAN


def sizes(dataset: Dataset) -> list[int]:
    return [len(part) for part in (dataset.train, dataset.validation, dataset.test)]


def test_digits() -> None:
    dataset = digits()
    assert sizes(dataset) == [1079, 359, 359]
    assert (dataset.input_shape, dataset.outputs) == ((1, 8, 8), 10)
    assert dataset.train.inputs.dtype == torch.uint8
    assert int(dataset.train.inputs.max()) == 16
    assert not any(isinstance(augment, HorizontalFlip) for augment in dataset.augment)


def test_mnist1d() -> None:
    pytest.importorskip("mnist1d")
    dataset = mnist1d()
    assert sizes(dataset) == [3200, 800, 1000]
    assert (dataset.input_shape, dataset.outputs) == ((1, 1, 40), 10)


def test_mnist1d_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mnist1d.data", None)
    with pytest.raises(DataError, match="pip install mnist1d"):
        mnist1d()


class TestFashionMNIST:
    @staticmethod
    def idx(array: np.ndarray) -> bytes:
        shape = struct.pack(f">{array.ndim}I", *array.shape)
        return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        """Four small files, two of them gzipped, each image filled with its label."""
        for part, count in (("train", 60), ("t10k", 20)):
            labels = np.arange(count, dtype=np.uint8) % 10
            pixels = np.broadcast_to(labels[:, None, None], (count, 6, 5)).copy()
            (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(self.idx(pixels))
            with gzip.open(tmp_path / f"{part}-labels-idx1-ubyte.gz", "wb") as file:
                file.write(self.idx(labels))
        return tmp_path

    def test_reads_plain_and_gzipped_files(self, root: Path) -> None:
        dataset = fashion_mnist(root)
        assert sizes(dataset) == [50, 10, 20]
        assert dataset.input_shape == (1, 6, 5)
        assert torch.equal(dataset.test.targets, torch.arange(20) % 10)
        for part in (dataset.train, dataset.validation, dataset.test):
            assert torch.equal(part.inputs[:, 0, 2, 3].long(), part.targets)

    def test_says_where_it_looked_and_how_to_get_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = sys.modules["fidelity.datasets.fashion_mnist"]
        monkeypatch.setattr(module, "DEBIAN", tmp_path / "debian")
        with pytest.raises(DataError) as caught:
            fashion_mnist(tmp_path / "mine")
        message = str(caught.value)
        assert str(tmp_path / "mine") in message
        assert str(tmp_path / "debian") in message
        assert "apt install dataset-fashion-mnist" in message

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "no idx file"),
            (b"<html>not found</html>", "no idx file"),
            (bytes([0, 0, 8, 3, 0, 0]), "no idx file"),
            (bytes([0, 0, 13, 1, 0, 0, 0, 0]), "no idx file"),
            (bytes([0, 0, 8, 1, 0, 0, 0, 9, 1, 2]), "announces an array of shape \\(9,\\)"),
        ],
    )
    def test_refuses_what_is_no_idx_file(self, root: Path, content: bytes, message: str) -> None:
        (root / "t10k-images-idx3-ubyte").write_bytes(content)
        with pytest.raises(DataError, match=message):
            fashion_mnist(root)

    @pytest.mark.parametrize("kept", [0.5, 0.0])
    def test_refuses_a_truncated_gzip_file(self, root: Path, kept: float) -> None:
        path = root / "t10k-labels-idx1-ubyte.gz"
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(DataError, match="t10k-labels"):
            fashion_mnist(root)

    def test_refuses_a_damaged_gzip_file(self, root: Path) -> None:
        path = root / "t10k-labels-idx1-ubyte.gz"
        content = bytearray(path.read_bytes())
        content[10:-8] = bytes(len(content) - 18)
        path.write_bytes(content)
        with pytest.raises(DataError, match="cannot be read"):
            fashion_mnist(root)

    @pytest.mark.skipif(not DEBIAN.is_dir(), reason="dataset-fashion-mnist is not installed")
    def test_the_real_one(self) -> None:
        dataset = fashion_mnist()
        assert sizes(dataset) == [50_000, 10_000, 10_000]
        assert torch.bincount(dataset.train.targets).tolist() == [5000] * 10
        assert torch.bincount(dataset.test.targets).tolist() == [1000] * 10


class Exploit:
    """What a malicious pickle looks like: reading it calls a function of its choice."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def python2_pickle(pixels: np.ndarray, labels: list[int]) -> bytes:
    """A batch as the authors' Python 2 wrote it (labels and sizes of few bytes)."""
    raw, (count, width) = pixels.tobytes(), pixels.shape
    return b"".join(
        [
            b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n",
            b"K\x00\x85U\x01b\x87R(K\x01J" + struct.pack("<i", count),
            b"J" + struct.pack("<i", width) + b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R",
            b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
            b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb",
            b"U\x06labels](" + b"".join(b"K" + bytes([label]) for label in labels) + b"eu.",
        ]
    )


class TestCIFAR10:
    NAMES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        """Six batches of 20 images; each image's channels hold its label, 100 and 200."""
        folder = tmp_path / "cifar-10-batches-py"
        folder.mkdir()
        for index, name in enumerate(self.NAMES):
            labels = [i % 10 for i in range(20)]
            pixels = np.empty((20, 3, 1024), dtype=np.uint8)
            pixels[:, 0], pixels[:, 1], pixels[:, 2] = np.array(labels)[:, None], 100, 200
            flat = pixels.reshape(20, 3072)
            content = (
                python2_pickle(flat, labels)
                if index % 2
                else pickle.dumps({b"data": flat, b"labels": labels}, protocol=2)
            )
            (folder / name).write_bytes(content)
        return tmp_path

    @pytest.mark.parametrize("inside", ["", "cifar-10-batches-py"])
    def test_reads_the_python_batches(self, root: Path, inside: str) -> None:
        dataset = cifar10(root / inside)
        assert sizes(dataset) == [80, 20, 20]
        assert dataset.input_shape == (3, 32, 32)
        assert HorizontalFlip() in dataset.augment
        for part in (dataset.train, dataset.validation, dataset.test):
            assert torch.equal(part.inputs[:, 0, 31, 0].long(), part.targets)
            assert part.inputs[:, 1].eq(100).all()
            assert part.inputs[:, 2].eq(200).all()

    def test_says_what_is_missing_and_how_to_get_it(self, root: Path) -> None:
        (root / "cifar-10-batches-py" / "data_batch_3").unlink()
        with pytest.raises(DataError, match=r"no data_batch_3 in .*cifar-10-python.tar.gz"):
            cifar10(root)

    def test_runs_nothing_that_a_pickle_asks_for(self, root: Path, tmp_path: Path) -> None:
        touched = tmp_path / "touched"
        (root / "cifar-10-batches-py" / "test_batch").write_bytes(pickle.dumps(Exploit(touched)))
        with pytest.raises(DataError, match="which no image needs"):
            cifar10(root)
        assert not touched.exists()

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\x80",
            pickle.dumps([1, 2]),
            pickle.dumps({b"data": b"", b"labels": [1]}),
            pickle.dumps({b"data": np.zeros((2, 5), np.uint8), b"labels": [0, 1]}),
        ],
    )
    def test_refuses_what_is_no_batch(self, root: Path, content: bytes) -> None:
        (root / "cifar-10-batches-py" / "test_batch").write_bytes(content)
        with pytest.raises(DataError, match="no batch of the python version"):
            cifar10(root)
