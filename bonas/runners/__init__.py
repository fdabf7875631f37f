"""Runners evaluate trials: in this process, in others, on other machines, or in simulation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
