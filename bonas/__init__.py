"""Neural architecture search by Bayesian optimization with multi-fidelity evaluation.

Importing this imports nothing else: torch, BoTorch, SMAC and matplotlib are loaded when
something needs them (SPEC 1 of Scientific Python; the names are in `__init__.pyi`).
"""

import importlib.util
from pathlib import Path

import lazy_loader


def _check_siblings() -> None:
    """Other distributions have packages named `spaces` too: make sure that these are ours."""
    here = Path(__file__).resolve().parent.parent
    for name in ("spaces", "fidelity"):
        found = importlib.util.find_spec(name)
        origin = found.origin if found else None
        if origin is None or Path(origin).resolve().parent.parent != here:
            raise ImportError(
                f"bonas needs its own package '{name}' in {here}, but Python finds {origin}: "
                f"another distribution or a folder named '{name}' hides it; remove or rename that"
            )


_check_siblings()
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
