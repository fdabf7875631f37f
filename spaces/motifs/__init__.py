"""The grammar of networks: motifs, the layers that they draw, and named families of blocks."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
