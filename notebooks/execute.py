"""Runs notebooks from top to bottom, in an empty folder, and writes their outputs back.

    python notebooks/execute.py                 # all of them, in full: what is committed
    BONAS_QUICK=1 python notebooks/execute.py --check notebooks/1-*.ipynb

With --check nothing is written. The first cell that fails ends it, with its traceback.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

HERE = Path(__file__).resolve().parent
SECONDS = 1200  # for one cell


def execute(path: Path) -> nbformat.NotebookNode:
    """The notebook as it is after a run in a fresh kernel.

    Raises:
        CellExecutionError: a cell raised an exception.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="bonas-notebook-") as folder:
        # The packages beside the notebooks come first, whatever is installed.
        paths = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "IPYTHONDIR": str(Path(folder) / "ipython"),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }
        # Sockets in the folder instead of ports, which others could listen to.
        sockets = Config()
        sockets.KernelManager.transport = "ipc"
        sockets.KernelManager.connection_file = str(Path(folder) / "kernel.json")
        client = NotebookClient(
            notebook,
            timeout=SECONDS,
            kernel_name="python3",
            config=sockets,
            record_timing=False,
            resources={"metadata": {"path": folder}},
        )
        client.execute(env=environment)
    # Names and versions of the kernel change with the machine, and say nothing.
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default all of this folder")
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args()
    for path in given.notebooks or sorted(HERE.glob("*.ipynb")):
        start = time.perf_counter()
        notebook = execute(path)
        if not given.check:
            nbformat.write(notebook, path)
        print(f"{path.name}: {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
