"""Draw the figures of docs/gallery.md by the code on that page.

    python benchmarks/gallery.py [--quick] [--into FOLDER]

A figure follows the block that draws it. The pictures have 192 pixels per inch, for displays of
high resolution, and 128 colours, to be small.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from PIL import Image

PAGE = Path(__file__).resolve().parent.parent / "docs" / "gallery.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n!\[[^]]*\]\(gallery/(\w+)\.png\))?", re.M | re.S)
PIXELS_PER_INCH, COLOURS = 192, 128


def main() -> None:
    """Run the blocks of the page one after another, and save each figure."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="few evaluations, into a folder")
    arguments.add_argument("--into", type=Path, help="another folder than that of the page")
    given = arguments.parse_args()
    temporary = Path(tempfile.gettempdir()) / "gallery"
    folder = given.into or (temporary if given.quick else PAGE.with_suffix(""))
    folder.mkdir(parents=True, exist_ok=True)
    names: dict[str, Any] = {}
    for code, name in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if given.quick:
            code = re.sub(r"evaluations=\d+", "evaluations=20", code)
            code = code.replace("range(12)", "range(3)")
        exec(compile(code, str(PAGE), "exec"), names)
        if name:
            size = save(names["ax"].figure, folder / f"{name}.png")
            print(f"{folder / name}.png: {size / 1000:.0f} kB")
        plt.close("all")


def save(figure: plt.Figure, path: Path) -> int:
    """Write a figure with few colours, and return the size of the file in bytes."""
    drawn = BytesIO()
    figure.savefig(drawn, dpi=PIXELS_PER_INCH)
    picture = Image.open(drawn).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size


if __name__ == "__main__":
    main()
