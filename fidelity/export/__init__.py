"""Export of networks: each format saves and loads, and is checked against the network."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
