"""The page on Slurm: its cluster asks Slurm for the right thing, and nothing is submitted."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytest.importorskip("dask_jobqueue")


def blocks() -> list[str]:
    return re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs/slurm.md").read_text(encoding="utf-8"), re.M | re.S
    )


def test_the_job_script_is_one_gpu_a_trial(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # there is no sbatch to be called
    first, second = blocks()
    names: dict[str, Any] = {}
    exec(compile(first, "docs/slurm.md", "exec", dont_inherit=True), names)
    try:
        script = names["cluster"].job_script()
    finally:
        names["cluster"].close()
    assert capsys.readouterr().out == f"{script}\n"
    asked = re.findall(r"^#SBATCH (.*)$", script, re.M)
    assert {"-p gpu", "-t 04:00:00", "--cpus-per-task=4", "--gres=gpu:1"} <= set(asked)
    (command,) = [line for line in script.splitlines() if "dask_worker" in line]
    words = shlex.split(command)
    for option, value in (("--nthreads", "1"), ("--resources", "GPU=1"), ("--lifetime", "230m")):
        assert words[words.index(option) + 1] == value
    assert "--nanny" in words
    compile(second, "docs/slurm.md", "exec")


def test_the_names_of_the_page_exist() -> None:
    names: dict[str, Any] = {}
    imports = [line for line in blocks()[1].splitlines() if line.startswith(("from ", "import "))]
    exec("\n".join(imports), names)
    from bonas.search.search import Search
    from fidelity.training.training import Training

    assert names["Search"] is Search
    assert names["Training"] is Training
