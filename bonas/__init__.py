"""Neural architecture search by Bayesian optimization with multi-fidelity evaluation.

Importing this imports nothing else: torch, BoTorch, SMAC and matplotlib are loaded when a name
that needs them is used. The names are in `__init__.pyi`.
"""

from pathlib import Path

from bonas import install_check, lazy_names

__version__ = "0.2.0"

install_check.check(__version__)
__getattr__, __all__ = lazy_names.attach(__name__, Path(__file__).with_suffix(".pyi"))


def __dir__() -> list[str]:
    return __all__
