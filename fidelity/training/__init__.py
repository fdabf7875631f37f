"""The training of networks to a budget, resumed from the checkpoint of a lower one."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
