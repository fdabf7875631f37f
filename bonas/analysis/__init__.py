"""Analyses of histories and surrogates, as data frames: what the plots draw."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
