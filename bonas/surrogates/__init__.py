"""Surrogates: models of the cost of a network, fitted to the evaluated ones."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
