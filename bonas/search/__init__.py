"""The search: an engine that decides, a loop that runs it, and a durable record."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
