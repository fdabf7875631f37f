"""Plots: each function takes and returns matplotlib axes and is one file here."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
