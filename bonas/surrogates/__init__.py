"""Surrogates: what a network will cost, learned from those that were evaluated."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
