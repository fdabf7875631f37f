"""The checks that need a GPU, and the rehearsal of `make gpu` without one."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
CHECKS = (
    "learns", "resumes_exactly", "resumes_by_default", "repeats_by_seed", "moves_checkpoints",
    "survives_exhausted_memory", "calibrates_alike", "computes_in_bfloat16", "keeps_channels_last",
    "captures_steps", "fits_surrogates", "measures_latency", "pins_two_workers",
    "trains_distributed",
)  # fmt: skip


@pytest.mark.gpu
@pytest.mark.parametrize("name", CHECKS)
def test_on_a_gpu(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    check: Callable[[torch.device, Path], str]
    check = getattr(importlib.import_module("gpu_checks"), name)
    assert check(torch.device("cuda", 0), tmp_path)


@pytest.mark.timeout(900)
def test_the_rehearsal_executes_every_step(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), "--cpu-rehearsal"]
    ended = subprocess.run(
        [*command, "--results", str(tmp_path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
    rows = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))["rows"]
    assert not [row for row in rows if "failed" in row or "left_out" in row]
    sections = [row["section"] for row in rows]
    found = {section: sections.count(section) for section in dict.fromkeys(sections)}
    assert list(found) == ["checks", "speed", "parts", "shared", "search", "proposals"]
    assert found["checks"] == len(CHECKS)
    page = (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert "A rehearsal at toy size on a CPU" in page
    for title in (
        "Checks",
        "Where the time goes",
        "Whole searches",
        "Proposals, and fits of the surrogate",
    ):
        assert f"\n## {title}\n" in page


def test_a_gpu_is_needed_without_a_rehearsal(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    ended = subprocess.run(
        [sys.executable, str(BENCHMARKS / "gpu.py"), "--results", str(tmp_path)],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "torch sees no GPU here: --cpu-rehearsal" in ended.stderr


def test_a_step_that_fails_is_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    gpu = importlib.import_module("gpu")

    def broken() -> dict[str, object]:
        raise RuntimeError("no kernel image | is available")

    step = gpu.Step("speed", "ResNet-18, batch 128", 5.0, broken)
    row = gpu.run(step, left=60.0)
    late = gpu.run(step, left=3.0)
    rows = [{"section": step.section, "name": step.name, **each} for each in (row, late)]
    page = gpu.page(gpu.machine(torch.device("cpu"), False, 8.0), rows)
    assert "ResNet-18, batch 128: **failed**: RuntimeError: no kernel image / is available" in page
    assert "ResNet-18, batch 128: left out: 3 seconds were left" in page
