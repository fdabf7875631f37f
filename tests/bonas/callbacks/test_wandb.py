"""The callback with the real package in its offline mode, where it is installed."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ConfigSpace import Configuration

from bonas.callbacks import WandB
from bonas.search.progress import Silent
from tests.faults.searches import searching


def objective(configuration: Configuration) -> float:
    if int(configuration["number"]) == 1:
        raise ValueError("broken")
    return 5.0 - configuration["number"]


BLOCK, FRAME = 32 * 1024, struct.Struct("<IHB")  # checksum, length, 1 to 4: whole to last part


def records(data: bytes) -> Iterator[bytes]:
    """Return the records of an offline run: a log of LevelDB behind a header of seven bytes."""
    position, parts = 7, b""
    while position + FRAME.size <= len(data):
        if BLOCK - position % BLOCK < FRAME.size:  # padding at the end of a block
            position += BLOCK - position % BLOCK
            continue
        _, length, kind = FRAME.unpack_from(data, position)
        position += FRAME.size
        parts += data[position : position + length]
        position += length
        if kind in (1, 4):
            yield parts
            parts = b""


def logged(file: Path) -> list[dict[str, Any]]:
    """Return the rows of an offline run, as `wandb sync` reads them."""
    from wandb.proto import wandb_internal_pb2

    rows = []
    for data in records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == "history":
            items = {
                item.key or ".".join(item.nested_key): json.loads(item.value_json)
                for item in record.history.item
            }
            rows.append({**items, "_step": record.history.step.num})
    return rows


# The package and its protocol buffers warn about themselves.
@pytest.mark.filterwarnings("ignore")
def test_an_offline_run_holds_every_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb", reason="the package wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_SILENT", "true")
    with searching(tmp_path / "search", objective) as made:
        made.run(evaluations=3, progress=Silent(), callbacks=[WandB("bonas", "mine")])
    wandb.teardown()  # waits for its own process to write the file
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    names = ("_step", "budget", "cost", "best")
    rows = [{name: row[name] for name in names if name in row} for row in logged(file)]
    assert rows == [
        {"_step": 1, "budget": 1.0, "cost": 5.0, "best": 5.0},
        {"_step": 2, "budget": 1.0, "best": 5.0},
        {"_step": 3, "budget": 1.0, "cost": 3.0, "best": 3.0},
    ]


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ImportError, match="pip install wandb"):
        WandB()
