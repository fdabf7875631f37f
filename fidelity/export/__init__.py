"""A trained network as files: each format saves, loads, and is checked against the network."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
