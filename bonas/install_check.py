"""A check that `spaces` and `fidelity` are the packages of this project.

Other distributions have packages of these names, and pip lets one overwrite the files of another.
"""

from __future__ import annotations

import importlib.util
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

SIBLINGS = ("spaces", "fidelity")


def check(version: str) -> None:
    """Raise unless both packages lie next to `bonas` and have its version.

    Args:
        version: of `bonas`.

    Raises:
        ImportError: another package is in the place of one, or another distribution has installed
            files into the same folder.
    """
    here = Path(__file__).resolve().parent.parent
    for name in SIBLINGS:
        spec = importlib.util.find_spec(name)
        origin = spec.origin if spec else None
        if origin is None or Path(origin).resolve().parent.parent != here:
            raise ImportError(
                f"bonas needs its own package '{name}' in {here}, but Python finds {origin}: "
                f"another distribution or a folder named '{name}' hides it; remove or rename that"
            )
        if (foreign := _foreign(name, here)) is not None:
            raise ImportError(
                f"the distribution '{foreign}' has installed its files into the package '{name}' "
                f"of bonas in {here}: use a separate environment for one of them, or uninstall "
                f"both and install bonas again"
            )
        if (found := _marker(Path(origin))) != version:
            raise ImportError(
                f"the package '{name}' in {here} is {found or 'not that of bonas'}, and bonas is "
                f"{version}: another distribution has overwritten it. Use a separate environment, "
                "or uninstall that distribution and install bonas again with --force-reinstall"
            )


def _marker(init: Path) -> str | None:
    """Return the version in the `__init__.py` of a package of this project."""
    found = re.search(r'^__bonas__ = "(.+)"$', init.read_text(encoding="utf-8"), re.M)
    return found and found[1]


def _foreign(name: str, here: Path) -> str | None:
    """Return the distribution called `name` if it owns files of the package of that name here."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return None
    ours = here / name
    owned = (Path(str(file.locate())).resolve() for file in files if file.parts[:1] == (name,))
    return name if any(path.is_relative_to(ours) for path in owned) else None
