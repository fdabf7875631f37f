"""The training of networks to a budget, from the checkpoint of the last one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
